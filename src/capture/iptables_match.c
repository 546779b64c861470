/* SPDX-License-Identifier: MIT
 *
 * iptables_match: see iptables_match.h.
 */
#include "capture/iptables_match.h"

#include <sys/socket.h>

#include "base/addr.h"

/* The most that one -m multiport takes, where a range counts twice (iptables-extensions(8)). */
#define MULTIPORT_MAX 15

static void add(GPtrArray *options, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
add(GPtrArray *options, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(options, g_strdup_vprintf(format, args));
	va_end(args);
}

/* In quotation marks both they and backslashes, which systemd puts into names, are escaped. */
char *
vpnr_iptables_match_quote(const char *text)
{
	GString *quoted = g_string_new("\"");

	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			g_string_append_c(quoted, '\\');
		g_string_append_c(quoted, *text);
	}
	g_string_append_c(quoted, '"');
	return g_string_free(quoted, FALSE);
}

void
vpnr_iptables_match_networks(GPtrArray *options, const char *option, const GArray *networks,
			     int family)
{
	VpnrAddrType type = family == AF_INET ? VPNR_ADDR_IPV4 : VPNR_ADDR_IPV6;
	char text[VPNR_NETWORK_STRLEN];

	for (guint i = 0; i < networks->len; i++) {
		const VpnrNetwork *network = &g_array_index(networks, VpnrNetwork, i);

		if (network->type == type)
			add(options, "%s %s", option, vpnr_network_format(network, text));
	}
}

static void
add_multiport(GPtrArray *options, const GString *list)
{
	add(options, "-p tcp -m multiport --dports %s", list->str);
	add(options, "-p udp -m multiport --dports %s", list->str);
}

static void
add_ports(GPtrArray *options, const GArray *ports)
{
	g_autoptr(GString) list = g_string_new(NULL);
	guint used = 0;

	for (guint i = 0; i < ports->len; i++) {
		const VpnrPortRange *range = &g_array_index(ports, VpnrPortRange, i);
		guint size = range->first == range->last ? 1 : 2;

		if (used + size > MULTIPORT_MAX) {
			add_multiport(options, list);
			g_string_truncate(list, 0);
			used = 0;
		}
		g_string_append_printf(list, "%s%u", used > 0 ? "," : "", range->first);
		if (size == 2)
			g_string_append_printf(list, ":%u", range->last);
		used += size;
	}
	if (used > 0)
		add_multiport(options, list);
}

/* Of users or groups. */
static void
add_ids(GPtrArray *options, const char *option, const GArray *ids)
{
	for (guint i = 0; i < ids->len; i++)
		add(options, "-m owner %s %u", option, g_array_index(ids, guint32, i));
}

static void
add_cgroups(GPtrArray *options, const GPtrArray *cgroups)
{
	for (guint i = 0; i < cgroups->len; i++) {
		g_autofree char *path = vpnr_iptables_match_quote(g_ptr_array_index(cgroups, i));

		add(options, "-m cgroup --path %s", path);
	}
}

gboolean
vpnr_iptables_match_has(const VpnrRulesMatch *match, VpnrIptablesKind kind)
{
	const guint n[VPNR_IPTABLES_KINDS] = { match->networks->len, match->ports->len,
					       match->users->len, match->groups->len,
					       match->cgroups->len };

	return n[kind] > 0;
}

GPtrArray *
vpnr_iptables_match_options(const VpnrRulesMatch *match, VpnrIptablesKind kind, int family)
{
	GPtrArray *options = g_ptr_array_new_with_free_func(g_free);

	switch (kind) {
	case VPNR_IPTABLES_NETWORKS:
		vpnr_iptables_match_networks(options, "-d", match->networks, family);
		break;
	case VPNR_IPTABLES_PORTS:
		add_ports(options, match->ports);
		break;
	case VPNR_IPTABLES_USERS:
		add_ids(options, "--uid-owner", match->users);
		break;
	case VPNR_IPTABLES_GROUPS:
		add_ids(options, "--gid-owner", match->groups);
		break;
	case VPNR_IPTABLES_CGROUPS:
		add_cgroups(options, match->cgroups);
		break;
	case VPNR_IPTABLES_KINDS:
		break;
	}
	return options;
}

void
vpnr_iptables_match_interfaces(GPtrArray *options, const char *option, const GPtrArray *interfaces)
{
	for (guint i = 0; i < interfaces->len; i++) {
		g_autofree char *name = vpnr_iptables_match_quote(g_ptr_array_index(interfaces, i));

		g_ptr_array_add(options, g_strconcat(option, " ", name, NULL));
	}
}
