/* SPDX-License-Identifier: MIT
 *
 * iptables_guard: what else capture takes with iptables than to lead packets to the client, so that
 * nothing of what is captured gets out at the edges: what connection tracking takes for an answer,
 * what the kernel says by itself, and what is bound to an interface.
 */
#pragma once

#include <glib.h>

#include "capture/iptables_script.h"
#include "capture/rules.h"

G_BEGIN_DECLS

/* Adds the rules for one family, AF_INET or AF_INET6. What is refused, since nobody listens for the
 * family, is guarded as well. */
void vpnr_iptables_guard(VpnrIptablesScript *script, const VpnrRules *rules, int family);

G_END_DECLS
