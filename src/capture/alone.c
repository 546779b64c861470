/* SPDX-License-Identifier: MIT
 *
 * alone: what capture.h has for when there is no client.
 */
#include "capture/backend.h"
#include "capture/capture.h"
#include "capture/privilege.h"
#include "capture/routing.h"

/* What cannot be asked has nothing, unless somebody has the name: then a client runs. */
gboolean
vpnr_capture_clear(const VpnrRules *rules, GError **error)
{
	if (!vpnr_privilege_check(error))
		return FALSE;
	for (gsize i = 0; i < VPNR_BACKENDS; i++)
		if (!vpnr_backends[i]->clear(rules, error))
			return FALSE;
	return vpnr_routing_clear(rules, error);
}

gboolean
vpnr_capture_hold(const VpnrRules *rules, GError **error)
{
	g_autoptr(GString) reasons = g_string_new(NULL);

	if (!vpnr_privilege_check(error))
		return FALSE;
	for (gsize i = 0; i < VPNR_BACKENDS; i++) {
		g_autoptr(GError) why = NULL;

		if (!vpnr_backend_is_wanted(vpnr_backends[i], rules))
			continue;
		if (vpnr_backends[i]->install_kill_switch(rules, &why))
			return TRUE;
		g_string_append_printf(reasons, "%s%s: %s", reasons->len > 0 ? "; " : "",
				       vpnr_backends[i]->name, why->message);
	}
	g_set_error(error, VPNR_CAPTURE_ERROR, VPNR_CAPTURE_ERROR_IMPOSSIBLE,
		    "there can be no kill switch here: %s", reasons->str);
	return FALSE;
}

static gboolean
has_kill_switch(const VpnrRules *rules)
{
	for (gsize i = 0; i < VPNR_BACKENDS; i++)
		if (vpnr_backends[i]->find_kill_switch(rules) != VPNR_KILL_SWITCH_OFF)
			return TRUE;
	return FALSE;
}

/* A backend that does not work here fails, and has nothing; so what counts is what is there
 * afterwards. */
gboolean
vpnr_capture_release(const VpnrRules *rules, GError **error)
{
	g_autoptr(GError) why = NULL;

	if (!vpnr_privilege_check(error))
		return FALSE;
	for (gsize i = 0; i < VPNR_BACKENDS; i++)
		vpnr_backends[i]->clear_kill_switch(rules, why == NULL ? &why : NULL);
	if (!has_kill_switch(rules))
		return TRUE;
	g_set_error(error, VPNR_CAPTURE_ERROR, VPNR_CAPTURE_ERROR_IMPOSSIBLE,
		    "the kill switch is still on: %s", why != NULL ? why->message : "");
	return FALSE;
}
