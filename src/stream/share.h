/* SPDX-License-Identifier: MIT
 *
 * share: how much DATA may wait in the writer: of all streams of a session together, and of each
 * one.
 *
 * A stream may queue while what it has there is less than half of what is still free, and less than
 * the depth of its own queue: n of them have about VPNR_TABLE_QUEUE / (n + 2) each at the most, and
 * there is always something left for the next. A stream that has nothing queued may queue one small
 * frame whatever the others do, so none ever waits for another: it is woken by its own frames, when
 * less than half of what it may have is left, so that it reads several frames each time and the
 * writer does not run dry meanwhile.
 *
 * What waits there delays what the application sends next on the same stream, so a queue is to be
 * gone in milliseconds. On a fast link it may be deep for that; and there it must be, or worker and
 * writer sleep and are woken for a few frames each time, and processors idle meanwhile. So its
 * depth doubles when the worker had to wait for room for a moment only, and halves when that was
 * long.
 *
 * The worker takes room before it reads its socket, so the sum is never above VPNR_TABLE_QUEUE and
 * one small frame per stream, however many workers read at once.
 */
#pragma once

#include <glib.h>
#include <stdatomic.h>

#include "base/mailbox.h"
#include "proto/frame.h"

G_BEGIN_DECLS

/* Bytes in all streams of a session. Fourteen streams have 256 KiB each, one alone 1.3 MiB; a
 * thousand still have 4 KiB each. */
#define VPNR_TABLE_QUEUE (4 * 1024 * 1024)

/* Bytes in one stream, at the least; one frame may go over it. They keep a link of 100 Mbit/s busy
 * for 20 ms. Measured with one transfer at 6 Gbit/s, five times as much carries a tenth more, with
 * less processor time. */
#define VPNR_STREAM_QUEUE (256 * 1024)

/* us. A worker that waits for longer until half of its queue is gone has a queue that is too deep;
 * one that waits for less than half of that has one that may be deeper. */
#define VPNR_SHARE_WAIT_US 2000

/* Bytes of data of a frame that a stream may always queue, if it is the only one of its stream. It
 * is what each of a thousand busy streams gets, so it must not be too small: measured with them, a
 * gigabyte costs 9.7 seconds of processor time with 8 KiB, 5.9 with 16, and 4.2 with 32. Two such
 * frames fit in a packet of the kernel. And 10,000 streams do not need more than half of what their
 * windows need. */
#define VPNR_STREAM_SMALL (VPNR_DATA_BULK / 2)

/* What a frame costs in memory beside its data: allocation, struct, queue node. It keeps a stream
 * of one-byte frames bounded. All bytes here include it. */
#define VPNR_STREAM_FRAME_COST 128

/* Of a session. */
typedef struct {
	_Atomic gint64 total;
} VpnrQueued;

/* Of a stream. */
typedef struct {
	_Atomic gint64 queued;       /* what its frames cost */
	_Atomic gboolean is_awaited; /* the worker waits for less of it */
	_Atomic guint doublings;     /* of the depth; only the worker changes it */
} VpnrShare;

/* Worker: takes room for a frame with up to want bytes of data; n of them are returned, the frame's
 * own cost is taken too. 0: nothing is taken, and vpnr_share_sent() tells when to try again. */
gsize vpnr_share_take(VpnrShare *share, VpnrQueued *all, gsize want);

/* The same for a frame that need not be: nobody tells when to try again. */
gsize vpnr_share_try_take(VpnrShare *share, VpnrQueued *all, gsize want);

/* Worker: there was no room for us microseconds, and now there is. */
void vpnr_share_waited(VpnrShare *share, gint64 us);

/* Worker: a frame became n bytes smaller than the room that was taken for it. */
void vpnr_share_lower(VpnrShare *share, VpnrQueued *all, gsize n);

/* A frame with n bytes of data has left the writer, or was never made. TRUE: the worker waits and
 * may go on (thread-safe). */
gboolean vpnr_share_sent(VpnrShare *share, VpnrQueued *all, gsize n);

/* The same for a stream that has ended. */
void vpnr_share_sent_late(VpnrQueued *all, gsize n);

/* Worker: TRUE if the writer has none of its frames. If not, vpnr_share_sent() tells when. */
gboolean vpnr_share_is_empty(VpnrShare *share);

/* What its frames cost now (thread-safe). */
gint64 vpnr_share_queued(const VpnrShare *share);

G_END_DECLS
