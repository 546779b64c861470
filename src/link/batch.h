/* SPDX-License-Identifier: MIT
 *
 * batch: how many bytes the writer hands to the kernel in one send, and how many may wait there.
 * Pure; the writer owns it.
 *
 * Neither can be overtaken any more, so both are kept to about a millisecond of what the link
 * carries, as far as the time tells that a send takes until the socket would take more. On a slow
 * link that is little, and as a frame is sent whole, streams make smaller ones there. Where only
 * the processor sets bounds it is a whole frame of bulk; a send that had to wait there for a
 * moment, because the receiver did, says nothing.
 *
 * On a long way more has to wait in the socket, or it runs dry before the writer has had its turn.
 * To TCP that looks as if the application had nothing to send, and what it measures meanwhile says
 * nothing about the path. BBR, which sends three times as fast as it has measured until it sees
 * that the path carries no more, never sees that: at 20 ms of round trip it sent four packets of
 * ten in vain where the buffer in front of a path of 200 Mbit/s was short, and kept it full where
 * it was long. So a sixteenth of what is under way may wait, which lasts a sixteenth of a round
 * trip.
 */
#pragma once

#include <glib.h>

#include "proto/frame.h"

G_BEGIN_DECLS

/* One TLS record: less would make records small. */
#define VPNR_BATCH_MIN (16 * 1024)

/* One frame of bulk: what has been encrypted is still in the processor's cache when the kernel
 * copies it. Measured at 6 Gbit/s, four frames take a tenth more processor time with eight streams,
 * although they save system calls. */
#define VPNR_BATCH_MAX VPNR_DATA_BULK

/* Microseconds. A send of a full batch that takes longer was too large, one that takes less than
 * half of it too small. */
#define VPNR_BATCH_US 1000

/* Bytes that may wait in the socket before a send does, at least; otherwise as many as a batch has.
 * Measured beside eight bulk transfers on a link of 50 Mbit/s, a small frame takes 320 ms without a
 * limit, 41 with 128 KiB, 32 with 64, 24 with 32, and no less with 16. At several gigabits 128 KiB
 * are no faster than 64,000 bytes. */
#define VPNR_UNSENT_MIN (32 * 1024)

/* Or this part of the bytes under way, as said above, where that is more. */
#define VPNR_UNSENT_SHARE 16

/* Full batches of one size after which that is looked at again. */
#define VPNR_BATCH_LOOK 16

typedef struct {
	gsize size;
	gsize data;   /* of a frame */
	guint n_sent; /* full ones, since that was looked at */
} VpnrBatch;

/* At the beginning of a link: small, since nothing is known about it. */
void vpnr_batch_init(VpnrBatch *batch);

/* Bytes after which a batch is full. The frame that fills it may go beyond. */
gsize vpnr_batch_size(const VpnrBatch *batch);

/* Bytes of data that a DATA frame should have at the most, so that one fills a batch. When batches
 * become smaller it follows as soon as they stay so: large frames cost less, and a processor that
 * is busy makes a send slow now and then. */
gsize vpnr_batch_data(const VpnrBatch *batch);

/* Bytes that may wait in the socket, where so many are under way, or wait there. */
gsize vpnr_batch_unsent(const VpnrBatch *batch, gsize under_way);

/* Notes how long the send of a full batch took. One that was not full says nothing about larger
 * ones. TRUE if it is time to tell the socket how much may wait there, and streams how large frames
 * should be. */
gboolean vpnr_batch_sent(VpnrBatch *batch, gint64 us);

G_END_DECLS
