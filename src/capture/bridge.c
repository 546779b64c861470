/* SPDX-License-Identifier: MIT
 *
 * bridge: see bridge.h.
 */
#include "capture/bridge.h"

#include "base/log.h"

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

void
vpnr_bridge_warn(const VpnrRules *rules)
{
	const char *setting = vpnr_bridge_obstacle(rules);

	if (setting != NULL)
		vpnr_log(VPNR_LOG_WARN,
			 "with %s = 1 the kernel keeps what comes by a bridge from transparent "
			 "sockets: set it to 0 if the network behind this host is one",
			 setting);
}
