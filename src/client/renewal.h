/* SPDX-License-Identifier: MIT
 *
 * renewal: when a link that works is to be replaced by a fresh one: it is old, or the network has
 * changed under it. Pure: a plain value, and the time comes from outside (monotonic us).
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Milliseconds until the next attempt, when one has failed. */
#define VPNR_RENEWAL_RETRY_MS 30000

/* Milliseconds after a change of the network that may have broken the link without a word, and the
 * age that a link must have then. A change seldom comes alone, and some hosts have them all the
 * time. */
#define VPNR_RENEWAL_SETTLED_MS 1000
#define VPNR_RENEWAL_MIN_AGE_MS 10000

typedef struct {
	gint64 since; /* of the link */
	gint64 at;    /* base/deadline.h: when it is to be replaced */
} VpnrRenewal;

/* A link begins now; it is good for interval_s seconds, 0: for ever. */
VpnrRenewal vpnr_renewal_begin(gint64 now, guint interval_s);

/* The link is not a replacement: it may have begun together with others, of side by side in all, of
 * which it is the one with this index. Each of them is due at a time of its own, the highest index
 * first, and from then on they take turns. */
void vpnr_renewal_stagger(VpnrRenewal *renewal, guint index, guint of);

/* The network has changed. same_path: the link's own address is still the one for the server, so it
 * may well work. Otherwise it is to be replaced at once. */
void vpnr_renewal_network_changed(VpnrRenewal *renewal, gint64 now, gboolean same_path);

/* The attempt to replace it has failed; the link goes on. */
void vpnr_renewal_failed(VpnrRenewal *renewal, gint64 now);

/* TRUE if it is to be replaced now. */
gboolean vpnr_renewal_is_due(const VpnrRenewal *renewal, gint64 now);

G_END_DECLS
