/* SPDX-License-Identifier: MIT
 *
 * iptables_kill: see iptables_kill.h.
 */
#include "capture/iptables_kill.h"

#include <sys/socket.h>

#include "capture/iptables_match.h"

/* One of our chains: "TABLE/kill.out" in the filter table for example. */
typedef struct {
	const VpnrRules *rules;
	int family;
	VpnrIptablesScript *script;
	VpnrIptablesTable table;
	const char *chain;
} Chain;

static void
add_chain(const Chain *chain)
{
	vpnr_iptables_script_chain(chain->script, chain->table, "%s/kill.%s", chain->rules->table,
				   chain->chain);
}

static void
add_rule(const Chain *chain, const char *options, const char *target)
{
	vpnr_iptables_script_rule(chain->script, chain->table, "-A %s/kill.%s %s%s%s",
				  chain->rules->table, chain->chain, options,
				  *options != '\0' ? " " : "", target);
}

static void
add_jump(const Chain *chain, const char *hook)
{
	vpnr_iptables_script_rule(chain->script, chain->table, "-I %s -j %s/kill.%s", hook,
				  chain->rules->table, chain->chain);
}

/* Refuses, or drops, and does not come back. */
static void
add_no(const Chain *chain, const char *options)
{
	g_autofree char *target = g_strdup_printf("-g %s/kill.no", chain->rules->table);

	add_rule(chain, options, target);
}

static void
allow(const Chain *chain, const char *options)
{
	add_rule(chain, options, "-j RETURN");
}

static void
allow_mark(const Chain *chain, guint32 mark)
{
	g_autofree char *options = g_strdup_printf("-m mark --mark 0x%x", mark);

	allow(chain, options);
}

/* What a host needs to have an address and neighbours: DHCP (RFC 2131, RFC 8415), neighbour
 * discovery (RFC 4861) and, so that switches let that through, the membership of its multicast
 * groups (RFC 2710, RFC 3810). */
static void
allow_network_itself(const Chain *chain)
{
	static const char *const icmp6_types[] = { "131", "132", "133", "135", "136", "143", NULL };

	if (chain->family == AF_INET) {
		allow(chain, "-p udp --sport 68 --dport 67");
		return;
	}
	allow(chain, "-p udp --sport 546 --dport 547");
	for (const char *const *type = icmp6_types; *type != NULL; type++) {
		g_autofree char *options =
		    g_strconcat("-p ipv6-icmp -m icmp6 --icmpv6-type ", *type, NULL);

		allow(chain, options);
	}
}

static void
allow_all(const Chain *chain, const GPtrArray *options)
{
	for (guint i = 0; i < options->len; i++)
		allow(chain, g_ptr_array_index(options, i));
}

static void
allow_network_behind(const Chain *chain)
{
	g_autoptr(GPtrArray) options = g_ptr_array_new_with_free_func(g_free);

	vpnr_iptables_match_interfaces(options, "-o", chain->rules->gateway_interfaces);
	vpnr_iptables_match_networks(options, "-d", chain->rules->gateway_networks, chain->family);
	allow_all(chain, options);
}

static void
allow_kind(const Chain *chain, VpnrIptablesKind kind)
{
	g_autoptr(GPtrArray) options =
	    vpnr_iptables_match_options(&chain->rules->exclude, kind, chain->family);

	allow_all(chain, options);
}

/* A name server in an excluded network is asked for names all over the world. */
static void
allow_excluded(const Chain *chain, gboolean host)
{
	if (host) {
		allow_kind(chain, VPNR_IPTABLES_USERS);
		allow_kind(chain, VPNR_IPTABLES_GROUPS);
	}
	allow_kind(chain, VPNR_IPTABLES_PORTS);
	if (chain->rules->dns) {
		add_no(chain, "-p udp --dport 53");
		add_no(chain, "-p tcp --dport 53");
	}
	allow_kind(chain, VPNR_IPTABLES_NETWORKS);
}

static void
add_decision(const Chain *chain, gboolean host)
{
	allow(chain, "-o lo");
	allow_mark(chain, chain->rules->link_mark);
	allow_network_itself(chain);
	allow_network_behind(chain);
	allow_excluded(chain, host);
	add_no(chain, "");
}

/* The kernel takes no question about processes in a chain that forwarded packets can come to from
 * their own hook. */
static void
add_filter(const VpnrRules *rules, int family, VpnrIptablesScript *script)
{
	Chain out = { rules, family, script, VPNR_IPTABLES_FILTER, "out" };
	Chain fwd = { rules, family, script, VPNR_IPTABLES_FILTER, "fwd" };
	Chain no = { rules, family, script, VPNR_IPTABLES_FILTER, "no" };

	add_chain(&no);
	add_rule(&no, "-p tcp", "-j REJECT --reject-with tcp-reset");
	add_rule(&no, "",
		 family == AF_INET ? "-j REJECT --reject-with icmp-admin-prohibited"
				   : "-j REJECT --reject-with icmp6-adm-prohibited");
	add_chain(&out);
	allow_mark(&out, rules->tproxy_mark);
	allow(&out, "-m addrtype --dst-type LOCAL");
	add_decision(&out, TRUE);
	add_jump(&out, "OUTPUT");
	add_chain(&fwd);
	add_decision(&fwd, FALSE);
	add_jump(&fwd, "FORWARD");
}

static void
add_mangle(const VpnrRules *rules, int family, VpnrIptablesScript *script)
{
	Chain out = { rules, family, script, VPNR_IPTABLES_MANGLE, "out" };
	Chain no = { rules, family, script, VPNR_IPTABLES_MANGLE, "no" };

	add_chain(&no);
	add_rule(&no, "", "-j DROP");
	add_chain(&out);
	add_decision(&out, TRUE);
	add_jump(&out, "POSTROUTING");
}

VpnrIptablesScript *
vpnr_iptables_kill(const VpnrRules *rules, int family)
{
	VpnrIptablesScript *script = vpnr_iptables_script_new();

	add_mangle(rules, family, script);
	add_filter(rules, family, script);
	return script;
}

char *
vpnr_iptables_kill_names(const VpnrRules *rules)
{
	return g_strdup_printf("%s/kill.*", rules->table);
}
