/* SPDX-License-Identifier: MIT
 *
 * ctl_notes: see ctl_notes.h.
 */
#include "app/ctl_notes.h"

static const VpnrCtlNote damaged = {
	"RULES OF CAPTURE ARE MISSING",
	"somebody has removed them",
	"\"vpnrctl reload\" brings them back",
};

static const VpnrCtlNote switch_missing = {
	"THE KILL SWITCH IS MISSING",
	"somebody has removed or changed it",
	"\"vpnrctl reload\" brings it back",
};

/* What people look for who have no network. */
static const VpnrCtlNote switch_holds = {
	"THE KILL SWITCH IS ON AND THERE IS NO LINK",
	NULL,
	"nothing leaves this host",
};

static gboolean
is_set(JsonObject *capture, const char *member)
{
	return capture != NULL &&
	       json_object_get_boolean_member_with_default(capture, member, FALSE);
}

GPtrArray *
vpnr_ctl_notes(JsonObject *capture, gboolean linked)
{
	GPtrArray *notes = g_ptr_array_new();

	if (is_set(capture, "damaged"))
		g_ptr_array_add(notes, (gpointer)&damaged);
	if (is_set(capture, "kill_switch_missing"))
		g_ptr_array_add(notes, (gpointer)&switch_missing);
	if (is_set(capture, "kill_switch") && !linked)
		g_ptr_array_add(notes, (gpointer)&switch_holds);
	return notes;
}

char *
vpnr_ctl_note_text(const VpnrCtlNote *note)
{
	if (note->why == NULL)
		return g_strdup_printf("%s: %s", note->what, note->then);
	return g_strdup_printf("%s: %s; %s", note->what, note->why, note->then);
}
