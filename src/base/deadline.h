/* SPDX-License-Identifier: MIT
 *
 * deadline: the moment at which a wait that may be interrupted and taken up again is over.
 *
 * A plain value: microseconds of g_get_monotonic_time(), or VPNR_DEADLINE_NEVER.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define VPNR_DEADLINE_NEVER G_MAXINT64

/* The moment timeout_ms from now; -1: never. */
gint64 vpnr_deadline_after(int timeout_ms);

/* Milliseconds from now, as poll() takes them: rounded up, so that poll() never returns too early;
 * 0 if the deadline has passed, -1 for VPNR_DEADLINE_NEVER. */
int vpnr_deadline_left(gint64 deadline);

/* The same for who has asked the clock already: now in us of g_get_monotonic_time(). */
int vpnr_deadline_left_from(gint64 deadline, gint64 now);

G_END_DECLS
