/* SPDX-License-Identifier: MIT
 *
 * routing_ask: what routing the kernel has, by rtnetlink(7). Called by routing. Errors of libnl are
 * negative numbers of its own.
 */
#pragma once

#include <glib.h>
#include <netlink/netlink.h>

G_BEGIN_DECLS

/* A socket for the questions below, and for changes (transfer full, nl_socket_free()); NULL with
 * VPNR_ROUTING_ERROR_FAILED. */
struct nl_sock *vpnr_routing_ask(GError **error);

/* The rules of a family, struct rtnl_rule, in *found (transfer full). An error of libnl, or 0. */
int vpnr_routing_ask_rules(struct nl_sock *sock, int family, GPtrArray **found);

/* The routes of a family, struct rtnl_route, likewise: of a table, or of all (0); of a protocol, or
 * of all (RTPROT_UNSPEC). Kernels before 4.20 give all in any case. */
int vpnr_routing_ask_routes(struct nl_sock *sock, int family, guint32 table, guint8 protocol,
			    GPtrArray **found);

G_END_DECLS
