/* SPDX-License-Identifier: MIT
 *
 * iptables: the backend of capture for machines without nftables, by iptables-restore(8) and
 * ip6tables-restore(8). The first of their variants that takes the rules is used.
 *
 * A table of iptables changes in one step, but not all of them together. The rules outlive the
 * process, so a claim (claim.h) says whose they are: while a client has it, no other one installs
 * or clears rules of the same name, and when it has been killed, they may be replaced or removed.
 *
 * Others can change them at any time. That is seen by the number of rules in our chains and by what
 * leads to them; not what the rules say, and not what others have put in front of what leads there.
 */
#pragma once

#include "capture/backend.h"

G_BEGIN_DECLS

extern const VpnrBackendOps vpnr_iptables_ops;

G_END_DECLS
