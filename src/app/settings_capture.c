/* SPDX-License-Identifier: MIT
 *
 * settings_capture: see settings_capture.h. Defaults are in place before the first key is read; the
 * checks that compare keys with each other come after all of them.
 */
#include "app/settings_capture.h"

#include <string.h>

#include "app/entries.h"
#include "app/values.h"
#include "base/addr.h"

/* Chosen to be nobody else's: "vp" and "vq" in ASCII, and a number far from the few that
 * administrators give by hand. */
#define LINK_MARK_DEFAULT     0x7670
#define TPROXY_MARK_DEFAULT   0x7671
#define ROUTE_TABLE_DEFAULT   30320
#define RULE_PRIORITY_DEFAULT 30320

/* The rule for the main table has priority 32766 (ip-rule(8)); behind it ours would never be asked,
 * and 0 is the rule for local addresses. */
#define RULE_PRIORITY_MAX 32765

/* The names of chains in iptables start with the table's and have 28 bytes at most. */
#define TABLE_NAME_MAX 16

const char *const vpnr_settings_capture_keys[] = {
	"mode",
	"backend",
	"table",
	"host",
	"dns",
	"dns-server",
	"udp",
	"udp-timeout",
	"max-flows",
	"kill-switch",
	"include",
	"exclude",
	"include-ports",
	"exclude-ports",
	"include-users",
	"exclude-users",
	"include-groups",
	"exclude-groups",
	"include-cgroups",
	"exclude-cgroups",
	"gateway",
	"gateway-interfaces",
	"gateway-networks",
	"link-mark",
	"tproxy-mark",
	"route-table",
	"rule-priority",
	NULL,
};

/* --- keys ------------------------------------------------------------------------------------- */

/* A number from 1 to max, decimal or hexadecimal behind 0x. */
static gboolean
get_number(const VpnrSection *section, const char *key, guint32 max, guint32 *value, GError **error)
{
	g_autofree char *text = NULL;
	guint64 number;

	if (!vpnr_section_get_text(section, key, &text, error))
		return FALSE;
	if (text == NULL)
		return TRUE;

	gboolean hex = g_str_has_prefix(text, "0x");
	if (!g_ascii_string_to_unsigned(hex ? text + 2 : text, hex ? 16 : 10, 1, max, &number,
					NULL))
		return vpnr_section_fail_key(section, key, error,
					     "\"%s\" is not a number from 1 to %u, decimal or "
					     "hexadecimal with 0x",
					     text, max);
	*value = (guint32)number;
	return TRUE;
}

static gboolean
get_table(const VpnrSection *section, VpnrRules *rules, GError **error)
{
	if (!vpnr_section_get_text(section, "table", &rules->table, error))
		return FALSE;
	if (!g_ascii_isalpha(rules->table[0]) || strlen(rules->table) > TABLE_NAME_MAX ||
	    !vpnr_entry_has_only(rules->table, "_-"))
		return vpnr_section_fail_key(section, "table", error,
					     "\"%s\" is not a letter with up to %d letters, "
					     "digits, '_' and '-' behind it",
					     rules->table, TABLE_NAME_MAX - 1);
	return TRUE;
}

static gboolean
read_how(const VpnrSection *section, VpnrRules *rules, GError **error)
{
	static const char *const modes[] = { "off", "redirect", "tproxy", NULL };
	static const char *const backends[] = { "auto", "nft", "iptables", NULL };
	guint mode = VPNR_CAPTURE_OFF;
	guint backend = VPNR_BACKEND_AUTO;

	if (!vpnr_section_get_choice(section, "mode", modes, &mode, error) ||
	    !vpnr_section_get_choice(section, "backend", backends, &backend, error) ||
	    !get_table(section, rules, error))
		return FALSE;
	rules->mode = (VpnrCaptureMode)mode;
	rules->backend = (VpnrCaptureBackend)backend;
	return TRUE;
}

static gboolean
read_switches(const VpnrSection *section, VpnrRules *rules, GError **error)
{
	/* Redirect cannot. */
	rules->udp = rules->mode == VPNR_CAPTURE_TPROXY;
	return vpnr_section_get_switch(section, "host", &rules->host, error) &&
	       vpnr_section_get_switch(section, "dns", &rules->dns, error) &&
	       vpnr_section_get_switch(section, "udp", &rules->udp, error) &&
	       vpnr_section_get_switch(section, "kill-switch", &rules->kill_switch, error);
}

static gboolean
read_matches(const VpnrSection *section, VpnrRules *rules, GError **error)
{
	const struct {
		const char *key;
		VpnrEntryRead read;
		gpointer list;
	} lists[] = {
		{ "include", vpnr_entry_network, rules->include.networks },
		{ "exclude", vpnr_entry_network, rules->exclude.networks },
		{ "include-ports", vpnr_entry_ports, rules->include.ports },
		{ "exclude-ports", vpnr_entry_ports, rules->exclude.ports },
		{ "include-users", vpnr_entry_user, rules->include.users },
		{ "exclude-users", vpnr_entry_user, rules->exclude.users },
		{ "include-groups", vpnr_entry_group, rules->include.groups },
		{ "exclude-groups", vpnr_entry_group, rules->exclude.groups },
		{ "include-cgroups", vpnr_entry_cgroup, rules->include.cgroups },
		{ "exclude-cgroups", vpnr_entry_cgroup, rules->exclude.cgroups },
		{ "gateway-interfaces", vpnr_entry_interface, rules->gateway_interfaces },
		{ "gateway-networks", vpnr_entry_network, rules->gateway_networks },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
		if (!vpnr_section_get_entries(section, lists[i].key, lists[i].read, lists[i].list,
					      error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
read_numbers(const VpnrSection *section, VpnrRules *rules, GError **error)
{
	if (!get_number(section, "link-mark", G_MAXUINT32, &rules->link_mark, error) ||
	    !get_number(section, "tproxy-mark", G_MAXUINT32, &rules->tproxy_mark, error) ||
	    !get_number(section, "route-table", G_MAXUINT32, &rules->route_table, error) ||
	    !get_number(section, "rule-priority", RULE_PRIORITY_MAX, &rules->rule_priority, error))
		return FALSE;
	if (rules->link_mark == rules->tproxy_mark)
		return vpnr_section_fail_key(section, "tproxy-mark", error,
					     "\"0x%x\" is the link-mark too", rules->tproxy_mark);
	if (rules->route_table >= 253 && rules->route_table <= 255)
		return vpnr_section_fail_key(section, "route-table", error,
					     "\"%u\" is a table of the system's own: 253, 254 and "
					     "255 are default, main and local",
					     rules->route_table);
	return TRUE;
}

/* --- what the keys mean together -------------------------------------------------------------- */

/* An open proxy by accident is what a gateway without a list would be. */
static gboolean
check_gateway(const VpnrSection *section, const VpnrRules *rules, GError **error)
{
	gboolean gateway = FALSE;
	gboolean listed = vpnr_rules_has_gateway(rules);

	if (!vpnr_section_get_switch(section, "gateway", &gateway, error))
		return FALSE;
	if (gateway && !listed)
		return vpnr_section_fail_key(section, "gateway", error,
					     "\"yes\" needs gateway-interfaces or "
					     "gateway-networks, which say for whom");
	if (!gateway && listed)
		return vpnr_section_fail_key(section,
					     rules->gateway_interfaces->len > 0
						 ? "gateway-interfaces"
						 : "gateway-networks",
					     error, "it has no effect without gateway = yes");
	return TRUE;
}

/* REDIRECT sends the host's own connections to the first loopback address, and those of others to
 * the address of the interface they came in by; TPROXY is given the former. */
static gboolean
is_suitable(const VpnrAddr *addr, gboolean any_only)
{
	static const guint8 loopback4[4] = { 127, 0, 0, 1 };
	static const guint8 loopback6[16] = { [15] = 1 };

	if (any_only || vpnr_addr_is_wildcard(addr))
		return vpnr_addr_is_wildcard(addr);
	if (addr->type == VPNR_ADDR_IPV4)
		return memcmp(addr->ip4, loopback4, sizeof(addr->ip4)) == 0;
	return memcmp(addr->ip6, loopback6, sizeof(addr->ip6)) == 0;
}

static gboolean
take_port(const VpnrSection *section, const VpnrAddr *addr, guint16 *port, GError **error)
{
	if (*port != 0 && *port != addr->port)
		return vpnr_section_fail_key(section, "mode", error,
					     "the rules lead to one port, but redirect in [client] "
					     "listens on %u and %u for one family",
					     *port, addr->port);
	*port = addr->port;
	return TRUE;
}

/* VPNr/1 carries IPv4 only, so there its IPv6 listeners do not count. */
static gboolean
find_ports(const VpnrSection *section, const VpnrCaptureContext *context, VpnrRules *rules,
	   GError **error)
{
	gboolean any_only = rules->mode == VPNR_CAPTURE_REDIRECT && vpnr_rules_has_gateway(rules);

	for (guint i = 0; i < context->redirect->len; i++) {
		const VpnrAddr *addr = &g_array_index(context->redirect, VpnrAddr, i);
		gboolean v4 = addr->type == VPNR_ADDR_IPV4;
		gboolean *any = v4 ? &rules->any4 : &rules->any6;

		if (!is_suitable(addr, any_only) || (!v4 && context->protocol != VPNR_PROTOCOL_V2))
			continue;
		if (!take_port(section, addr, v4 ? &rules->port4 : &rules->port6, error))
			return FALSE;
		*any = *any || vpnr_addr_is_wildcard(addr);
	}
	if (rules->port4 != 0 || rules->port6 != 0)
		return TRUE;
	return vpnr_section_fail_key(section, "mode", error,
				     "\"%s\"%s needs a listener on %s in [client] redirect",
				     rules->mode == VPNR_CAPTURE_REDIRECT ? "redirect" : "tproxy",
				     any_only ? " with gateway = yes" : "",
				     any_only ? "0.0.0.0 or [::]"
					      : "127.0.0.1, [::1], 0.0.0.0 or [::]");
}

/* VPNr/1 carries TCP only. What is not asked for in so many words is then off. */
static gboolean
check_protocol(const VpnrSection *section, const char *key, const VpnrCaptureContext *context,
	       gboolean *value, GError **error)
{
	gboolean wanted = FALSE;

	if (context->protocol == VPNR_PROTOCOL_V2)
		return TRUE;
	if (!vpnr_section_get_switch(section, key, &wanted, error))
		return FALSE;
	if (wanted)
		return vpnr_section_fail_key(section, key, error,
					     "\"yes\" needs protocol 2: the protocol in [client] "
					     "carries no UDP");
	*value = FALSE;
	return TRUE;
}

static gboolean
check_udp(const VpnrSection *section, const VpnrCaptureContext *context, VpnrRules *rules,
	  GError **error)
{
	if (rules->udp && rules->mode != VPNR_CAPTURE_TPROXY)
		return vpnr_section_fail_key(section, "udp", error, "\"yes\" needs mode = tproxy");
	return check_protocol(section, "udp", context, &rules->udp, error) &&
	       check_protocol(section, "dns", context, &rules->dns, error);
}

static gboolean
check_mode(const VpnrSection *section, const VpnrCaptureContext *context, VpnrRules *rules,
	   GError **error)
{
	if (rules->mode == VPNR_CAPTURE_OFF) {
		if (rules->kill_switch)
			return vpnr_section_fail_key(section, "kill-switch", error,
						     VPNR_SETTINGS_CAPTURE_NO_MODE);
		return TRUE;
	}
	if (!rules->host && !vpnr_rules_has_gateway(rules))
		return vpnr_section_fail_key(section, "host", error,
					     "\"no\" without gateway = yes leaves nothing to "
					     "capture");
	return check_udp(section, context, rules, error) &&
	       find_ports(section, context, rules, error);
}

VpnrRules *
vpnr_settings_capture_defaults(void)
{
	VpnrRules *rules = vpnr_rules_new();

	rules->table = g_strdup("vpnr");
	rules->host = TRUE;
	rules->dns = TRUE;
	rules->link_mark = LINK_MARK_DEFAULT;
	rules->tproxy_mark = TPROXY_MARK_DEFAULT;
	rules->route_table = ROUTE_TABLE_DEFAULT;
	rules->rule_priority = RULE_PRIORITY_DEFAULT;
	return rules;
}

VpnrRules *
vpnr_settings_capture_read(const VpnrSection *section, const VpnrCaptureContext *context,
			   GError **error)
{
	g_autoptr(VpnrRules) rules = vpnr_settings_capture_defaults();

	if (!read_how(section, rules, error) || !read_switches(section, rules, error) ||
	    !read_matches(section, rules, error) || !read_numbers(section, rules, error) ||
	    !check_gateway(section, rules, error) || !check_mode(section, context, rules, error))
		return NULL;
	return g_steal_pointer(&rules);
}
