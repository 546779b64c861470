/* SPDX-License-Identifier: MIT
 *
 * nft_capture: see nft_capture.h.
 *
 * In a regular chain "accept" ends the chain of the hook: the packet is left alone by us, and goes
 * on to everybody else's tables.
 */
#include "capture/nft_capture.h"

#include "capture/nft_write.h"

/* Before the NAT of others, which is at -100: whoever comes first has the connection. */
#define NAT_PRIORITY "-105"

/* --- what is left alone ----------------------------------------------------------------------- */

static void
add_cgroups(GString *text, const GPtrArray *cgroups, const char *verdict)
{
	for (guint i = 0; i < cgroups->len; i++) {
		const char *path = g_ptr_array_index(cgroups, i);
		guint level = 1;

		for (const char *c = path; *c != '\0'; c++)
			level += *c == '/';
		vpnr_nft_line(text, "\tsocket cgroupv2 level %u \"%s\" %s", level, path, verdict);
	}
}

static void
add_spare(GString *text, const VpnrRules *rules)
{
	vpnr_nft_begin_chain(text, "spare",
			     "Never captured, whoever sends it: the link, answers, this host.");
	vpnr_nft_line(text, "\tmeta mark 0x%x accept", rules->link_mark);
	vpnr_nft_line(text, "\tct direction reply accept");
	vpnr_nft_line(text, "\tmeta l4proto != { tcp, udp } accept");
	vpnr_nft_line(text, "\tfib daddr type { local, broadcast, anycast, multicast } accept");
	vpnr_nft_line(text, "\tip daddr { 0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/4, "
			    "255.255.255.255 } accept");
	vpnr_nft_line(text, "\tip6 daddr { ::, ::1, fe80::/10, ff00::/8 } accept");
	if (rules->exclude.ports->len > 0)
		vpnr_nft_line(text, "\tth dport @exclude_ports accept");
	vpnr_nft_end_chain(text);
}

static gboolean
has_processes(const VpnrRulesMatch *match)
{
	return match->users->len > 0 || match->groups->len > 0 || match->cgroups->len > 0;
}

static void
add_spare_processes(GString *text, const VpnrRules *rules)
{
	if (rules->include.cgroups->len > 0) {
		vpnr_nft_begin_chain(text, "spare_cgroups",
				     "Not captured: processes outside these.");
		add_cgroups(text, rules->include.cgroups, "return");
		vpnr_nft_line(text, "\taccept");
		vpnr_nft_end_chain(text);
	}
	vpnr_nft_begin_chain(text, "spare_processes",
			     "Not captured, because of the process that sends it.");
	vpnr_nft_ids(text, "skuid", rules->exclude.users, "accept");
	vpnr_nft_ids(text, "skgid", rules->exclude.groups, "accept");
	add_cgroups(text, rules->exclude.cgroups, "accept");
	vpnr_nft_ids(text, "skuid !=", rules->include.users, "accept");
	vpnr_nft_ids(text, "skgid !=", rules->include.groups, "accept");
	if (rules->include.cgroups->len > 0)
		vpnr_nft_line(text, "\tjump spare_cgroups");
	vpnr_nft_end_chain(text);
}

/* A family that include does not name is not included. */
static void
add_included(GString *text, const GArray *networks, VpnrAddrType type, const char *ip, char digit)
{
	if (networks->len == 0)
		return;
	if (vpnr_nft_has_family(networks, type))
		vpnr_nft_line(text, "\t%s daddr != @include_networks%c accept", ip, digit);
	else
		vpnr_nft_line(text, "\tmeta nfproto ipv%c accept", digit);
}

static void
add_excluded(GString *text, const GArray *networks)
{
	if (vpnr_nft_has_family(networks, VPNR_ADDR_IPV4))
		vpnr_nft_line(text, "\tip daddr @exclude_networks4 accept");
	if (vpnr_nft_has_family(networks, VPNR_ADDR_IPV6))
		vpnr_nft_line(text, "\tip6 daddr @exclude_networks6 accept");
}

static gboolean
has_destinations(const VpnrRules *rules)
{
	return rules->include.networks->len > 0 || rules->include.ports->len > 0 ||
	       rules->exclude.networks->len > 0;
}

static void
add_spare_destinations(GString *text, const VpnrRules *rules)
{
	vpnr_nft_begin_chain(text, "spare_destinations", "Not captured, because of where it goes.");
	add_excluded(text, rules->exclude.networks);
	add_included(text, rules->include.networks, VPNR_ADDR_IPV4, "ip", '4');
	add_included(text, rules->include.networks, VPNR_ADDR_IPV6, "ip6", '6');
	if (rules->include.ports->len > 0)
		vpnr_nft_line(text, "\tth dport != @include_ports accept");
	vpnr_nft_end_chain(text);
}

static void
add_spare_strangers(GString *text, const VpnrRules *rules)
{
	vpnr_nft_begin_chain(text, "spare_strangers",
			     "Not captured: what the network behind has not sent.");
	vpnr_nft_interfaces(text, "iifname", rules->gateway_interfaces, "return");
	if (vpnr_nft_has_family(rules->gateway_networks, VPNR_ADDR_IPV4))
		vpnr_nft_line(text, "\tip saddr @gateway_networks4 return");
	if (vpnr_nft_has_family(rules->gateway_networks, VPNR_ADDR_IPV6))
		vpnr_nft_line(text, "\tip6 saddr @gateway_networks6 return");
	vpnr_nft_line(text, "\taccept");
	vpnr_nft_end_chain(text);
}

/* --- what is captured, and how --------------------------------------------------------------- */

static void
add_refuse(GString *text)
{
	vpnr_nft_begin_chain(text, "refuse", "Not carried: said at once, so that nobody waits.");
	vpnr_nft_line(text, "\tmeta l4proto tcp reject with tcp reset");
	vpnr_nft_line(text, "\treject with icmpx port-unreachable");
	vpnr_nft_end_chain(text);
}

/* Only a connection's beginning: one that was there before would be broken, not captured. */
static void
add_redirect(GString *text, const VpnrRules *rules)
{
	static const char begins[] = "tcp flags & (fin | syn | rst | ack) == syn";

	vpnr_nft_begin_chain(text, "redirect_tcp", "To the client's listeners.");
	if (rules->port4 != 0)
		vpnr_nft_line(text, "\tmeta nfproto ipv4 %s redirect to :%u", begins, rules->port4);
	if (rules->port6 != 0)
		vpnr_nft_line(text, "\tmeta nfproto ipv6 %s redirect to :%u", begins, rules->port6);
	vpnr_nft_end_chain(text);
}

static void
add_divert(GString *text, const VpnrRules *rules)
{
	vpnr_nft_begin_chain(text, "divert",
			     "By the routing rule for this mark back in through lo.");
	if (rules->port4 != 0)
		vpnr_nft_line(text, "\tmeta nfproto ipv4 meta mark set 0x%x accept",
			      rules->tproxy_mark);
	if (rules->port6 != 0)
		vpnr_nft_line(text, "\tmeta nfproto ipv6 meta mark set 0x%x accept",
			      rules->tproxy_mark);
	vpnr_nft_line(text, "\tgoto refuse");
	vpnr_nft_end_chain(text);
}

/* The mark of what comes from a network behind is set here, and has it routed to this host. */
static void
add_deliver(GString *text, const VpnrRules *rules)
{
	vpnr_nft_begin_chain(text, "deliver", "To the client's transparent sockets.");
	if (rules->port4 != 0)
		vpnr_nft_line(text,
			      "\tmeta nfproto ipv4 meta l4proto { tcp, udp } meta mark set 0x%x "
			      "tproxy ip to 127.0.0.1:%u accept",
			      rules->tproxy_mark, rules->port4);
	if (rules->port6 != 0)
		vpnr_nft_line(text,
			      "\tmeta nfproto ipv6 meta l4proto { tcp, udp } meta mark set 0x%x "
			      "tproxy ip6 to [::1]:%u accept",
			      rules->tproxy_mark, rules->port6);
	if (rules->port4 == 0)
		vpnr_nft_line(text, "\tmeta nfproto ipv4 goto refuse");
	if (rules->port6 == 0)
		vpnr_nft_line(text, "\tmeta nfproto ipv6 goto refuse");
	vpnr_nft_end_chain(text);
}

/* Connection tracking may have forgotten who has begun before the flow ends, and would then take
 * what it answers for a beginning, and what the application sends next for an answer. */
static void
add_answers(GString *text, const VpnrRules *rules)
{
	vpnr_nft_begin_hook(text, "answers", "What flows answer begins nothing.",
			    "filter hook output priority raw");
	vpnr_nft_line(text, "\tmeta mark 0x%x meta l4proto udp fib saddr type != local notrack",
		      rules->link_mark);
	vpnr_nft_end_chain(text);
}

/* Refuses TCP, or TCP to one port, of the family that nobody listens for. */
static void
add_unserved(GString *text, const VpnrRules *rules, const char *match)
{
	if (rules->port4 == 0)
		vpnr_nft_line(text, "\tmeta nfproto ipv4 %s goto refuse", match);
	if (rules->port6 == 0)
		vpnr_nft_line(text, "\tmeta nfproto ipv6 %s goto refuse", match);
}

/* The part that the host's packets and those from behind have in common; to is "divert" or
 * "deliver". Questions for names are captured whatever server they go to. */
static void
add_choice(GString *text, const VpnrRules *rules, const char *to)
{
	gboolean tproxy = rules->mode == VPNR_CAPTURE_TPROXY;

	if (rules->dns)
		vpnr_nft_line(text, "\tudp dport 53 goto %s", to);
	if (rules->dns && tproxy)
		vpnr_nft_line(text, "\ttcp dport 53 goto %s", to);
	if (rules->dns && !tproxy)
		add_unserved(text, rules, "tcp dport 53");
	if (has_destinations(rules))
		vpnr_nft_line(text, "\tjump spare_destinations");
	if (!rules->udp)
		vpnr_nft_line(text, "\tudp dport 443 goto refuse");
	if (!tproxy)
		add_unserved(text, rules, "meta l4proto tcp");
	else if (rules->udp)
		vpnr_nft_line(text, "\tgoto %s", to);
	else
		vpnr_nft_line(text, "\tmeta l4proto tcp goto %s", to);
}

static void
add_tcp_choice(GString *text, const VpnrRules *rules)
{
	vpnr_nft_line(text, "\tmeta l4proto udp accept");
	if (rules->dns)
		vpnr_nft_line(text, "\ttcp dport 53 goto redirect_tcp");
	if (has_destinations(rules))
		vpnr_nft_line(text, "\tjump spare_destinations");
	vpnr_nft_line(text, "\tgoto redirect_tcp");
}

static void
add_jumps_to_spare(GString *text, gboolean by_process)
{
	vpnr_nft_line(text, "\tjump spare");
	if (by_process)
		vpnr_nft_line(text, "\tjump spare_processes");
}

/* The kernel would answer for a socket that is closed by now, and its error would go to the
 * destination, beside the tunnel. */
static void
add_late(GString *text, const VpnrRules *rules)
{
	vpnr_nft_begin_hook(text, "late", "What flows answer and nobody waits for any more.",
			    "filter hook input priority mangle");
	vpnr_nft_line(text, "\tiifname != \"lo\" accept");
	vpnr_nft_line(text, "\tmeta mark != 0x%x accept", rules->link_mark);
	vpnr_nft_line(text, "\tmeta l4proto != udp accept");
	vpnr_nft_line(text, "\tsocket wildcard { 0, 1 } accept");
	vpnr_nft_line(text, "\tfib saddr type != local drop");
	vpnr_nft_end_chain(text);
}

/* What a socket that is bound to an interface (SO_BINDTODEVICE) sends keeps to it, whatever its
 * mark or new destination says, and such a socket would not take an answer that comes by lo. */
static void
add_bound(GString *text, const VpnrRules *rules)
{
	vpnr_nft_begin_hook(text, "bound", "What was captured, but does not leave its interface.",
			    "filter hook postrouting priority mangle");
	vpnr_nft_line(text, "\toifname \"lo\" accept");
	if (vpnr_rules_need_routing(rules))
		vpnr_nft_line(text, "\tmeta mark 0x%x drop", rules->tproxy_mark);
	if (rules->mode == VPNR_CAPTURE_REDIRECT && rules->port4 != 0)
		vpnr_nft_line(text, "\tip daddr 127.0.0.0/8 drop");
	if (rules->mode == VPNR_CAPTURE_REDIRECT && rules->port6 != 0)
		vpnr_nft_line(text, "\tip6 daddr ::1 drop");
	vpnr_nft_end_chain(text);
}

/* What comes to a port without a socket would be answered by the kernel, and still count as the
 * beginning of a connection: what an application sent from that port to that address, within 30 s,
 * would be an answer to it, and not be captured. Others' own ways to take packets come first. */
static void
add_uninvited(GString *text)
{
	vpnr_nft_begin_hook(text, "uninvited", "What nobody waits for begins nothing.",
			    "filter hook input priority 250");
	vpnr_nft_line(text, "\tiifname \"lo\" accept");
	vpnr_nft_line(text, "\tct state != new accept");
	vpnr_nft_line(text, "\tmeta l4proto != { tcp, udp } accept");
	vpnr_nft_line(text, "\tfib daddr type != local accept");
	vpnr_nft_line(text, "\tsocket transparent { 0, 1 } accept");
	vpnr_nft_line(text, "\tgoto refuse");
	vpnr_nft_end_chain(text);
}

/* Without them some of what this host sends would get out although it is captured. */
static void
add_guards(GString *text, const VpnrRules *rules)
{
	if (vpnr_rules_have_flows(rules))
		add_late(text, rules);
	add_bound(text, rules);
	add_uninvited(text);
}

static void
add_host(GString *text, const VpnrRules *rules)
{
	gboolean by_process = has_processes(&rules->include) || has_processes(&rules->exclude);

	if (by_process)
		add_spare_processes(text, rules);
	vpnr_nft_begin_hook(text, "host", "What this host sends.",
			    "route hook output priority mangle");
	add_jumps_to_spare(text, by_process);
	add_choice(text, rules, "divert");
	vpnr_nft_end_chain(text);
	if (rules->mode != VPNR_CAPTURE_REDIRECT)
		return;
	vpnr_nft_begin_hook(text, "host_tcp", "The TCP connections of this host.",
			    "nat hook output priority " NAT_PRIORITY);
	add_jumps_to_spare(text, by_process);
	add_tcp_choice(text, rules);
	vpnr_nft_end_chain(text);
}

/* What is wrong with a flow's answer is for the flow, not for the destination in whose name it was
 * sent. The kernel finds the socket by the datagram that the error quotes. */
static void
add_errors(GString *text, const VpnrRules *rules)
{
	vpnr_nft_line(text,
		      "\tmeta l4proto { icmp, ipv6-icmp } socket transparent 1 meta mark set 0x%x "
		      "accept",
		      rules->tproxy_mark);
}

static void
add_incoming(GString *text, const VpnrRules *rules)
{
	vpnr_nft_begin_hook(text, "incoming",
			    "What comes in: diverted by this host, or from behind it.",
			    "filter hook prerouting priority mangle");
	if (vpnr_rules_need_routing(rules))
		vpnr_nft_line(text, "\tiifname \"lo\" meta mark 0x%x goto deliver",
			      rules->tproxy_mark);
	if (vpnr_rules_has_gateway(rules)) {
		vpnr_nft_line(text, "\tiifname \"lo\" accept");
		vpnr_nft_line(text, "\tjump spare_strangers");
		if (vpnr_rules_have_flows(rules))
			add_errors(text, rules);
		vpnr_nft_line(text, "\tjump spare");
		add_choice(text, rules, "deliver");
	}
	vpnr_nft_end_chain(text);
}

static void
add_gateway_tcp(GString *text, const VpnrRules *rules)
{
	vpnr_nft_begin_hook(text, "gateway_tcp", "TCP connections from behind this host.",
			    "nat hook prerouting priority " NAT_PRIORITY);
	vpnr_nft_line(text, "\tiifname \"lo\" accept");
	vpnr_nft_line(text, "\tjump spare_strangers");
	vpnr_nft_line(text, "\tjump spare");
	add_tcp_choice(text, rules);
	vpnr_nft_end_chain(text);
}

char *
vpnr_nft_capture_text(const VpnrRules *rules)
{
	GString *text = g_string_new(NULL);
	gboolean redirect = rules->mode == VPNR_CAPTURE_REDIRECT;
	gboolean gateway = vpnr_rules_has_gateway(rules);
	gboolean routed = vpnr_rules_need_routing(rules);

	g_string_append_printf(text, "table inet %s {\n\tflags owner\n", rules->table);
	vpnr_nft_network_sets(text, "include", rules->include.networks);
	vpnr_nft_network_sets(text, "exclude", rules->exclude.networks);
	vpnr_nft_port_set(text, "include", rules->include.ports);
	vpnr_nft_port_set(text, "exclude", rules->exclude.ports);
	vpnr_nft_network_sets(text, "gateway", rules->gateway_networks);
	add_spare(text, rules);
	if (has_destinations(rules))
		add_spare_destinations(text, rules);
	add_refuse(text);
	if (redirect)
		add_redirect(text, rules);
	if (routed) {
		add_divert(text, rules);
		add_deliver(text, rules);
	}
	if (vpnr_rules_have_flows(rules))
		add_answers(text, rules);
	if (rules->host) {
		add_host(text, rules);
		add_guards(text, rules);
	}
	if (gateway)
		add_spare_strangers(text, rules);
	if (gateway || routed)
		add_incoming(text, rules);
	if (gateway && redirect)
		add_gateway_tcp(text, rules);
	g_string_append(text, "}\n");
	return g_string_free(text, FALSE);
}
