/* SPDX-License-Identifier: MIT
 *
 * iptables_capture: the rules that capture, as chains for iptables and ip6tables. Pure functions,
 * any thread.
 *
 * The order is that of nft_capture.h: what is never captured, what is not chosen by process or
 * source, DNS, what is not chosen by destination, and then the rest, which is captured or refused.
 * The chains of a hook start with TABLE.HOOK. Each kind of condition to include by has one, whose
 * rules lead to the chain of the next kind, and the last to TABLE.HOOK.do, which acts.
 */
#pragma once

#include <glib.h>

#include "capture/iptables_script.h"
#include "capture/rules.h"

G_BEGIN_DECLS

/* What captures connections of the family, AF_INET or AF_INET6 (transfer full). Empty if the mode
 * is off. */
VpnrIptablesScript *vpnr_iptables_capture(const VpnrRules *rules, int family);

/* The pattern of the names of its chains, which no other table's match (transfer full). */
char *vpnr_iptables_capture_names(const VpnrRules *rules);

G_END_DECLS
