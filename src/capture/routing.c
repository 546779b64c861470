/* SPDX-License-Identifier: MIT
 *
 * routing: see routing.h. Errors of libnl are negative numbers of its own.
 */
#include "capture/routing.h"

#include <errno.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/object.h>
#include <netlink/route/route.h>
#include <netlink/route/rule.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "capture/claim.h"
#include "capture/routing_ask.h"

G_DEFINE_QUARK(vpnr - routing - error - quark, vpnr_routing_error)

typedef struct nl_sock NlSock;
typedef struct nl_addr NlAddr;
typedef struct rtnl_rule NlRule;
typedef struct rtnl_route NlRoute;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(NlSock, nl_socket_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NlAddr, nl_addr_put)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NlRule, rtnl_rule_put)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NlRoute, rtnl_route_put)

/* The index of the loopback interface, in every network namespace: the kernel relies on it, too. */
#define LOOPBACK_INDEX 1

#define FULL_MASK 0xffffffffu

static const int families[] = { AF_INET, AF_INET6 };

static const char *
family_name(int family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}

/* TRUE if the code means that the kernel, or this namespace, has no IPv6. */
static gboolean
is_disabled(int family, int code)
{
	return family == AF_INET6 && (code == -NLE_AF_NOSUPPORT || code == -NLE_NOACCESS);
}

static gboolean
is_wanted(const VpnrRules *rules, int family)
{
	return (family == AF_INET ? rules->port4 : rules->port6) != 0;
}

/* --- what is ours ----------------------------------------------------------------------------- */

static NlRule *
make_rule(const VpnrRules *rules, int family)
{
	NlRule *rule = rtnl_rule_alloc();

	rtnl_rule_set_family(rule, family);
	rtnl_rule_set_prio(rule, rules->rule_priority);
	rtnl_rule_set_mark(rule, rules->tproxy_mark);
	rtnl_rule_set_mask(rule, FULL_MASK);
	rtnl_rule_set_action(rule, FR_ACT_TO_TBL);
	rtnl_rule_set_table(rule, rules->route_table);
	rtnl_rule_set_protocol(rule, VPNR_ROUTING_PROTOCOL);
	return rule;
}

static NlRoute *
make_route(const VpnrRules *rules, int family)
{
	NlRoute *route = rtnl_route_alloc();
	g_autoptr(NlAddr) anywhere = nl_addr_build(family, NULL, 0);
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();

	rtnl_route_nh_set_ifindex(hop, LOOPBACK_INDEX);
	rtnl_route_set_family(route, (guint8)family);
	rtnl_route_set_dst(route, anywhere);
	rtnl_route_set_table(route, rules->route_table);
	rtnl_route_set_type(route, RTN_LOCAL);
	rtnl_route_set_scope(route, RT_SCOPE_HOST);
	rtnl_route_set_protocol(route, VPNR_ROUTING_PROTOCOL);
	rtnl_route_add_nexthop(route, hop);
	return route;
}

static gboolean
is_of_our_protocol(NlRule *rule)
{
	guint8 protocol = RTPROT_UNSPEC;

	return rtnl_rule_get_protocol(rule, &protocol) == 0 && protocol == VPNR_ROUTING_PROTOCOL;
}

static gboolean
is_our_rule(const VpnrRules *rules, NlRule *rule)
{
	return is_of_our_protocol(rule) && rtnl_rule_get_prio(rule) == rules->rule_priority &&
	       rtnl_rule_get_mark(rule) == rules->tproxy_mark &&
	       rtnl_rule_get_mask(rule) == FULL_MASK &&
	       rtnl_rule_get_action(rule) == FR_ACT_TO_TBL &&
	       rtnl_rule_get_table(rule) == rules->route_table;
}

static gboolean
is_our_route(NlRoute *route)
{
	return rtnl_route_get_protocol(route) == VPNR_ROUTING_PROTOCOL &&
	       rtnl_route_get_type(route) == RTN_LOCAL &&
	       nl_addr_get_prefixlen(rtnl_route_get_dst(route)) == 0;
}

/* TRUE if packets with our mark meet the rule because of their mark. */
static gboolean
takes_our_mark(const VpnrRules *rules, NlRule *rule)
{
	guint32 mask = rtnl_rule_get_mask(rule);

	return mask != 0 && (rules->tproxy_mark & mask) == rtnl_rule_get_mark(rule);
}

/* --- errors ----------------------------------------------------------------------------------- */

/* libnl 3.12 has a number for ENETDOWN, 3.7 counts it among the failures without a name. */
static gboolean
fail(int code, const char *what, int family, GError **error)
{
	g_set_error(error, VPNR_ROUTING_ERROR, VPNR_ROUTING_ERROR_FAILED, "%s %s: %s%s",
		    family_name(family), what, nl_geterror(code),
		    code == -nl_syserr2nlerr(ENETDOWN) ? " (is the interface lo up?)" : "");
	return FALSE;
}

/* --- whose they are --------------------------------------------------------------------------- */

int
vpnr_routing_claim(const VpnrRules *rules, GError **error)
{
	g_autofree char *name = g_strdup_printf("vpnr-routing-%u-%u-%u", rules->tproxy_mark,
						rules->route_table, rules->rule_priority);
	int fd = vpnr_claim(name);

	if (fd < 0 && errno == EADDRINUSE)
		g_set_error(error, VPNR_ROUTING_ERROR, VPNR_ROUTING_ERROR_TAKEN,
			    "tproxy-mark 0x%x, route-table %u and rule-priority %u are used by "
			    "another client that is running: choose others",
			    rules->tproxy_mark, rules->route_table, rules->rule_priority);
	else if (fd < 0)
		g_set_error(error, VPNR_ROUTING_ERROR, VPNR_ROUTING_ERROR_FAILED,
			    "the numbers for tproxy cannot be claimed: %s", g_strerror(errno));
	return fd;
}

/* --- collisions ------------------------------------------------------------------------------- */

static gboolean
taken(int family, const char *what, const char *number, const char *key, GError **error)
{
	g_set_error(error, VPNR_ROUTING_ERROR, VPNR_ROUTING_ERROR_TAKEN,
		    "another %s %s %s: choose another %s, or remove it; \"vpnrctl rules clear\" "
		    "removes what other clients have left",
		    family_name(family), what, number, key);
	return FALSE;
}

static gboolean
check_rule(const VpnrRules *rules, int family, NlRule *rule, GError **error)
{
	g_autofree char *priority = g_strdup_printf("%u", rules->rule_priority);
	g_autofree char *mark = g_strdup_printf("0x%x", rules->tproxy_mark);

	if (is_our_rule(rules, rule))
		return TRUE;
	if (rtnl_rule_get_prio(rule) == rules->rule_priority)
		return taken(family, "routing rule has priority", priority, "rule-priority", error);
	if (takes_our_mark(rules, rule))
		return taken(family, "routing rule takes packets with mark", mark, "tproxy-mark",
			     error);
	return TRUE;
}

static gboolean
check_route(const VpnrRules *rules, int family, NlRoute *route, GError **error)
{
	g_autofree char *table = g_strdup_printf("%u", rules->route_table);

	if (rtnl_route_get_table(route) != rules->route_table || is_our_route(route))
		return TRUE;
	return taken(family, "route is in table", table, "route-table", error);
}

static gboolean
check_family(NlSock *sock, const VpnrRules *rules, int family, GError **error)
{
	g_autoptr(GPtrArray) found_rules = NULL;
	g_autoptr(GPtrArray) found_routes = NULL;
	int code = vpnr_routing_ask_rules(sock, family, &found_rules);

	if (code >= 0)
		code = vpnr_routing_ask_routes(sock, family, rules->route_table, RTPROT_UNSPEC,
					       &found_routes);
	if (code < 0)
		return is_disabled(family, code) ||
		       fail(code, "routing cannot be read", family, error);
	for (guint i = 0; i < found_rules->len; i++)
		if (!check_rule(rules, family, g_ptr_array_index(found_rules, i), error))
			return FALSE;
	for (guint i = 0; i < found_routes->len; i++)
		if (!check_route(rules, family, g_ptr_array_index(found_routes, i), error))
			return FALSE;
	return TRUE;
}

/* --- whether it is there ---------------------------------------------------------------------- */

static gboolean
has_rule(NlSock *sock, const VpnrRules *rules, int family)
{
	g_autoptr(GPtrArray) found = NULL;
	int code = vpnr_routing_ask_rules(sock, family, &found);

	for (guint i = 0; code >= 0 && i < found->len; i++)
		if (is_our_rule(rules, g_ptr_array_index(found, i)))
			return TRUE;
	return code < 0;
}

static gboolean
has_route(NlSock *sock, const VpnrRules *rules, int family)
{
	g_autoptr(GPtrArray) found = NULL;
	int code = vpnr_routing_ask_routes(sock, family, rules->route_table, VPNR_ROUTING_PROTOCOL,
					   &found);

	for (guint i = 0; code >= 0 && i < found->len; i++) {
		NlRoute *route = g_ptr_array_index(found, i);

		if (rtnl_route_get_table(route) == rules->route_table && is_our_route(route))
			return TRUE;
	}
	return code < 0;
}

/* Where lo has no IPv6, there could be no route. */
static gboolean
is_disabled_here(int family)
{
	static const VpnrAddr loopback6 = { .type = VPNR_ADDR_IPV6, .ip6 = { [15] = 1 } };

	return family == AF_INET6 && !vpnr_fd_is_local(&loopback6);
}

gboolean
vpnr_routing_is_whole(const VpnrRules *rules)
{
	g_autoptr(NlSock) sock = vpnr_routing_ask(NULL);

	for (guint i = 0; sock != NULL && i < G_N_ELEMENTS(families); i++) {
		int family = families[i];

		if (is_wanted(rules, family) && !is_disabled_here(family) &&
		    !(has_rule(sock, rules, family) && has_route(sock, rules, family)))
			return FALSE;
	}
	return TRUE;
}

/* --- changes ---------------------------------------------------------------------------------- */

/* The route first: a rule without it would let packets with our mark go the usual way. */
static gboolean
add_family(NlSock *sock, const VpnrRules *rules, int family, GError **error)
{
	g_autoptr(NlRoute) route = make_route(rules, family);
	g_autoptr(NlRule) rule = make_rule(rules, family);
	int code = rtnl_route_add(sock, route, NLM_F_CREATE | NLM_F_EXCL);

	if (code == 0 || code == -NLE_EXIST)
		code = rtnl_rule_add(sock, rule, NLM_F_CREATE | NLM_F_EXCL);
	return code == 0 || code == -NLE_EXIST || is_disabled(family, code) ||
	       fail(code, "routing for tproxy cannot be added", family, error);
}

gboolean
vpnr_routing_install(const VpnrRules *rules, GError **error)
{
	g_autoptr(NlSock) sock = vpnr_routing_ask(error);

	if (sock == NULL)
		return FALSE;
	for (guint i = 0; i < G_N_ELEMENTS(families); i++)
		if (is_wanted(rules, families[i]) && !check_family(sock, rules, families[i], error))
			return FALSE;
	for (guint i = 0; i < G_N_ELEMENTS(families); i++)
		if (is_wanted(rules, families[i]) && !add_family(sock, rules, families[i], error)) {
			vpnr_routing_remove(rules);
			return FALSE;
		}
	return TRUE;
}

/* The kernel compares all that is given, the protocol too. What is not there, or may not be
 * removed, stays as it is. */
void
vpnr_routing_remove(const VpnrRules *rules)
{
	g_autoptr(NlSock) sock = vpnr_routing_ask(NULL);

	for (guint i = 0; sock != NULL && i < G_N_ELEMENTS(families); i++) {
		g_autoptr(NlRule) rule = make_rule(rules, families[i]);
		g_autoptr(NlRoute) route = make_route(rules, families[i]);

		(void)rtnl_rule_delete(sock, rule, 0);
		(void)rtnl_route_delete(sock, route, 0);
	}
}

static int
clear_table(NlSock *sock, int family, guint32 table)
{
	g_autoptr(GPtrArray) found = NULL;
	int code = vpnr_routing_ask_routes(sock, family, table, VPNR_ROUTING_PROTOCOL, &found);

	for (guint i = 0; code >= 0 && i < found->len; i++) {
		NlRoute *route = g_ptr_array_index(found, i);

		if (rtnl_route_get_table(route) == table &&
		    rtnl_route_get_protocol(route) == VPNR_ROUTING_PROTOCOL)
			code = rtnl_route_delete(sock, route, 0);
	}
	return code;
}

/* Removes the rule, and the routes of the table that it leads to, unless a client that runs has
 * them. */
static int
clear_rule(NlSock *sock, int family, NlRule *rule)
{
	VpnrRules numbers = { .tproxy_mark = rtnl_rule_get_mark(rule),
			      .route_table = rtnl_rule_get_table(rule),
			      .rule_priority = rtnl_rule_get_prio(rule) };
	g_auto(VpnrFd) claim = vpnr_routing_claim(&numbers, NULL);
	int code;

	if (claim < 0)
		return 0;
	code = rtnl_rule_delete(sock, rule, 0);
	return code < 0 ? code : clear_table(sock, family, numbers.route_table);
}

static int
clear_family(NlSock *sock, int family)
{
	g_autoptr(GPtrArray) found = NULL;
	int code = vpnr_routing_ask_rules(sock, family, &found);

	for (guint i = 0; code >= 0 && i < found->len; i++)
		if (is_of_our_protocol(g_ptr_array_index(found, i)))
			code = clear_rule(sock, family, g_ptr_array_index(found, i));
	return code;
}

/* A route without its rule, which a client may leave that is killed between the two, is found by
 * its numbers only: those of others may be about to get their rule. */
gboolean
vpnr_routing_clear(const VpnrRules *rules, GError **error)
{
	g_autoptr(NlSock) sock = vpnr_routing_ask(error);
	g_auto(VpnrFd) claim = vpnr_routing_claim(rules, NULL);

	if (sock == NULL)
		return FALSE;
	if (claim >= 0)
		vpnr_routing_remove(rules);
	for (guint i = 0; i < G_N_ELEMENTS(families); i++) {
		int code = clear_family(sock, families[i]);

		if (code < 0 && !is_disabled(families[i], code))
			return fail(code, "routing cannot be cleared", families[i], error);
	}
	return TRUE;
}

/* --- words ------------------------------------------------------------------------------------ */

char *
vpnr_routing_describe(const VpnrRules *rules)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < G_N_ELEMENTS(families); i++) {
		const char *ip = families[i] == AF_INET ? "ip" : "ip -6";

		if (!is_wanted(rules, families[i]))
			continue;
		g_string_append_printf(text,
				       "%s rule add priority %u fwmark 0x%x lookup %u protocol "
				       "%d\n",
				       ip, rules->rule_priority, rules->tproxy_mark,
				       rules->route_table, VPNR_ROUTING_PROTOCOL);
		g_string_append_printf(text,
				       "%s route add local default dev lo table %u protocol %d\n",
				       ip, rules->route_table, VPNR_ROUTING_PROTOCOL);
	}
	return g_string_free(text, FALSE);
}
