/* SPDX-License-Identifier: MIT
 *
 * budget: the bytes that a process may have promised to keep for its peers: windows, queues,
 * buffers. Whoever promises takes them first and gives them back when the promise is over.
 *
 * Three levels keep the large from shutting out the small. Up to three quarters whoever wants to
 * grow may take; above, only what a newcomer cannot do without. Above seven eighths the budget is
 * short, and who has grown gives back as it can. What is between the two keeps growing and
 * shrinking from chasing each other; and with 1 GiB the last quarter lets 3600 new streams in
 * before the first one that has grown has given anything.
 *
 * A part is what one of several has taken of a whole that is for all of them: at most
 * VPNR_BUDGET_PART times what it leaves to the others. So who comes later finds something, and who
 * is alone has nearly all.
 *
 * All functions are thread-safe. A budget of NULL has no end.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct VpnrBudget VpnrBudget;

/* One who is alone can take fifteen sixteenths: more than the seven eighths above which those who
 * have grown give back, and enough for 10,000 streams of 95 KiB in 1 GiB. */
#define VPNR_BUDGET_PART 15

/* A budget of this many bytes, none of them taken. */
VpnrBudget *vpnr_budget_new(guint64 total);

/* A budget whose bytes are those of the whole (nullable: then it is NULL, too), which outlives it.
 * What is taken from the part is taken from both. */
VpnrBudget *vpnr_budget_new_part(VpnrBudget *whole);

/* Frees it; everything has been given back. Takes NULL. */
void vpnr_budget_free(VpnrBudget *budget);

/* Takes n bytes that a newcomer needs. FALSE, and nothing is taken, if there are not so many, or
 * others need them. */
gboolean vpnr_budget_take(VpnrBudget *budget, guint64 n);

/* Takes n bytes to grow. FALSE, and nothing is taken, if that would leave less than a quarter. */
gboolean vpnr_budget_take_spare(VpnrBudget *budget, guint64 n);

/* Gives n bytes back. */
void vpnr_budget_give(VpnrBudget *budget, guint64 n);

/* TRUE if who has grown should give back. */
gboolean vpnr_budget_is_short(const VpnrBudget *budget);

/* Bytes that are taken, and how many there are in all; 0 for NULL. Of a part: its own, and those of
 * the whole. */
guint64 vpnr_budget_used(const VpnrBudget *budget);
guint64 vpnr_budget_total(const VpnrBudget *budget);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrBudget, vpnr_budget_free)

G_END_DECLS
