/* SPDX-License-Identifier: MIT
 *
 * worker: the thread that serves one stream: it alone reads and writes the stream's socket.
 *
 * A worker is made when its stream is, before there is a connected socket, so that what the peer
 * says meanwhile (data, a reset) is not lost. Client: vpnr_worker_new(), perhaps
 * vpnr_worker_wait_opened(), vpnr_worker_run(). Server: vpnr_worker_new(), dial with
 * vpnr_worker_prepare_cancel(), then vpnr_worker_run() or vpnr_worker_fail(). All on the worker's
 * own thread.
 */
#pragma once

#include <glib.h>

#include "base/cancel.h"
#include "stream/table.h"

G_BEGIN_DECLS

/* Milliseconds after which a host that has vanished without a word ends its idle stream, for
 * vpnr_fd_set_keepalive(). Long, since an idle connection is nothing bad; without it the stream
 * would stay for ever. */
#define VPNR_WORKER_KEEPALIVE_MS (15 * 60 * 1000)

typedef struct VpnrWorker VpnrWorker;

/* The worker of a stream of this table (stream: transfer full). Names the thread after the
 * stream. */
VpnrWorker *vpnr_worker_new(VpnrTable *table, VpnrStream *stream);

/* Server: prepares *cancel for waits (resolving, dialling) that are to end when the stream is
 * aborted; what comes for the stream meanwhile is kept. Valid until vpnr_worker_run() or
 * vpnr_worker_fail(). FALSE if the stream has been aborted already. */
gboolean vpnr_worker_prepare_cancel(VpnrWorker *worker, VpnrCancel *cancel);

/* Client: waits until the server has connected the destination. Returns VPNR_REASON_NONE, or why
 * there will be no connection: then, or when the application at fd goes away meanwhile
 * (VPNR_REASON_ABORTED), call vpnr_worker_fail(). */
VpnrReason vpnr_worker_wait_opened(VpnrWorker *worker, int fd);

/* Serves the stream with the connected, non-blocking socket fd (transfer full; with the keepalive
 * above) until it is over, removes it from the table and frees the worker. Server: tells the peer
 * that the stream is open. */
void vpnr_worker_run(VpnrWorker *worker, int fd);

/* Ends a stream that has no socket: tells the peer the reason (unless the peer has aborted it),
 * removes the stream and frees the worker. */
void vpnr_worker_fail(VpnrWorker *worker, VpnrReason reason);

G_END_DECLS
