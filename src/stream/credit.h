/* SPDX-License-Identifier: MIT
 *
 * credit: flow control of one stream, both directions, as absolute offsets (docs/protocol.md, 2.7).
 *
 * Two threads share each direction: the worker spends what it may send while the reader raises the
 * limit; the reader checks what the peer sends while the worker grants more. So the limits are
 * atomic, and everything else has one owner.
 */
#pragma once

#include <glib.h>
#include <stdatomic.h>

G_BEGIN_DECLS

/* Bytes that a peer may send beyond what our socket has taken, per stream: 80 Mbit/s at 100 ms of
 * round trip, 8 Gbit/s at 1 ms. A stalled application costs this much memory at the most. */
#define VPNR_WINDOW (1024 * 1024)

/* What we may send to the peer. */
typedef struct {
	_Atomic guint64 limit; /* reader raises, worker reads */
	guint64 spent;         /* worker */
} VpnrSendCredit;

/* What the peer may send to us. */
typedef struct {
	_Atomic guint64 limit; /* worker raises, reader reads */
	guint64 received;      /* reader */
	guint64 consumed;      /* worker */
	guint64 window;        /* const */
} VpnrRecvCredit;

/* Nothing is spent yet; the peer allows bytes up to the offset limit. */
void vpnr_send_credit_init(VpnrSendCredit *credit, guint64 limit);

/* Reader: the peer allows sending up to this offset. One that is lower than before changes
 * nothing. */
void vpnr_send_credit_raise(VpnrSendCredit *credit, guint64 limit);

/* Worker: bytes that may be sent now. */
guint64 vpnr_send_credit_left(const VpnrSendCredit *credit);

/* Worker: n bytes, not more than are left, have been sent. */
void vpnr_send_credit_spend(VpnrSendCredit *credit, guint64 n);

/* Nothing has come yet; the peer may send window bytes. */
void vpnr_recv_credit_init(VpnrRecvCredit *credit, guint64 window);

/* Reader: n bytes have come. FALSE, and nothing is taken, if the peer was not allowed to send that
 * much. */
gboolean vpnr_recv_credit_take(VpnrRecvCredit *credit, guint64 n);

/* Worker: n bytes have gone to the socket. Raises the limit once half the window is used up, so
 * that a WINDOW frame is sent per half window and not per read. Returns the new limit to tell the
 * peer, or 0: nothing to tell. */
guint64 vpnr_recv_credit_consume(VpnrRecvCredit *credit, guint64 n);

G_END_DECLS
