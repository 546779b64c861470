/* SPDX-License-Identifier: MIT
 *
 * bridge: see bridge.h.
 */
#include "capture/bridge.h"

/* A kernel that does not filter in bridges has no such file. */
static gboolean
is_on(const char *path)
{
	g_autofree char *text = NULL;

	return g_file_get_contents(path, &text, NULL, NULL) && text[0] != '0';
}

const char *
vpnr_bridge_obstacle(const VpnrRules *rules)
{
	if (!vpnr_rules_has_gateway(rules) || !vpnr_rules_need_routing(rules))
		return NULL;
	if (rules->port4 != 0 && is_on("/proc/sys/net/bridge/bridge-nf-call-iptables"))
		return "net.bridge.bridge-nf-call-iptables";
	if (rules->port6 != 0 && is_on("/proc/sys/net/bridge/bridge-nf-call-ip6tables"))
		return "net.bridge.bridge-nf-call-ip6tables";
	return NULL;
}
