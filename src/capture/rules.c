/* SPDX-License-Identifier: MIT
 *
 * rules: see rules.h.
 */
#include "capture/rules.h"

const char *
vpnr_capture_mode_name(VpnrCaptureMode mode)
{
	static const char *const names[] = { "off", "redirect", "tproxy" };

	return names[mode];
}

static void
match_init(VpnrRulesMatch *match)
{
	match->networks = g_array_new(FALSE, FALSE, sizeof(VpnrNetwork));
	match->ports = g_array_new(FALSE, FALSE, sizeof(VpnrPortRange));
	match->users = g_array_new(FALSE, FALSE, sizeof(uid_t));
	match->groups = g_array_new(FALSE, FALSE, sizeof(gid_t));
	match->cgroups = g_ptr_array_new_with_free_func(g_free);
}

static void
match_clear(VpnrRulesMatch *match)
{
	g_array_unref(match->networks);
	g_array_unref(match->ports);
	g_array_unref(match->users);
	g_array_unref(match->groups);
	g_ptr_array_unref(match->cgroups);
}

VpnrRules *
vpnr_rules_new(void)
{
	VpnrRules *rules = g_new0(VpnrRules, 1);

	match_init(&rules->include);
	match_init(&rules->exclude);
	rules->gateway_interfaces = g_ptr_array_new_with_free_func(g_free);
	rules->gateway_networks = g_array_new(FALSE, FALSE, sizeof(VpnrNetwork));
	return rules;
}

gboolean
vpnr_rules_has_gateway(const VpnrRules *rules)
{
	return rules->gateway_interfaces->len > 0 || rules->gateway_networks->len > 0;
}

gboolean
vpnr_rules_need_routing(const VpnrRules *rules)
{
	return rules->mode == VPNR_CAPTURE_TPROXY ||
	       (rules->mode == VPNR_CAPTURE_REDIRECT && rules->dns);
}

gboolean
vpnr_rules_have_flows(const VpnrRules *rules)
{
	return vpnr_rules_need_routing(rules) && (rules->udp || rules->dns);
}

gboolean
vpnr_rules_has_listener(const VpnrRules *rules)
{
	return rules->mode != VPNR_CAPTURE_REDIRECT || !vpnr_rules_has_gateway(rules) ||
	       rules->any4 || rules->any6;
}

/* Ports and their addresses are the listeners', which change with a restart. */
static gboolean
is_kept(const VpnrRules *a, const VpnrRules *b)
{
	return a->mode == b->mode && a->backend == b->backend && a->dns == b->dns &&
	       a->udp == b->udp && a->port4 == b->port4 && a->port6 == b->port6 &&
	       a->any4 == b->any4 && a->any6 == b->any6 && a->link_mark == b->link_mark &&
	       a->tproxy_mark == b->tproxy_mark && a->route_table == b->route_table &&
	       a->rule_priority == b->rule_priority && g_strcmp0(a->table, b->table) == 0;
}

gboolean
vpnr_rules_keep(VpnrRules *rules, const VpnrRules *old)
{
	if (is_kept(rules, old))
		return FALSE;
	rules->mode = old->mode;
	rules->backend = old->backend;
	rules->dns = old->dns;
	rules->udp = old->udp;
	rules->port4 = old->port4;
	rules->port6 = old->port6;
	rules->any4 = old->any4;
	rules->any6 = old->any6;
	rules->link_mark = old->link_mark;
	rules->tproxy_mark = old->tproxy_mark;
	rules->route_table = old->route_table;
	rules->rule_priority = old->rule_priority;
	g_free(rules->table);
	rules->table = g_strdup(old->table);
	return TRUE;
}

void
vpnr_rules_free(VpnrRules *rules)
{
	if (rules == NULL)
		return;
	match_clear(&rules->include);
	match_clear(&rules->exclude);
	g_ptr_array_unref(rules->gateway_interfaces);
	g_array_unref(rules->gateway_networks);
	g_free(rules->table);
	g_free(rules);
}
