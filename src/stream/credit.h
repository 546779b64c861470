/* SPDX-License-Identifier: MIT
 *
 * credit: flow control of one stream, both directions, as absolute offsets (docs/protocol.md, 2.7),
 * and the window that finds its own size.
 *
 * Two threads share each direction: the worker spends what it may send while the reader raises the
 * limit; the reader checks what the peer sends while the worker grants more. So what both need is
 * atomic, and everything else has one owner.
 *
 * How a window grows, without knowing the path. A sender that has nothing left to do but to wait
 * for credit has sent exactly up to the limit; for any other sender that offset is one among
 * thousands. So bytes that end exactly on a limit say: starved. A window that starved its sender
 * doubles, unless our own socket is the one that holds things up: it is full now, or has lately
 * been for a good part of the time. A limit that was announced before the last growth says nothing
 * about the new size, so a window grows at most once in a round trip. On a long path it grows by
 * more than that: as long as a transfer may send less than the path takes, that is what TCP learns
 * of the path, and if packets are lost meanwhile it is what TCP remembers.
 *
 * That this is true, our sender does not take the last byte of its credit while the writer still
 * has something of the stream to send (vpnr_send_credit_usable()): as long as there is, it waits
 * for the link and not for credit, and a larger window would only fill a queue.
 */
#pragma once

#include <glib.h>
#include <stdatomic.h>

#include "base/budget.h"

G_BEGIN_DECLS

/* Bytes that a peer may send beyond what our socket has taken, per stream: at first, and at the
 * most. 64 KiB is what 10,000 idle streams can have in 1 GiB, and carries a web page in a few round
 * trips; 16 MiB is 1 Gbit/s at 100 ms. Doubling from one to the other takes 8 round trips. On a
 * long path, where a window grows by four, and to 4 MiB at least, it takes 2. */
#define VPNR_WINDOW_MIN (64 * 1024)
#define VPNR_WINDOW_FAR (4 * 1024 * 1024)
#define VPNR_WINDOW_MAX (16 * 1024 * 1024)

/* Limits before the present one up to which the peer may still be sending. */
#define VPNR_CREDIT_EARLIER 3

/* What we may send to the peer. */
typedef struct {
	_Atomic guint64 limit;       /* reader raises, worker reads */
	_Atomic guint64 spent;       /* worker; reports read */
	_Atomic gboolean is_awaited; /* the worker waits for a higher limit */
} VpnrSendCredit;

/* What the peer may send to us. */
typedef struct {
	/* const after start */
	VpnrBudget *budget;
	guint64 min, max; /* bounds of window */
	gboolean is_far;  /* the path is long */
	/* worker writes, reader reads */
	_Atomic guint64 limit;
	_Atomic guint64
	    earlier[VPNR_CREDIT_EARLIER]; /* limits before it, of the same window; or 0 */
	/* both write */
	_Atomic gboolean starved; /* the peer has sent up to one of those, exactly */
	/* reader writes, worker reads */
	_Atomic guint64 received;
	/* who has the socket (stream/lend.h) */
	_Atomic guint64 window; /* reports read */
	guint64 consumed;
	guint64 reserved;    /* taken from the budget: as much as may ever be waiting here */
	guint64 steady_from; /* offset before which the window does not grow */
	gboolean is_full;    /* our socket */
	gint64 changed_at;   /* monotonic us: since when; 0: nothing has gone there */
	gint64 was_free;     /* us, before it became full */
} VpnrRecvCredit;

/* Nothing is spent yet; the peer allows bytes up to the offset limit. */
void vpnr_send_credit_init(VpnrSendCredit *credit, guint64 limit);

/* Reader: the peer allows sending up to this offset. One that is lower than before changes
 * nothing. TRUE: the worker waits for it and may go on. */
gboolean vpnr_send_credit_raise(VpnrSendCredit *credit, guint64 limit);

/* Bytes up to the limit (worker, reports). */
guint64 vpnr_send_credit_left(const VpnrSendCredit *credit);

/* Worker: bytes that may be sent now. queue_is_empty: the writer has nothing of this stream. 0: the
 * next vpnr_send_credit_raise() that changes this says so. */
guint64 vpnr_send_credit_usable(VpnrSendCredit *credit, gboolean queue_is_empty);

/* Worker: n bytes, not more than are left, have been sent. */
void vpnr_send_credit_spend(VpnrSendCredit *credit, guint64 n);

/* Nothing has come yet; the peer may send window bytes, and never more than max ahead. is_far: on a
 * long path. FALSE if the budget (nullable, outlives the credit) has no room for them: then there
 * is nothing to clear. */
gboolean vpnr_recv_credit_init(VpnrRecvCredit *credit, guint64 window, guint64 max, gboolean is_far,
			       VpnrBudget *budget);

/* Gives back what is taken from the budget: the stream is over (any thread, alone). */
void vpnr_recv_credit_clear(VpnrRecvCredit *credit);

/* Reader: n bytes have come. FALSE, and nothing is taken, if the peer was not allowed to send that
 * much. */
gboolean vpnr_recv_credit_take(VpnrRecvCredit *credit, guint64 n);

/* Who has the socket (stream/lend.h): n bytes have gone to it, now (monotonic us); all_taken: it
 * has room for more. Raises the limit once a quarter of the window is used up: a WINDOW frame per
 * read would be more than is needed, and one per half window would leave half of it unused while
 * the frame travels. Returns the new limit to tell the peer, or 0: nothing to tell. */
guint64 vpnr_recv_credit_consume(VpnrRecvCredit *credit, guint64 n, gboolean all_taken, gint64 now);

/* Worker, when it has the socket: the same when the peer has sent everything, and once more, with 0
 * bytes, when its end comes: keeps no more than what is still waiting here. */
void vpnr_recv_credit_consume_last(VpnrRecvCredit *credit, guint64 n);

/* Worker: TRUE if the peer has sent all that it may, or all but the last byte, which a sender keeps
 * while it has others to send (docs/protocol.md, 2.7.7). Bytes that come later wake the worker. */
gboolean vpnr_recv_credit_is_used_up(const VpnrRecvCredit *credit);

/* Bytes of the window (thread-safe). */
guint64 vpnr_recv_credit_window(const VpnrRecvCredit *credit);

G_END_DECLS
