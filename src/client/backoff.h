/* SPDX-License-Identifier: MIT
 *
 * backoff: how long to wait before the next try: doubling, with jitter, capped. Pure.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Milliseconds. The first wait is short, since most links come back at once; the cap keeps a server
 * that comes back from waiting for its clients longer than a person would. */
#define VPNR_BACKOFF_FIRST_MS 200
#define VPNR_BACKOFF_CAP_MS   5000

typedef struct {
	guint failures; /* in a row */
} VpnrBackoff;

/* Another try has failed. Returns the milliseconds to wait: between half and the whole of
 * VPNR_BACKOFF_FIRST_MS doubled per earlier failure, at most VPNR_BACKOFF_CAP_MS. random is any 32
 * random bits: a thousand clients of one server must not come back in the same instant. */
guint vpnr_backoff_next(VpnrBackoff *backoff, guint32 random);

/* A try has succeeded: its link has worked. */
void vpnr_backoff_reset(VpnrBackoff *backoff);

G_END_DECLS
