/* SPDX-License-Identifier: MIT
 *
 * nft_write: see nft_write.h.
 */
#include "capture/nft_write.h"

void
vpnr_nft_line(GString *text, const char *format, ...)
{
	va_list args;

	g_string_append(text, "\t");
	va_start(args, format);
	g_string_append_vprintf(text, format, args);
	va_end(args);
	g_string_append(text, "\n");
}

void
vpnr_nft_begin_chain(GString *text, const char *name, const char *why)
{
	g_string_append_c(text, '\n');
	vpnr_nft_line(text, "# %s", why);
	vpnr_nft_line(text, "chain %s {", name);
}

void
vpnr_nft_begin_hook(GString *text, const char *name, const char *why, const char *hook)
{
	vpnr_nft_begin_chain(text, name, why);
	vpnr_nft_line(text, "\ttype %s; policy accept;", hook);
}

void
vpnr_nft_end_chain(GString *text)
{
	vpnr_nft_line(text, "}");
}

gboolean
vpnr_nft_has_family(const GArray *networks, VpnrAddrType type)
{
	for (guint i = 0; i < networks->len; i++) {
		if (g_array_index(networks, VpnrNetwork, i).type == type)
			return TRUE;
	}
	return FALSE;
}

/* Ends "{ a, b, ", and frees it. */
static char *
end_list(GString *list)
{
	g_string_truncate(list, list->len - 2);
	g_string_append(list, " }");
	return g_string_free(list, FALSE);
}

/* "{ 10.0.0.0/8, 192.0.2.1 }": those of one family, of which there must be some. */
static char *
list_networks(const GArray *networks, VpnrAddrType type)
{
	GString *list = g_string_new("{ ");

	for (guint i = 0; i < networks->len; i++) {
		const VpnrNetwork *network = &g_array_index(networks, VpnrNetwork, i);
		char buf[VPNR_NETWORK_STRLEN];

		if (network->type == type)
			g_string_append_printf(list, "%s, ", vpnr_network_format(network, buf));
	}
	return end_list(list);
}

static char *
list_ports(const GArray *ports)
{
	GString *list = g_string_new("{ ");

	for (guint i = 0; i < ports->len; i++) {
		const VpnrPortRange *range = &g_array_index(ports, VpnrPortRange, i);

		if (range->first == range->last)
			g_string_append_printf(list, "%u, ", range->first);
		else
			g_string_append_printf(list, "%u-%u, ", range->first, range->last);
	}
	return end_list(list);
}

/* Of users or groups. */
static char *
list_ids(const GArray *ids)
{
	GString *list = g_string_new("{ ");

	for (guint i = 0; i < ids->len; i++)
		g_string_append_printf(list, "%u, ", g_array_index(ids, guint32, i));
	return end_list(list);
}

static char *
list_interfaces(const GPtrArray *names)
{
	GString *list = g_string_new("{ ");

	for (guint i = 0; i < names->len; i++)
		g_string_append_printf(list, "\"%s\", ", (char *)g_ptr_array_index(names, i));
	return end_list(list);
}

static void
add_set(GString *text, const char *sign, const char *what, const char *type, char *elements)
{
	vpnr_nft_line(text, "set %s_%s {", sign, what);
	vpnr_nft_line(text, "\ttype %s; flags interval; auto-merge;", type);
	vpnr_nft_line(text, "\telements = %s", elements);
	vpnr_nft_line(text, "}");
	g_free(elements);
}

void
vpnr_nft_network_sets(GString *text, const char *name, const GArray *networks)
{
	if (vpnr_nft_has_family(networks, VPNR_ADDR_IPV4))
		add_set(text, name, "networks4", "ipv4_addr",
			list_networks(networks, VPNR_ADDR_IPV4));
	if (vpnr_nft_has_family(networks, VPNR_ADDR_IPV6))
		add_set(text, name, "networks6", "ipv6_addr",
			list_networks(networks, VPNR_ADDR_IPV6));
}

void
vpnr_nft_port_set(GString *text, const char *name, const GArray *ports)
{
	if (ports->len > 0)
		add_set(text, name, "ports", "inet_service", list_ports(ports));
}

void
vpnr_nft_interfaces(GString *text, const char *match, const GPtrArray *names, const char *verdict)
{
	if (names->len == 0)
		return;

	g_autofree char *list = list_interfaces(names);
	vpnr_nft_line(text, "\t%s %s %s", match, list, verdict);
}

void
vpnr_nft_ids(GString *text, const char *match, const GArray *ids, const char *verdict)
{
	if (ids->len == 0)
		return;

	g_autofree char *list = list_ids(ids);
	vpnr_nft_line(text, "\tmeta %s %s %s", match, list, verdict);
}
