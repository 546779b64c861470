/* SPDX-License-Identifier: MIT
 *
 * worker: the thread that serves one stream: it alone reads and writes the stream's socket.
 *
 * A worker is made when its stream is, before there is a connected socket, so that what the peer
 * says meanwhile (data, a reset) is not lost. Client: vpnr_worker_init(), perhaps
 * vpnr_worker_wait_opened(), vpnr_worker_run(). Server: vpnr_worker_init(), dial with
 * vpnr_worker_prepare_cancel(), then vpnr_worker_run() or vpnr_worker_fail(). All on the worker's
 * own thread.
 */
#pragma once

#include <glib.h>

#include "base/cancel.h"
#include "base/patience.h"
#include "stream/lifecycle.h"
#include "stream/outflow.h"
#include "stream/table.h"

G_BEGIN_DECLS

/* Milliseconds after which a host that has vanished without a word ends its idle stream, for
 * vpnr_fd_set_keepalive(). Long, since an idle connection is nothing bad; without it the stream
 * would stay for ever. */
#define VPNR_WORKER_KEEPALIVE_MS (15 * 60 * 1000)

/* Milliseconds that is waited for a WINDOW, or for an application that reads, when both directions
 * are stuck (worker_input.c), at the least. A WINDOW that is under way comes within a round trip,
 * and a link that brings nothing for so long is dead; an application that reads now and then has
 * read by then. */
#define VPNR_WORKER_STUCK_MS (15 * 1000)

/* It is in the frame of the function that runs it, where it takes no memory: the page is there
 * anyway. Only stream/ looks inside. */
typedef struct {
	/* const after start */
	VpnrTable *table;
	VpnrStream *stream;
	gboolean v2;
	/* worker thread */
	int fd;
	VpnrLifecycle life;
	VpnrOutflow outflow; /* from the link, not yet taken by the socket */
	gsize read_size;
	gsize frame_size;            /* of data, for the present read */
	gint64 no_room_since;        /* in the writer's queue, us of the monotonic clock; or 0 */
	VpnrStreamWaits input_waits; /* DATA of the socket; or WINDOW, LINK: it is not read */
	gboolean is_overdue;         /* it has waited VPNR_WORKER_STUCK_MS for WINDOW */
	gsize discarded;             /* bytes for nobody, since the socket has last taken some */
	gsize under_way;             /* in the socket, when it was not read because of those */
	gboolean may_read;           /* the last read did not come back short */
	gboolean may_write;          /* likewise */
	gboolean end_seen; /* the socket's end, or its error, stands behind what is to be read */
	gboolean hung_up;  /* poll() says POLLHUP for ever: do not ask about the socket */
	gboolean has_read; /* bytes have moved since the last sleep */
	gboolean has_written;
	gboolean has_given;   /* the socket bytes, or their end, since it last waited */
	gboolean has_yielded; /* since bytes have moved or events have come */
	guint n_yields;
	guint64 carried;  /* bytes, when the worker last went to sleep */
	gboolean in_bulk; /* and the table counts it */
	guint since_bulk; /* sleeps, VPNR_WORKER_PAUSE at the most */
	VpnrPatienceWatch watch;
} VpnrWorker;

/* Makes it the worker of a stream of this table (stream: transfer full). Names the thread after the
 * stream. End it by vpnr_worker_run() or vpnr_worker_fail(). */
void vpnr_worker_init(VpnrWorker *worker, VpnrTable *table, VpnrStream *stream);

/* Server: prepares *cancel for waits (resolving, dialling) that are to end when the stream is
 * aborted; what comes for the stream meanwhile is kept. Valid until vpnr_worker_run() or
 * vpnr_worker_fail(). FALSE if the stream has been aborted already. */
gboolean vpnr_worker_prepare_cancel(VpnrWorker *worker, VpnrCancel *cancel);

/* Client: waits until the server has connected the destination. Returns VPNR_REASON_NONE, or why
 * there will be no connection: then, or when the application at fd goes away meanwhile
 * (VPNR_REASON_ABORTED), call vpnr_worker_fail(). */
VpnrReason vpnr_worker_wait_opened(VpnrWorker *worker, int fd);

/* Serves the stream with the connected, non-blocking socket fd (transfer full; with the keepalive
 * above) until it is over, removes it from the table and clears the worker. Server: tells the peer
 * that the stream is open. */
void vpnr_worker_run(VpnrWorker *worker, int fd);

/* Ends a stream that has no socket: tells the peer the reason (unless the peer has aborted it, or
 * its END has been answered), removes the stream and clears the worker. */
void vpnr_worker_fail(VpnrWorker *worker, VpnrReason reason);

G_END_DECLS
