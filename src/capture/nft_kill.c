/* SPDX-License-Identifier: MIT
 *
 * nft_kill: see nft_kill.h.
 *
 * What decides is a chain behind everything that may still change a packet, which drops. A packet
 * that is dropped there has its application wait, so two others, at earlier places, refuse what
 * would come to that.
 */
#include "capture/nft_kill.h"

#include <string.h>

#include "capture/nft_write.h"

/* Behind NAT of the source, which is at 100, and of the destination, which is before that. */
#define PRIORITY "300"

/* What a host needs to have an address and neighbours: DHCP (RFC 2131, RFC 8415), neighbour
 * discovery (RFC 4861) and, so that switches let that through, the membership of its multicast
 * groups (RFC 3810). */
static void
add_network_itself(GString *text)
{
	vpnr_nft_line(text, "\tudp sport 68 udp dport 67 accept");
	vpnr_nft_line(text, "\tudp sport 546 udp dport 547 accept");
	vpnr_nft_line(text, "\ticmpv6 type { nd-router-solicit, nd-neighbor-solicit, "
			    "nd-neighbor-advert, mld-listener-report, mld2-listener-report, "
			    "mld-listener-done } accept");
}

static void
add_network_behind(GString *text, const VpnrRules *rules)
{
	vpnr_nft_interfaces(text, "oifname", rules->gateway_interfaces, "accept");
	if (vpnr_nft_has_family(rules->gateway_networks, VPNR_ADDR_IPV4))
		vpnr_nft_line(text, "\tip daddr @gateway_networks4 accept");
	if (vpnr_nft_has_family(rules->gateway_networks, VPNR_ADDR_IPV6))
		vpnr_nft_line(text, "\tip6 daddr @gateway_networks6 accept");
}

/* A name server in an excluded network is asked for names all over the world. */
static void
add_excluded(GString *text, const VpnrRules *rules)
{
	const VpnrRulesMatch *exclude = &rules->exclude;

	vpnr_nft_ids(text, "skuid", exclude->users, "accept");
	vpnr_nft_ids(text, "skgid", exclude->groups, "accept");
	if (exclude->ports->len > 0)
		vpnr_nft_line(text, "\tmeta l4proto { tcp, udp } th dport @exclude_ports accept");
	if (rules->dns)
		vpnr_nft_line(text, "\tmeta l4proto { tcp, udp } th dport 53 return");
	if (vpnr_nft_has_family(exclude->networks, VPNR_ADDR_IPV4))
		vpnr_nft_line(text, "\tip daddr @exclude_networks4 accept");
	if (vpnr_nft_has_family(exclude->networks, VPNR_ADDR_IPV6))
		vpnr_nft_line(text, "\tip6 daddr @exclude_networks6 accept");
}

static void
add_allowed(GString *text, const VpnrRules *rules)
{
	vpnr_nft_begin_chain(text, "allowed", "What may leave this host.");
	vpnr_nft_line(text, "\toifname \"lo\" accept");
	vpnr_nft_line(text, "\tmeta mark 0x%x accept", rules->link_mark);
	add_network_itself(text);
	add_network_behind(text, rules);
	add_excluded(text, rules);
	vpnr_nft_end_chain(text);
}

/* Here a packet that capture has led to this host still looks like one that leaves it. */
static void
add_refusals(GString *text, const VpnrRules *rules)
{
	vpnr_nft_begin_hook(text, "host", "Says no to this host at once.",
			    "filter hook output priority " PRIORITY);
	vpnr_nft_line(text, "\tjump allowed");
	vpnr_nft_line(text, "\tmeta mark 0x%x accept", rules->tproxy_mark);
	vpnr_nft_line(text, "\tfib daddr type local accept");
	vpnr_nft_line(text, "\tgoto refuse");
	vpnr_nft_end_chain(text);
	vpnr_nft_begin_hook(text, "forwarded", "Says no to those behind it at once.",
			    "filter hook forward priority " PRIORITY);
	vpnr_nft_line(text, "\tjump allowed");
	vpnr_nft_line(text, "\tgoto refuse");
	vpnr_nft_end_chain(text);
}

char *
vpnr_nft_kill_name(const VpnrRules *rules)
{
	return g_strconcat(rules->table, "-killswitch", NULL);
}

char *
vpnr_nft_kill_text(const VpnrRules *rules)
{
	g_autofree char *name = vpnr_nft_kill_name(rules);
	GString *text = g_string_new(NULL);

	g_string_append_printf(text, "table inet %s {\n", name);
	vpnr_nft_network_sets(text, "exclude", rules->exclude.networks);
	vpnr_nft_port_set(text, "exclude", rules->exclude.ports);
	vpnr_nft_network_sets(text, "gateway", rules->gateway_networks);
	add_allowed(text, rules);
	vpnr_nft_begin_chain(text, "refuse", "Said at once, so that nobody waits.");
	vpnr_nft_line(text, "\tmeta l4proto tcp reject with tcp reset");
	vpnr_nft_line(text, "\treject with icmpx admin-prohibited");
	vpnr_nft_end_chain(text);
	add_refusals(text, rules);
	vpnr_nft_begin_hook(text, "leaving", "What decides.",
			    "filter hook postrouting priority " PRIORITY);
	vpnr_nft_line(text, "\tjump allowed");
	vpnr_nft_line(text, "\tdrop");
	vpnr_nft_end_chain(text);
	g_string_append(text, "}\n");
	return g_string_free(text, FALSE);
}

/* --- what is there ---------------------------------------------------------------------------- */

/* In a chain; the line that says where the kernel calls it is none. */
static gboolean
is_rule(const char *line)
{
	return g_str_has_prefix(line, "\t\t") && line[2] != '\t' &&
	       !g_str_has_prefix(line, "\t\ttype ");
}

/* How many rules each chain has (char * to guint), in a text of ours or in what nft lists, whose
 * lines look the same (transfer full). */
static GHashTable *
count_rules(const char *text)
{
	GHashTable *counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autofree char *chain = NULL;
	guint n = 0;

	for (char **line = lines; *line != NULL; line++) {
		if (g_str_has_prefix(*line, "\tchain ")) {
			const char *name = *line + strlen("\tchain ");

			g_free(chain);
			chain = g_strndup(name, strcspn(name, " "));
			n = 0;
		} else if (chain != NULL && is_rule(*line)) {
			n++;
		} else if (chain != NULL && g_str_equal(*line, "\t}")) {
			g_hash_table_insert(counts, g_steal_pointer(&chain), GUINT_TO_POINTER(n));
		}
	}
	return counts;
}

VpnrKillSwitch
vpnr_nft_kill_find(const VpnrRules *rules, const char *listed)
{
	g_autofree char *text = vpnr_nft_kill_text(rules);
	g_autoptr(GHashTable) wanted = count_rules(text);
	g_autoptr(GHashTable) found = count_rules(listed);
	gboolean whole = TRUE;
	guint total = 0;
	GHashTableIter iter;
	gpointer chain, n_wanted;

	g_hash_table_iter_init(&iter, wanted);
	while (g_hash_table_iter_next(&iter, &chain, &n_wanted)) {
		gpointer n = g_hash_table_lookup(found, chain);

		total += GPOINTER_TO_UINT(n);
		whole = whole && (rules->kill_switch ? n == n_wanted : n != NULL);
	}
	if (total == 0)
		return VPNR_KILL_SWITCH_OFF;
	return whole ? VPNR_KILL_SWITCH_ON : VPNR_KILL_SWITCH_PART;
}
