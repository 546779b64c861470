/* SPDX-License-Identifier: MIT
 *
 * iptables_capture: see iptables_capture.h.
 */
#include "capture/iptables_capture.h"

#include <sys/socket.h>

#include "capture/iptables_guard.h"
#include "capture/iptables_match.h"

/* Short names for what stands in almost every line here. */
enum {
	NETWORKS = VPNR_IPTABLES_NETWORKS,
	PORTS = VPNR_IPTABLES_PORTS,
	USERS = VPNR_IPTABLES_USERS,
	KINDS = VPNR_IPTABLES_KINDS,
};

/* Parts of the names of chains. */
static const char *const kind_names[KINDS] = { "net", "port", "user", "group", "cgroup" };

/* What is done to packets of one kind. */
typedef struct {
	const char *match;  /* one of those below */
	const char *action; /* lives as long as the hook */
} Target;

static const char any_tcp[] = "-p tcp";
static const char new_tcp[] = "-p tcp --syn"; /* what was there before is left alone, not broken */
static const char any_udp[] = "-p udp";
static const char udp_dns[] = "-p udp --dport 53";
static const char udp_quic[] = "-p udp --dport 443";

/* The chains for one hook of one table. */
typedef struct {
	const VpnrRules *rules;
	int family;
	VpnrIptablesScript *script;
	VpnrIptablesTable table;
	const char *hook;
	const char *chain; /* the first one, without the table's name */
	gboolean host;     /* what this host sends; otherwise: what comes from behind it */
	Target targets[3];
	guint n_targets;
} Hook;

/* --- lines ------------------------------------------------------------------------------------ */

/* "TABLE.out" of the first chain, which has an empty name, and "TABLE.out.net" of others (transfer
 * full). */
static char *
full_name(const Hook *hook, const char *chain)
{
	return g_strconcat(hook->rules->table, ".", hook->chain, *chain != '\0' ? "." : "", chain,
			   NULL);
}

static void
add_chain(const Hook *hook, const char *chain)
{
	g_autofree char *name = full_name(hook, chain);

	vpnr_iptables_script_chain(hook->script, hook->table, "%s", name);
}

static void
add_rule(const Hook *hook, const char *chain, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void
add_rule(const Hook *hook, const char *chain, const char *format, ...)
{
	g_autofree char *name = full_name(hook, chain);
	g_autofree char *rule = NULL;
	va_list args;

	va_start(args, format);
	rule = g_strdup_vprintf(format, args);
	va_end(args);
	vpnr_iptables_script_rule(hook->script, hook->table, "-A %s %s", name, rule);
}

/* --- chains ----------------------------------------------------------------------------------- */

/* What is never captured, whoever sends it. NAT is not asked about answers; in other tables, those
 * of transparent sockets to the network behind this host come along. */
static void
add_never(const Hook *hook)
{
	static const char *const never4[] = { "0.0.0.0/8",   "127.0.0.0/8",     "169.254.0.0/16",
					      "224.0.0.0/4", "255.255.255.255", NULL };
	static const char *const never6[] = { "::", "::1", "fe80::/10", "ff00::/8", NULL };

	add_rule(hook, "", "-m mark --mark 0x%x -j RETURN", hook->rules->link_mark);
	if (hook->table != VPNR_IPTABLES_NAT)
		add_rule(hook, "", "-m conntrack --ctdir REPLY -j RETURN");
	for (const char *const *network = hook->family == AF_INET ? never4 : never6;
	     *network != NULL; network++)
		add_rule(hook, "", "-d %s -j RETURN", *network);
	add_rule(hook, "", "-m addrtype --dst-type LOCAL -j RETURN");
	add_rule(hook, "", "-m addrtype --dst-type ANYCAST -j RETURN");
	if (hook->family == AF_INET) /* IPv6 has none */
		add_rule(hook, "", "-m addrtype --dst-type BROADCAST -j RETURN");
}

/* The end of the kinds that a packet of this hook can have. */
static guint
kinds_end(const Hook *hook)
{
	return hook->host ? KINDS : USERS;
}

static gboolean
has_target(const Hook *hook, const char *match)
{
	for (guint i = 0; i < hook->n_targets; i++)
		if (hook->targets[i].match == match)
			return TRUE;
	return FALSE;
}

/* Questions for names are chosen whatever server they go to. */
static gboolean
is_only_dns(const Hook *hook)
{
	return hook->n_targets == 1 && has_target(hook, udp_dns);
}

static void
add_excludes(const Hook *hook, guint first, guint end)
{
	for (guint kind = first; kind < end; kind++) {
		g_autoptr(GPtrArray) options =
		    vpnr_iptables_match_options(&hook->rules->exclude, kind, hook->family);

		for (guint i = 0; i < options->len; i++)
			add_rule(hook, "", "%s -j RETURN",
				 (const char *)g_ptr_array_index(options, i));
	}
}

/* Leads what meets the options to the chain of the first kind from this one on that there is
 * anything to include by. */
static void
add_go(const Hook *hook, const char *chain, const char *options, guint kind)
{
	g_autofree char *name = NULL;

	while (kind < kinds_end(hook) && !vpnr_iptables_match_has(&hook->rules->include, kind))
		kind++;
	name = full_name(hook, kind < kinds_end(hook) ? kind_names[kind] : "do");
	add_rule(hook, chain, "%s%s-g %s", options, *options != '\0' ? " " : "", name);
}

static void
add_includes(const Hook *hook)
{
	for (guint kind = is_only_dns(hook) ? USERS : NETWORKS; kind < kinds_end(hook); kind++) {
		g_autoptr(GPtrArray) options =
		    vpnr_iptables_match_options(&hook->rules->include, kind, hook->family);

		if (!vpnr_iptables_match_has(&hook->rules->include, kind))
			continue;
		add_chain(hook, kind_names[kind]);
		for (guint i = 0; i < options->len; i++)
			add_go(hook, kind_names[kind], g_ptr_array_index(options, i), kind + 1);
	}
}

static void
add_dns(const Hook *hook)
{
	if (!hook->rules->dns)
		return;
	if (has_target(hook, any_udp) || has_target(hook, udp_dns))
		add_go(hook, "", "-p udp --dport 53", USERS);
	if (has_target(hook, any_tcp) || has_target(hook, new_tcp))
		add_go(hook, "", "-p tcp --dport 53", USERS);
}

static void
add_first_chain(const Hook *hook)
{
	add_chain(hook, "");
	add_never(hook);
	add_excludes(hook, PORTS, kinds_end(hook));
	add_dns(hook);
	if (is_only_dns(hook))
		return;
	add_excludes(hook, NETWORKS, PORTS);
	add_go(hook, "", "", NETWORKS);
}

static void
add_last_chain(const Hook *hook)
{
	add_chain(hook, "do");
	for (guint i = 0; i < hook->n_targets; i++)
		add_rule(hook, "do", "%s -j %s", hook->targets[i].match, hook->targets[i].action);
}

/* The rules that lead from the kernel's chain into ours, for what meets the options. */
static void
add_jumps(const Hook *hook, const char *options)
{
	g_autofree char *name = full_name(hook, "");

	for (guint i = 0; i < hook->n_targets; i++)
		vpnr_iptables_script_rule(hook->script, hook->table, "-I %s %s%s%s -j %s",
					  hook->hook, options, *options != '\0' ? " " : "",
					  hook->targets[i].match, name);
}

static void
add_jumps_from_behind(const Hook *hook)
{
	g_autoptr(GPtrArray) sources = g_ptr_array_new_with_free_func(g_free);

	vpnr_iptables_match_interfaces(sources, "-i", hook->rules->gateway_interfaces);
	vpnr_iptables_match_networks(sources, "! -i lo -s", hook->rules->gateway_networks,
				     hook->family);
	for (guint i = 0; i < sources->len; i++)
		add_jumps(hook, g_ptr_array_index(sources, i));
}

static void
add_hook(const Hook *hook)
{
	if (hook->n_targets == 0)
		return;
	if (hook->host ? !hook->rules->host : !vpnr_rules_has_gateway(hook->rules))
		return;
	add_first_chain(hook);
	add_includes(hook);
	add_last_chain(hook);
	if (hook->host)
		add_jumps(hook, "");
	else
		add_jumps_from_behind(hook);
}

/* --- tables ----------------------------------------------------------------------------------- */

/* The port of the listeners, or 0. */
static guint16
port_of(const VpnrRules *rules, int family)
{
	return family == AF_INET ? rules->port4 : rules->port6;
}

static gboolean
carries_udp(const VpnrRules *rules)
{
	return rules->mode == VPNR_CAPTURE_TPROXY && rules->udp;
}

static void
add_target(Hook *hook, const char *match, const char *action)
{
	hook->targets[hook->n_targets++] = (Target){ match, action };
}

/* What goes to transparent sockets. */
static void
add_transparent(Hook *hook, const char *action)
{
	if (hook->rules->mode == VPNR_CAPTURE_TPROXY)
		add_target(hook, any_tcp, action);
	if (carries_udp(hook->rules))
		add_target(hook, any_udp, action);
	else if (hook->rules->dns)
		add_target(hook, udp_dns, action);
}

/* What this host sends gets the mark, is routed anew because of it, and comes back in through lo:
 * there it has been chosen already. */
static void
add_mangle(VpnrIptablesScript *script, const VpnrRules *rules, int family)
{
	g_autofree char *mark = g_strdup_printf("MARK --set-mark 0x%x", rules->tproxy_mark);
	g_autofree char *tproxy =
	    g_strdup_printf("TPROXY --on-ip %s --on-port %u --tproxy-mark 0x%x",
			    family == AF_INET ? "127.0.0.1" : "::1", port_of(rules, family),
			    rules->tproxy_mark);
	Hook out = { rules, family, script, VPNR_IPTABLES_MANGLE, "OUTPUT", "out", TRUE };
	Hook pre = { rules, family, script, VPNR_IPTABLES_MANGLE, "PREROUTING", "pre", FALSE };
	Hook lo = { rules, family, script, VPNR_IPTABLES_MANGLE, "PREROUTING", "lo", FALSE };

	add_transparent(&out, mark);
	add_transparent(&pre, tproxy);
	add_transparent(&lo, tproxy);
	add_hook(&out);
	add_hook(&pre);
	if (!rules->host || lo.n_targets == 0)
		return;
	g_autofree char *marked = g_strdup_printf("-i lo -m mark --mark 0x%x", rules->tproxy_mark);
	add_chain(&lo, "");
	for (guint i = 0; i < lo.n_targets; i++)
		add_rule(&lo, "", "%s -j %s", lo.targets[i].match, lo.targets[i].action);
	add_jumps(&lo, marked);
}

static void
add_nat(VpnrIptablesScript *script, const VpnrRules *rules, int family)
{
	g_autofree char *redirect =
	    g_strdup_printf("REDIRECT --to-ports %u", port_of(rules, family));
	Hook out = { rules, family, script, VPNR_IPTABLES_NAT, "OUTPUT", "out", TRUE };
	Hook pre = { rules, family, script, VPNR_IPTABLES_NAT, "PREROUTING", "pre", FALSE };

	add_target(&out, new_tcp, redirect);
	add_target(&pre, new_tcp, redirect);
	add_hook(&out);
	add_hook(&pre);
}

/* What is not carried: QUIC, so that browsers fall back to TCP at once, and what has a family that
 * nobody listens for. */
static void
add_refused(Hook *hook)
{
	const char *icmp = hook->family == AF_INET ? "REJECT --reject-with icmp-port-unreachable"
						   : "REJECT --reject-with icmp6-port-unreachable";

	if (port_of(hook->rules, hook->family) == 0) {
		add_target(hook, any_tcp, "REJECT --reject-with tcp-reset");
		if (carries_udp(hook->rules))
			add_target(hook, any_udp, icmp);
		else if (hook->rules->dns)
			add_target(hook, udp_dns, icmp);
	}
	if (!carries_udp(hook->rules))
		add_target(hook, udp_quic, icmp);
}

static void
add_filter(VpnrIptablesScript *script, const VpnrRules *rules, int family)
{
	Hook out = { rules, family, script, VPNR_IPTABLES_FILTER, "OUTPUT", "out", TRUE };
	Hook fwd = { rules, family, script, VPNR_IPTABLES_FILTER, "FORWARD", "fwd", FALSE };

	add_refused(&out);
	add_refused(&fwd);
	add_hook(&out);
	add_hook(&fwd);
}

VpnrIptablesScript *
vpnr_iptables_capture(const VpnrRules *rules, int family)
{
	VpnrIptablesScript *script = vpnr_iptables_script_new();

	if (rules->mode == VPNR_CAPTURE_OFF)
		return script;
	vpnr_iptables_guard(script, rules, family);
	if (port_of(rules, family) != 0)
		add_mangle(script, rules, family);
	if (port_of(rules, family) != 0 && rules->mode == VPNR_CAPTURE_REDIRECT)
		add_nat(script, rules, family);
	add_filter(script, rules, family);
	return script;
}

char *
vpnr_iptables_capture_names(const VpnrRules *rules)
{
	return g_strdup_printf("%s.*", rules->table);
}
