/* SPDX-License-Identifier: MIT
 *
 * routing_guard: puts back routing (routing.h) that somebody else has removed, as services do that
 * set a host's network up anew and think that all routing rules are theirs. Packets that are to be
 * captured would leave beside the tunnel otherwise, until the kill switch stops them, if there is
 * one.
 *
 * The kernel tells of changes (rtnetlink(7)) on a descriptor; whoever owns the guard waits for that
 * and calls vpnr_routing_guard_look(). One thread at a time.
 */
#pragma once

#include <glib.h>

#include "capture/rules.h"

G_BEGIN_DECLS

typedef struct VpnrRoutingGuard VpnrRoutingGuard;

/* One that looks at the network namespace of the calling thread. NULL with an error when the kernel
 * does not tell (VPNR_ROUTING_ERROR_FAILED). */
VpnrRoutingGuard *vpnr_routing_guard_new(GError **error);

/* Takes NULL. */
void vpnr_routing_guard_free(VpnrRoutingGuard *guard);

/* Readable when there is something to look at. */
int vpnr_routing_guard_fd(const VpnrRoutingGuard *guard);

/* Takes what the kernel has told. Where something of rules, which are NULL while nothing is
 * installed, is gone, it is put back; that is logged, and so is that it could not be. Never blocks
 * for long. */
void vpnr_routing_guard_look(VpnrRoutingGuard *guard, const VpnrRules *rules);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrRoutingGuard, vpnr_routing_guard_free)

G_END_DECLS
