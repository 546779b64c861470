/* SPDX-License-Identifier: MIT
 *
 * writer: the only thread that sends on a link.
 *
 * It takes frames from its mailbox, orders them (schedule.h), encodes them into a batch and sends
 * the batch. GOAWAY is the last frame that it sends.
 */
#pragma once

#include <glib.h>

#include "base/mailbox.h"
#include "base/stats.h"
#include "link/transport.h"
#include "proto/frame.h"

G_BEGIN_DECLS

typedef struct VpnrWriter VpnrWriter;

typedef struct {
	VpnrTransport *transport; /* outlives the writer */
	VpnrProtocol protocol;
	VpnrRole role;
	/* A frame of a stream (transfer none) leaves the writer: it is about to be sent, or is
	 * dropped because its stream was reset. Writer thread. */
	void (*released)(gpointer data, const VpnrFrame *frame);
	gpointer data;
	VpnrStats *stats;
} VpnrWriterParams;

/* NULL with an error when there is no descriptor left. */
VpnrWriter *vpnr_writer_new(const VpnrWriterParams *params, GError **error);

/* Starts the thread. FALSE with an error when the system has none to give. */
gboolean vpnr_writer_start(VpnrWriter *writer, GError **error);

/* Where frames for the link go (transfer none). */
VpnrMailbox *vpnr_writer_mailbox(VpnrWriter *writer);

/* Frames marked as answers that have been pushed with vpnr_writer_push_answer() and not been
 * sent. */
gint vpnr_writer_answers(const VpnrWriter *writer);

/* Pushes a frame and counts it as an answer until it is sent (transfer full, reader thread). */
void vpnr_writer_push_answer(VpnrWriter *writer, VpnrFrame *frame);

/* Makes the thread end as soon as it does not block in a send (thread-safe). */
void vpnr_writer_stop(VpnrWriter *writer);

/* Waits for the thread, which ends after a GOAWAY, a stop or a failed send. For at most patience_ms
 * it may go on sending; then the transport is shut. What is pushed afterwards is never sent. Takes
 * NULL. */
void vpnr_writer_join(VpnrWriter *writer, int patience_ms);

/* Joins, as above, and frees. Nobody may push any more. Takes NULL. */
void vpnr_writer_free(VpnrWriter *writer, int patience_ms);

G_END_DECLS
