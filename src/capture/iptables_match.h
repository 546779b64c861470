/* SPDX-License-Identifier: MIT
 *
 * iptables_match: conditions as options of iptables(8). Pure functions, any thread.
 */
#pragma once

#include <glib.h>

#include "capture/rules.h"

G_BEGIN_DECLS

/* Kinds of conditions: those about the destination, and then, from USERS on, those about the
 * process, which only what this host sends has. */
typedef enum {
	VPNR_IPTABLES_NETWORKS,
	VPNR_IPTABLES_PORTS,
	VPNR_IPTABLES_USERS,
	VPNR_IPTABLES_GROUPS,
	VPNR_IPTABLES_CGROUPS,
	VPNR_IPTABLES_KINDS, /* how many there are */
} VpnrIptablesKind;

/* TRUE if match has conditions of this kind, of whatever family. */
gboolean vpnr_iptables_match_has(const VpnrRulesMatch *match, VpnrIptablesKind kind);

/* The conditions of this kind that packets of the family, AF_INET or AF_INET6, can meet: char *,
 * options for one rule each (transfer full). */
GPtrArray *
vpnr_iptables_match_options(const VpnrRulesMatch *match, VpnrIptablesKind kind, int family);

/* Adds "OPTION NETWORK" for each of those networks that are of the family. */
void vpnr_iptables_match_networks(GPtrArray *options, const char *option, const GArray *networks,
				  int family);

/* Adds "OPTION INTERFACE" for each of those interfaces (char *). */
void
vpnr_iptables_match_interfaces(GPtrArray *options, const char *option, const GPtrArray *interfaces);

/* The text as one word for iptables-restore, whatever is in it (transfer full). */
char *vpnr_iptables_match_quote(const char *text);

G_END_DECLS
