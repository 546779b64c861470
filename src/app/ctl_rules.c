/* SPDX-License-Identifier: MIT
 *
 * ctl_rules: see ctl_rules.h.
 */
#include "app/ctl_rules.h"

#include <string.h>

#include "app/ctl_format.h"
#include "app/ctl_json.h"
#include "app/ctl_notes.h"
#include "app/settings.h"
#include "app/settings_capture.h"
#include "capture/capture.h"

/* Text of several lines: their ends and the tabs at their beginnings are all that a terminal gets
 * as it came. */
static void
append_text(GString *out, JsonObject *answer, const char *name)
{
	const char *text = json_object_get_string_member_with_default(answer, name, "");
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (guint i = 0; lines[i] != NULL; i++) {
		gsize tabs = strspn(lines[i], "\t");
		g_autofree char *rest = vpnr_ctl_printable(lines[i] + tabs);

		if (i > 0)
			g_string_append_c(out, '\n');
		g_string_append_len(out, lines[i], (gssize)tabs);
		g_string_append(out, rest);
	}
}

/* Whether there is a link is not in the answer, and makes no difference to the rules. */
static void
append_notes(GString *out, JsonObject *answer)
{
	g_autoptr(GPtrArray) notes = vpnr_ctl_notes(answer, TRUE);

	for (guint i = 0; i < notes->len; i++) {
		g_autofree char *text = vpnr_ctl_note_text(g_ptr_array_index(notes, i));

		g_string_append_printf(out, "%s\n", text);
	}
}

char *
vpnr_ctl_show_rules(const char *json, GError **error)
{
	g_autoptr(JsonObject) answer = vpnr_ctl_json_parse(json, error);
	g_autoptr(GString) out = g_string_new(NULL);

	if (answer == NULL)
		return NULL;
	g_autofree char *mode = vpnr_ctl_json_text(answer, "mode");
	g_autofree char *backend = vpnr_ctl_json_text(answer, "backend");
	gboolean installed =
	    json_object_get_boolean_member_with_default(answer, "installed", FALSE);

	/* With mode off, which has no backend, the words are all that there is to say. */
	if (json_object_has_member(answer, "backend"))
		g_string_append_printf(out, "mode %s, backend %s: %s\n", mode, backend,
				       installed ? "installed" : "not installed");
	append_notes(out, answer);
	append_text(out, answer, "words");
	if (*json_object_get_string_member_with_default(answer, "ruleset", "") != '\0')
		g_string_append_c(out, '\n');
	append_text(out, answer, "ruleset");
	return g_string_free(g_steal_pointer(&out), FALSE);
}

static VpnrRules *
load_rules(const char *config, GError **error)
{
	g_autoptr(VpnrClientSettings) settings = NULL;

	if (config == NULL)
		return vpnr_settings_capture_defaults();
	settings = vpnr_client_settings_load(config, NULL, error);
	return settings != NULL ? g_steal_pointer(&settings->rules) : NULL;
}

gboolean
vpnr_ctl_rules_clear(const char *config, gboolean kill_switch, GError **error)
{
	g_autoptr(VpnrRules) rules = load_rules(config, error);
	g_autoptr(GError) why = NULL;

	if (rules == NULL)
		return FALSE;
	if (kill_switch && !vpnr_capture_release(rules, error))
		return FALSE;
	if (vpnr_capture_clear(rules, &why))
		return TRUE;
	/* The switch may go while a client runs; what that has installed is not left behind. */
	if (kill_switch && g_error_matches(why, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_TAKEN))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&why));
	return FALSE;
}

gboolean
vpnr_ctl_rules_hold(const char *config, GError **error)
{
	g_autoptr(VpnrRules) rules = load_rules(config, error);

	if (rules == NULL)
		return FALSE;
	/* The configuration need not have the switch, so nobody has asked for its mode yet. */
	if (rules->mode == VPNR_CAPTURE_OFF) {
		g_set_error(error, VPNR_SETTINGS_ERROR, VPNR_SETTINGS_ERROR_INVALID,
			    "%s: [capture] kill-switch: " VPNR_SETTINGS_CAPTURE_NO_MODE, config);
		return FALSE;
	}
	return vpnr_capture_hold(rules, error);
}
