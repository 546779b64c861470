/* SPDX-License-Identifier: MIT
 *
 * rules: see rules.h.
 */
#include "client/rules.h"

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
