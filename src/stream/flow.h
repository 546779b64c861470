/* SPDX-License-Identifier: MIT
 *
 * flow: the thread that serves one UDP flow: a stream whose frames are datagrams.
 *
 * It waits in one poll() on its socket and on its inbox. What the socket receives goes to the link
 * as DATAGRAM frames, what the link brings goes to the socket, several for each wake-up. Nothing is
 * kept for long and nothing waits: a datagram that finds no room is dropped and counted. A flow has
 * no half-close. It ends by FIN or RESET of either side, by an error of the server's socket, and
 * when for idle_ms no datagram has passed in either direction. It outlives links as every stream
 * does.
 *
 * As with worker.h, a flow is made when its stream is, on the thread that serves it. Client:
 * vpnr_flow_new(), vpnr_flow_run(); it does not have to wait for the server. Server:
 * vpnr_flow_new(), connect with vpnr_flow_prepare_cancel(), then vpnr_flow_run() or
 * vpnr_flow_fail().
 */
#pragma once

#include <glib.h>

#include "base/addr.h"
#include "base/cancel.h"
#include "stream/table.h"

G_BEGIN_DECLS

/* Bytes, with VPNR_ROOM_COST for each, that vpnr_flow_feed() may have waiting: what every stream
 * has taken from the budget at its birth. One datagram of the largest size fits. */
#define VPNR_FLOW_FEED_MAX (VPNR_WINDOW_MIN + VPNR_STREAM_RESERVE)

typedef struct VpnrFlow VpnrFlow;

typedef struct {
	/* Milliseconds without a datagram in either direction after which the flow ends. */
	int idle_ms;
	/* The socket is shared with others and somebody else reads it: what it receives comes by
	 * vpnr_flow_feed() alone. */
	gboolean send_only;
	/* Whom a shared socket sends to, and every other one is connected with (copied). What
	 * others have sent to that one, before it was connected, is given to on_stray. NULL: the
	 * socket is connected, and the flow takes all that it has received. */
	const VpnrAddr *peer;
	void (*on_stray)(gpointer data, const VpnrAddr *from, const guint8 *bytes, gsize n);
	gpointer data;
	/* Bytes in front of each datagram that goes to the socket, such as SOCKS5's header
	 * (RFC 1928, section 7); nullable, outlives the flow. */
	const guint8 *prefix;
	gsize prefix_size;
	VpnrStats *stats;
} VpnrFlowParams;

/* --- the flow's own thread -------------------------------------------------------------------- */

/* The flow of a stream of kind UDP of this table (stream: transfer full). Names the thread after
 * the stream. */
VpnrFlow *vpnr_flow_new(VpnrTable *table, VpnrStream *stream, const VpnrFlowParams *params);

/* Server: prepares *cancel for waits that are to end when the stream is over; datagrams that come
 * meanwhile wait. Valid until vpnr_flow_run() or vpnr_flow_fail(). FALSE if it is over already. */
gboolean vpnr_flow_prepare_cancel(VpnrFlow *flow, VpnrCancel *cancel);

/* Server: a flow that has sent a datagram and receives none from its socket for timeout_ms ends
 * with VPNR_REASON_UNREACHABLE. Before vpnr_flow_run(); without it only idle_ms counts. */
void vpnr_flow_expect_answer(VpnrFlow *flow, int timeout_ms);

/* Serves the flow with the non-blocking UDP socket fd (transfer full; who shares one gives a dup())
 * until it is over, removes the stream from the table and frees the flow. Server: tells the peer
 * that the flow is open. Returns VPNR_REASON_NONE if either side ended it by FIN, else the reason
 * (VPNR_REASON_TIMED_OUT: idle_ms). */
VpnrReason vpnr_flow_run(VpnrFlow *flow, int fd);

/* Ends a flow that has no socket: tells the peer the reason (unless the peer has ended it), removes
 * the stream and frees the flow. */
void vpnr_flow_fail(VpnrFlow *flow, VpnrReason reason);

/* --- any thread, with a reference to the stream ----------------------------------------------- */

/* Gives the flow a datagram (copied, n bytes, VPNR_DATAGRAM_MAX at most) as if its socket had
 * received it. It may be called as soon as the stream is open, and waits for vpnr_flow_run(). A
 * datagram that finds no room is dropped and counted. FALSE, and nothing is counted, if the flow
 * has ended: open another. */
gboolean vpnr_flow_feed(VpnrStream *stream, const guint8 *bytes, gsize n, VpnrStats *stats);

/* Nobody needs the flow any more: it ends by FIN, behind what was fed before. */
void vpnr_flow_finish(VpnrStream *stream);

G_END_DECLS
