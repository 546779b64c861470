/* SPDX-License-Identifier: MIT
 *
 * iptables_guard: see iptables_guard.h. Each guard is a chain of its own, and the jumps to it.
 */
#include "capture/iptables_guard.h"

#include <sys/socket.h>

#include "capture/iptables_match.h"

typedef struct {
	const VpnrRules *rules;
	VpnrIptablesScript *script;
	VpnrIptablesTable table;
	const char *hook;
	const char *chain; /* without the table's name */
} Guard;

static void
add_chain(const Guard *guard)
{
	vpnr_iptables_script_chain(guard->script, guard->table, "%s.%s", guard->rules->table,
				   guard->chain);
}

static void
add_rule(const Guard *guard, const char *rule)
{
	vpnr_iptables_script_rule(guard->script, guard->table, "-A %s.%s %s", guard->rules->table,
				  guard->chain, rule);
}

static void
add_jump(const Guard *guard, const char *options)
{
	vpnr_iptables_script_rule(guard->script, guard->table, "-I %s %s -j %s.%s", guard->hook,
				  options, guard->rules->table, guard->chain);
}

/* What flows answer begins nothing. Connection tracking may have forgotten who has begun before the
 * flow ends, and would then take it for a beginning, and what the application sends next for an
 * answer. */
static void
add_answers(VpnrIptablesScript *script, const VpnrRules *rules)
{
	Guard own = { rules, script, VPNR_IPTABLES_RAW, "OUTPUT", "own" };
	g_autofree char *rule =
	    g_strdup_printf("-m mark --mark 0x%x -m addrtype ! --src-type LOCAL -j CT --notrack",
			    rules->link_mark);

	add_chain(&own);
	add_rule(&own, rule);
	add_jump(&own, "-p udp");
}

/* What flows answer and nobody waits for any more: the kernel would answer for a socket that is
 * closed by now, and its error would go to the destination, beside the tunnel. */
static void
add_late(VpnrIptablesScript *script, const VpnrRules *rules)
{
	Guard late = { rules, script, VPNR_IPTABLES_MANGLE, "INPUT", "late" };
	g_autofree char *answers =
	    g_strdup_printf("-i lo -m mark --mark 0x%x -p udp", rules->link_mark);

	add_chain(&late);
	add_rule(&late, "-m socket --nowildcard -j RETURN");
	add_rule(&late, "-m addrtype ! --src-type LOCAL -j DROP");
	add_jump(&late, answers);
}

/* What is wrong with a flow's answer to the network behind is for the flow, not for the destination
 * in whose name it was sent. The kernel finds the socket by the datagram that the error quotes. */
static void
add_errors(VpnrIptablesScript *script, const VpnrRules *rules, int family)
{
	Guard errors = { rules, script, VPNR_IPTABLES_MANGLE, "PREROUTING", "err" };
	g_autoptr(GPtrArray) sources = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *rule =
	    g_strdup_printf("-m socket --transparent -j MARK --set-mark 0x%x", rules->tproxy_mark);

	add_chain(&errors);
	add_rule(&errors, rule);
	vpnr_iptables_match_interfaces(sources, "-i", rules->gateway_interfaces);
	vpnr_iptables_match_networks(sources, "! -i lo -s", rules->gateway_networks, family);
	for (guint i = 0; i < sources->len; i++) {
		g_autofree char *options =
		    g_strdup_printf("%s -p %s", (const char *)g_ptr_array_index(sources, i),
				    family == AF_INET ? "icmp" : "ipv6-icmp");

		add_jump(&errors, options);
	}
}

/* What a socket that is bound to an interface (SO_BINDTODEVICE) sends keeps to it, whatever its
 * mark or new destination says, and such a socket would not take an answer that comes by lo. */
static void
add_bound(VpnrIptablesScript *script, const VpnrRules *rules, int family)
{
	Guard bound = { rules, script, VPNR_IPTABLES_MANGLE, "POSTROUTING", "bound" };
	g_autofree char *marked =
	    g_strdup_printf("-m mark --mark 0x%x -j DROP", rules->tproxy_mark);

	add_chain(&bound);
	if (vpnr_rules_need_routing(rules))
		add_rule(&bound, marked);
	if (rules->mode == VPNR_CAPTURE_REDIRECT)
		add_rule(&bound, family == AF_INET ? "-d 127.0.0.0/8 -j DROP" : "-d ::1 -j DROP");
	add_jump(&bound, "! -o lo -p tcp");
	if (vpnr_rules_have_flows(rules))
		add_jump(&bound, "! -o lo -p udp");
}

/* What comes to a port without a socket would be answered by the kernel, and still count as the
 * beginning of a connection: what an application sent from that port to that address, within 30 s,
 * would be an answer to it, and not be captured. It is dropped, since only the filter table could
 * say no, and there before the rules of others. */
static void
add_uninvited(VpnrIptablesScript *script, const VpnrRules *rules)
{
	Guard in = { rules, script, VPNR_IPTABLES_MANGLE, "INPUT", "in" };

	add_chain(&in);
	add_rule(&in, "-m addrtype ! --dst-type LOCAL -j RETURN");
	add_rule(&in, "-m socket --nowildcard -j RETURN");
	add_rule(&in, "-j DROP");
	add_jump(&in, "! -i lo -m conntrack --ctstate NEW -p tcp");
	add_jump(&in, "! -i lo -m conntrack --ctstate NEW -p udp");
}

static void
add_for_flows(VpnrIptablesScript *script, const VpnrRules *rules, int family)
{
	add_answers(script, rules);
	if (vpnr_rules_has_gateway(rules))
		add_errors(script, rules, family);
	if (rules->host)
		add_late(script, rules);
}

void
vpnr_iptables_guard(VpnrIptablesScript *script, const VpnrRules *rules, int family)
{
	gboolean served = (family == AF_INET ? rules->port4 : rules->port6) != 0;

	if (served && vpnr_rules_have_flows(rules))
		add_for_flows(script, rules, family);
	if (served && rules->host)
		add_bound(script, rules, family);
	if (rules->host)
		add_uninvited(script, rules);
}
