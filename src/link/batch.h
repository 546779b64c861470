/* SPDX-License-Identifier: MIT
 *
 * batch: how many bytes the writer hands to the kernel in one send. Pure; the writer owns it.
 *
 * What is in a batch can no longer be overtaken, so while the link is what everybody waits for it
 * is kept small. While the program itself is what everybody waits for, nothing is gained by that,
 * and a large one saves system calls. Whether a send had to wait for the socket tells which it is.
 */
#pragma once

#include <glib.h>

#include "link/wire.h"

G_BEGIN_DECLS

/* One TLS record. Less would make records small, and a frame is sent whole anyway. */
#define VPNR_BATCH_MIN (16 * 1024)

/* Four frames of the largest size. Batches grow so large only where the link takes gigabits, and
 * there this is a millisecond at most. Measured at 8 Gbit/s: half the sends that 128 KiB need, and
 * the same throughput, so beyond there is nothing to gain. */
#define VPNR_BATCH_MAX (256 * 1024)

typedef struct {
	gsize size;
} VpnrBatch;

/* At the beginning of a link: small, since nothing is known about it. */
void vpnr_batch_init(VpnrBatch *batch);

/* Bytes after which a batch is full. The frame that fills it may go beyond. */
gsize vpnr_batch_size(const VpnrBatch *batch);

/* Notes how the send of a full batch went. One that was not full says nothing about larger ones. */
void vpnr_batch_sent(VpnrBatch *batch, VpnrSent sent);

G_END_DECLS
