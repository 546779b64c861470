/* SPDX-License-Identifier: MIT
 *
 * writer: the only thread that sends for a session, whatever link it has at the moment.
 *
 * It takes frames from its mailbox, orders them (schedule.h), numbers those of streams by sending
 * them, keeps them until the peer has acknowledged them (replay.h), and sends in batches. Without a
 * link it waits; with the next one it begins where the peer has stopped receiving. GOAWAY is the
 * last frame that it sends.
 *
 * Three kinds of threads meet here: everybody pushes into the mailbox; the owner of the session
 * gives and takes links; the reader of the link reports what the peer has sent and acknowledged.
 */
#pragma once

#include <glib.h>

#include "base/budget.h"
#include "base/mailbox.h"
#include "base/stats.h"
#include "link/transport.h"
#include "proto/frame.h"

G_BEGIN_DECLS

/* How many answers to the peer's frames (PONG, RESET of a refused OPEN) may wait to be sent. A peer
 * that asks without reading would otherwise fill our memory; one that keeps the rules has one PING
 * under way. */
#define VPNR_ANSWERS_MAX 1024

typedef struct VpnrWriter VpnrWriter;

typedef struct {
	VpnrProtocol protocol;
	VpnrRole role;
	guint number; /* for the thread's name, see session.h */
	/* A frame of a stream (transfer none) leaves the queue: it is about to be sent for the
	 * first time, or is dropped because its stream is over. Writer thread. */
	void (*released)(gpointer data, const VpnrFrame *frame);
	/* So many bytes of data a DATA frame should have at the most; see session.h. Nullable. */
	void (*paced)(gpointer data, gsize most);
	gpointer data;
	VpnrBudget *budget; /* for replay; nullable, outlives the writer */
	VpnrStats *stats;
} VpnrWriterParams;

/* A writer without a link. NULL with an error when there is no descriptor or no budget left. */
VpnrWriter *vpnr_writer_new(const VpnrWriterParams *params, GError **error);

/* Starts the thread. FALSE with an error when the system has none to give. */
gboolean vpnr_writer_start(VpnrWriter *writer, GError **error);

/* Where frames for the peer go (transfer none). */
VpnrMailbox *vpnr_writer_mailbox(VpnrWriter *writer);

/* Pushes a frame that answers one of the peer's (transfer full, reader thread). FALSE, and it is
 * freed, if VPNR_ANSWERS_MAX wait already: the peer broke the protocol. */
gboolean vpnr_writer_answer(VpnrWriter *writer, VpnrFrame *frame);

/* --- links (owner's thread) ------------------------------------------------------------------- */

/* TRUE if the peer may say that it has received that many sequenced frames: not fewer than it has
 * acknowledged, not more than were sent. No link is attached. */
gboolean vpnr_writer_can_resume(const VpnrWriter *writer, guint64 received);

/* TRUE if the peer has acknowledged more than that: who says it now was overtaken (thread-safe). */
gboolean vpnr_writer_is_stale(const VpnrWriter *writer, guint64 received);

/* Sends on this transport (transfer none) from now on, beginning with the sequenced frame of number
 * received; what was pushed for an earlier link is forgotten. No link is attached. */
void vpnr_writer_attach(VpnrWriter *writer, VpnrTransport *transport, guint64 received);

/* Shuts the transport and waits until the writer has let it go. */
void vpnr_writer_detach(VpnrWriter *writer, VpnrTransport *transport);

/* --- what the peer has sent (reader thread) --------------------------------------------------- */

/* One more sequenced frame has come. */
void vpnr_writer_count_received(VpnrWriter *writer);

/* Sequenced frames that have come in this session (owner too, while no link is attached). */
guint64 vpnr_writer_received(const VpnrWriter *writer);

/* The count of the last ACK that has been sent (thread-safe). */
guint64 vpnr_writer_told(const VpnrWriter *writer);

/* Frames that have come and not been acknowledged: with the next batch they will be. */
guint64 vpnr_writer_unacknowledged(const VpnrWriter *writer);

/* They are to be acknowledged now, even if there is nothing else to send. */
void vpnr_writer_acknowledge(VpnrWriter *writer);

/* The peer has acknowledged that many sequenced frames. FALSE: it cannot have. */
gboolean vpnr_writer_acked(VpnrWriter *writer, guint64 count);

/* Bytes that were sent on the present link (thread-safe). */
guint64 vpnr_writer_link_bytes(const VpnrWriter *writer);

/* --- the end ---------------------------------------------------------------------------------- */

/* Bytes that are kept for replay, with what a frame costs (thread-safe). */
guint64 vpnr_writer_replay_bytes(const VpnrWriter *writer);

/* Makes the thread end as soon as it does not block in a send (thread-safe). */
void vpnr_writer_stop(VpnrWriter *writer);

/* Waits for the thread, which ends after a GOAWAY or a stop. For at most patience_ms it may go on
 * sending; then it is stopped, and transport (nullable: no link is attached) is shut. What is
 * pushed afterwards is never sent. Takes NULL. */
void vpnr_writer_join(VpnrWriter *writer, VpnrTransport *transport, int patience_ms);

/* Stops, joins and frees. No link is attached, nobody may push any more. Takes NULL. */
void vpnr_writer_free(VpnrWriter *writer);

G_END_DECLS
