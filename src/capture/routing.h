/* SPDX-License-Identifier: MIT
 *
 * routing: leads packets with tproxy_mark to this host, whatever their destination, so that TPROXY
 * can give them to a transparent socket: for each family a routing rule and, in a table of its own,
 * one route, by rtnetlink(7):
 *
 *	ip rule add priority RULE_PRIORITY fwmark TPROXY_MARK lookup ROUTE_TABLE protocol 118
 *	ip route add local default dev lo table ROUTE_TABLE protocol 118
 *
 * They outlive the process, and are told from those of others by the number of their protocol. A
 * family for which rules have no port, and IPv6 where it is disabled, is left alone. Nothing is
 * kept between calls: each works in the network namespace of the calling thread, and may be made
 * by any.
 *
 * Two clients that share the numbers would get each other's packets, and the first to end would let
 * those of the other out: so who installs should have claimed them, and who cleans up after others,
 * too.
 */
#pragma once

#include <glib.h>

#include "capture/rules.h"

G_BEGIN_DECLS

/* The originator of our rules and routes (RTPROT_ in linux/rtnetlink.h): 118, the letter v, which
 * neither the kernel nor iproute2 gives to anybody. */
#define VPNR_ROUTING_PROTOCOL 0x76

#define VPNR_ROUTING_ERROR (vpnr_routing_error_quark())
GQuark vpnr_routing_error_quark(void);

typedef enum {
	VPNR_ROUTING_ERROR_TAKEN,  /* a number is used by somebody else; the message names it */
	VPNR_ROUTING_ERROR_FAILED, /* the kernel refuses, for want of CAP_NET_ADMIN for example */
} VpnrRoutingError;

/* Claims the three numbers for this process, in the network namespace: a descriptor (transfer full)
 * that holds the claim (claim.h) until it is closed. -1 with an error if another process has it. */
int vpnr_routing_claim(const VpnrRules *rules, GError **error);

/* Adds what is missing. Rules and routes that a killed client has left are taken over. If there is
 * another rule with the priority or the mark, or another route in the table, or if the kernel
 * refuses, there is an error and nothing has been changed. */
gboolean vpnr_routing_install(const VpnrRules *rules, GError **error);

/* TRUE if all that vpnr_routing_install() adds is there. What the kernel does not tell, as of IPv6
 * where that is disabled, is taken to be. */
gboolean vpnr_routing_is_whole(const VpnrRules *rules);

/* Removes what vpnr_routing_install() has added with the same numbers, and nothing else. */
void vpnr_routing_remove(const VpnrRules *rules);

/* Removes what has been left by clients that were killed, with the same numbers or with others: all
 * of our protocol whose numbers nobody claims. */
gboolean vpnr_routing_clear(const VpnrRules *rules, GError **error);

/* What vpnr_routing_install() adds, as commands of ip(8), one a line (transfer full). */
char *vpnr_routing_describe(const VpnrRules *rules);

G_END_DECLS
