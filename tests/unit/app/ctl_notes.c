/* SPDX-License-Identifier: MIT
 *
 * ctl_notes: which state of capture is worth a note, with a link and without.
 */
#include "app/ctl_notes.h"

#include "app/ctl_json.h"

/* What the notes say in capitals, one a line. */
static void
assert_notes(const char *json, gboolean linked, const char *expected)
{
	g_autoptr(JsonObject) capture = vpnr_ctl_json_parse(json, NULL);
	g_autoptr(GPtrArray) notes = vpnr_ctl_notes(capture, linked);
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < notes->len; i++) {
		const VpnrCtlNote *note = g_ptr_array_index(notes, i);

		g_assert_nonnull(note->then);
		g_string_append_printf(text, "%s\n", note->what);
	}
	g_assert_cmpstr(text->str, ==, expected);
}

static void
test_well(void)
{
	g_autoptr(GPtrArray) notes = vpnr_ctl_notes(NULL, FALSE);

	g_assert_cmpuint(notes->len, ==, 0);
	assert_notes("{}", FALSE, "");
	assert_notes("{\"damaged\":false,\"kill_switch\":true,\"kill_switch_missing\":false}", TRUE,
		     "");
}

static void
test_wrong(void)
{
	assert_notes("{\"damaged\":true,\"kill_switch_missing\":true}", TRUE,
		     "RULES OF CAPTURE ARE MISSING\n"
		     "THE KILL SWITCH IS MISSING\n");
	assert_notes("{\"kill_switch\":true}", FALSE,
		     "THE KILL SWITCH IS ON AND THERE IS NO LINK\n");
	assert_notes("{\"kill_switch_missing\":true}", FALSE, "THE KILL SWITCH IS MISSING\n");
}

static void
test_text(void)
{
	const VpnrCtlNote full = { "ALL IS GONE", "nobody knows why", "wait" };
	const VpnrCtlNote plain = { "ALL IS GONE", NULL, "wait" };
	g_autofree char *full_text = vpnr_ctl_note_text(&full);
	g_autofree char *plain_text = vpnr_ctl_note_text(&plain);

	g_assert_cmpstr(full_text, ==, "ALL IS GONE: nobody knows why; wait");
	g_assert_cmpstr(plain_text, ==, "ALL IS GONE: wait");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ctl-notes/well", test_well);
	g_test_add_func("/ctl-notes/wrong", test_wrong);
	g_test_add_func("/ctl-notes/text", test_text);
	return g_test_run();
}
