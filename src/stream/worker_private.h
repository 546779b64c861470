/* SPDX-License-Identifier: MIT
 *
 * worker_private: the inside of a worker, for worker.c, which has the loop, and its two directions:
 * worker_input.c, from the socket to the link, and worker_output.c, from the link to the socket.
 * Everything on the worker's own thread.
 */
#pragma once

#include "stream/worker.h"

/* Bytes of a read: it starts small, so that an interactive stream does not hold large buffers,
 * doubles while reads come back full, and halves when they come back nearly empty. In a transfer it
 * fills several frames: each read is acknowledged, so fewer of them let the peer send more at once,
 * and wake it more seldom. Measured at 7 Gbit/s, four frames carry 4 to 10 % more than one, with a
 * tenth less processor time; eight do not carry more. */
#define VPNR_WORKER_READ_MIN    2048
#define VPNR_WORKER_READ_FRAMES 4
#define VPNR_WORKER_READ_MAX    (VPNR_WORKER_READ_FRAMES * VPNR_DATA_BULK)

/* So often an answer is expected: a short connection has few requests and answers, and two ends. */
#define VPNR_WORKER_YIELDS 6

/* Bytes that a worker in bulk carries from one sleep to the next, at least; how many such workers
 * are company; and after how many sleeps without so many bytes a transfer is over. */
#define VPNR_WORKER_BULK    (16 * 1024)
#define VPNR_WORKER_COMPANY 2
#define VPNR_WORKER_PAUSE   16

/* Feeds an event, and does what it leads to. */
void vpnr_worker_step(VpnrWorker *worker, VpnrEvent event);

/* Before anything is done to the sending side of the socket, which may be lent to the reader. */
void vpnr_worker_call_in(VpnrWorker *worker);

void vpnr_worker_push(VpnrWorker *worker, VpnrFrame *frame);

/* Reads from the socket once, and sets input_waits. TRUE if anything came, the end included. */
gboolean vpnr_worker_read(VpnrWorker *worker);

/* TRUE if neither direction can go on unless an application reads, which it may not do: the peer's,
 * so that it sends WINDOW, or our own. */
gboolean vpnr_worker_is_stuck(const VpnrWorker *worker);

/* Takes what is in the inbox. TRUE if anything was there. */
gboolean vpnr_worker_take_frames(VpnrWorker *worker);

/* Writes to the socket what has come for it. TRUE if anything was written. */
gboolean vpnr_worker_write(VpnrWorker *worker);

/* The stream has been aborted: the socket gets what has come before, as far as it takes that at
 * once, and the peer no credit. */
void vpnr_worker_write_last(VpnrWorker *worker);
