/* SPDX-License-Identifier: MIT
 *
 * reserve: how much a session may keep for replay. It begins small; when that is what holds the
 * session up, it doubles, as far as the budget of the process goes; and when nothing is kept any
 * more, what it has grown by goes back.
 *
 * Belongs to the writer's thread; a plain struct.
 */
#pragma once

#include <glib.h>

#include "base/budget.h"

G_BEGIN_DECLS

/* Bytes. The first is enough for a gigabit at 8 ms of round trip, or 80 Mbit/s at 100 ms; the last
 * for a gigabit at a quarter of a second. */
#define VPNR_RESERVE_MIN (1024 * 1024)
#define VPNR_RESERVE_MAX (32 * 1024 * 1024)

typedef struct {
	VpnrBudget *budget;
	guint64 bytes; /* taken from it */
} VpnrReserve;

/* Takes the minimum. FALSE if the budget (nullable: no end) has not so much left. */
gboolean vpnr_reserve_init(VpnrReserve *reserve, VpnrBudget *budget);

/* Gives everything back. */
void vpnr_reserve_clear(VpnrReserve *reserve);

/* TRUE if more may be kept than the bytes that are kept now. Grows if it has to and can. */
gboolean vpnr_reserve_has_room(VpnrReserve *reserve, guint64 kept);

/* Gives back what has been grown by, if nothing is kept. */
void vpnr_reserve_trim(VpnrReserve *reserve, guint64 kept);

G_END_DECLS
