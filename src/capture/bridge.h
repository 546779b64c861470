/* SPDX-License-Identifier: MIT
 *
 * bridge: a setting of the kernel that TPROXY does not work with. With
 * net.bridge.bridge-nf-call-iptables, which Docker turns on, packets meet the rules of IP while
 * they are still in their bridge; the socket that TPROXY gives them there is forgotten when they
 * leave it. REDIRECT is not concerned.
 */
#pragma once

#include <glib.h>

#include "capture/rules.h"

G_BEGIN_DECLS

/* The setting that keeps packets of a network behind this host, if it is bridged, from transparent
 * sockets, as sysctl(8) names it (transfer none); NULL: none does, or nothing of rules needs that.
 * Works in the network namespace of the calling thread, and may be called by any. */
const char *vpnr_bridge_obstacle(const VpnrRules *rules);

/* Logs it, if there is one. */
void vpnr_bridge_warn(const VpnrRules *rules);

G_END_DECLS
