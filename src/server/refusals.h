/* SPDX-License-Identifier: MIT
 *
 * refusals: counts the links that were refused, and tells the log of them. Anybody can bring any
 * number of them, so it is told of the first ones of each minute only.
 *
 * All functions are thread-safe.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"
#include "base/stats.h"

G_BEGIN_DECLS

/* Lines of the log, and in how many seconds: enough to see who it is; a day of it is 20 MB. */
#define VPNR_REFUSALS_MAX    100
#define VPNR_REFUSALS_WITHIN 60

typedef struct VpnrRefusals VpnrRefusals;

/* Counts in stats, which outlive it. */
VpnrRefusals *vpnr_refusals_new(VpnrStats *stats);

/* Frees it. Takes NULL. */
void vpnr_refusals_free(VpnrRefusals *refusals);

/* The link from this peer was refused. */
void vpnr_refusals_add(VpnrRefusals *refusals, const VpnrAddr *peer, const char *why);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrRefusals, vpnr_refusals_free)

G_END_DECLS
