/* SPDX-License-Identifier: MIT
 *
 * iptables_kill: the kill switch as chains for iptables and ip6tables: what nft_kill.h does for
 * nftables. Pure functions, any thread.
 *
 * In the filter table what may not leave this host is refused, so that nobody waits. There a packet
 * that capture leads to this host still looks like one that leaves, so those are let through, and
 * the mangle table, behind all changes, drops what then leaves after all.
 */
#pragma once

#include <glib.h>

#include "capture/iptables_script.h"
#include "capture/rules.h"

G_BEGIN_DECLS

/* For one family, AF_INET or AF_INET6 (transfer full). */
VpnrIptablesScript *vpnr_iptables_kill(const VpnrRules *rules, int family);

/* The pattern of the names of its chains, which no other table's match (transfer full). */
char *vpnr_iptables_kill_names(const VpnrRules *rules);

G_END_DECLS
