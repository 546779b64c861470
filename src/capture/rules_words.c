/* SPDX-License-Identifier: MIT
 *
 * rules_words: see rules_words.h.
 */
#include "capture/rules_words.h"

#include <string.h>

/* Appends "label: a, b". Without entries nothing; with words of its own for a single "all". */
static void
begin(GString *text, const char *label)
{
	g_string_append_printf(text, "  %-20s", label);
}

/* Ends a list that has a comma behind each entry. */
static void
end(GString *text)
{
	g_string_truncate(text, text->len - 2);
	g_string_append_c(text, '\n');
}

static void
add_networks(GString *text, const char *label, const GArray *networks)
{
	if (networks->len == 0)
		return;
	begin(text, label);
	for (guint i = 0; i < networks->len; i++) {
		char buf[VPNR_NETWORK_STRLEN];

		g_string_append_printf(text, "%s, ",
				       vpnr_network_format(&g_array_index(networks, VpnrNetwork, i),
							   buf));
	}
	end(text);
}

static void
add_ports(GString *text, const char *label, const GArray *ports)
{
	if (ports->len == 0)
		return;
	begin(text, label);
	for (guint i = 0; i < ports->len; i++) {
		const VpnrPortRange *range = &g_array_index(ports, VpnrPortRange, i);

		if (range->first == range->last)
			g_string_append_printf(text, "%u, ", range->first);
		else
			g_string_append_printf(text, "%u-%u, ", range->first, range->last);
	}
	end(text);
}

static void
add_ids(GString *text, const char *label, const GArray *ids)
{
	if (ids->len == 0)
		return;
	begin(text, label);
	for (guint i = 0; i < ids->len; i++)
		g_string_append_printf(text, "%u, ", g_array_index(ids, guint32, i));
	end(text);
}

static void
add_names(GString *text, const char *label, const GPtrArray *names)
{
	if (names->len == 0)
		return;
	begin(text, label);
	for (guint i = 0; i < names->len; i++)
		g_string_append_printf(text, "%s, ", (char *)g_ptr_array_index(names, i));
	end(text);
}

static void
add_match(GString *text, const char *title, const VpnrRulesMatch *match)
{
	gsize before;

	g_string_append_printf(text, "%s\n", title);
	before = text->len;
	add_networks(text, "destinations", match->networks);
	add_ports(text, "ports", match->ports);
	add_ids(text, "users", match->users);
	add_ids(text, "groups", match->groups);
	add_names(text, "cgroups", match->cgroups);
	if (text->len == before)
		g_string_truncate(text, before - strlen(title) - 1);
}

static void
add_families(GString *text, const VpnrRules *rules)
{
	if (rules->port4 == 0)
		g_string_append(text, "IPv4 has no listener: it is refused\n");
	if (rules->port6 == 0)
		g_string_append(text, "IPv6 has no listener: it is refused\n");
}

static void
add_protocols(GString *text, const VpnrRules *rules)
{
	gboolean tproxy = rules->mode == VPNR_CAPTURE_TPROXY;

	g_string_append_printf(text, "captured: TCP%s, by %s, to port %u\n",
			       rules->udp ? " and UDP" : "",
			       tproxy ? "transparent sockets" : "redirection",
			       rules->port4 != 0 ? rules->port4 : rules->port6);
	g_string_append(text, rules->dns
				  ? "questions for names are captured, whatever server they go to\n"
				  : "questions for names by UDP are not captured as such\n");
	if (!rules->udp)
		g_string_append(text, "UDP to port 443 is refused, other UDP is not captured\n");
	add_families(text, rules);
}

static void
add_gateway(GString *text, const VpnrRules *rules)
{
	if (!vpnr_rules_has_gateway(rules))
		return;
	g_string_append(text, "from the network behind this host\n");
	add_names(text, "interfaces", rules->gateway_interfaces);
	add_networks(text, "sources", rules->gateway_networks);
}

char *
vpnr_rules_in_words(const VpnrRules *rules)
{
	GString *text = g_string_new(NULL);

	if (rules->mode == VPNR_CAPTURE_OFF)
		return g_string_free(g_string_append(text, "nothing is captured: mode off\n"),
				     FALSE);
	add_protocols(text, rules);
	if (rules->host)
		g_string_append(text, "from this host\n");
	add_gateway(text, rules);
	add_match(text, "only", &rules->include);
	add_match(text, "but not", &rules->exclude);
	g_string_append_printf(text, "never what the client itself sends, which has mark 0x%x\n",
			       rules->link_mark);
	if (rules->kill_switch)
		g_string_append(text, "kill switch: nothing else leaves this host\n");
	return g_string_free(text, FALSE);
}
