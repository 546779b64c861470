/* SPDX-License-Identifier: MIT
 *
 * link: one connection between client and server that carries frames, from its first HELLO to its
 * last GOAWAY.
 *
 * A link has two threads: the writer (writer.h) is the only one that sends, the reader (reader.h)
 * the only one that receives. The link knows frames and no streams: what it receives goes to a
 * handler, and whoever has something to send pushes it into the writer's mailbox.
 *
 * Its life: vpnr_link_start(); then the handler's up, frames, sent; then ended trips. It ends when
 * the peer goes away, is silent for too long or breaks the protocol, or after vpnr_link_close().
 * Whoever started it waits for vpnr_link_ended() and frees it.
 */
#pragma once

#include <glib.h>

#include "base/latch.h"
#include "base/mailbox.h"
#include "base/stats.h"
#include "link/transport.h"
#include "proto/frame.h"
#include "proto/hello.h"

G_BEGIN_DECLS

/* Milliseconds between two PINGs. Three of them fit into the silence that is taken for death. They
 * do not wait for PONGs, which may be behind much data of a peer that hears nothing else. */
#define VPNR_PING_INTERVAL_MS 5000

/* Milliseconds without a byte from the peer, after which the link is dead. */
#define VPNR_SILENCE_MS 15000

/* How many answers to the peer's frames (PONG, RESET of a refused OPEN) may wait to be sent. A peer
 * that asks without reading would otherwise fill our memory; one that keeps the rules has one PING
 * under way. */
#define VPNR_ANSWERS_MAX 1024

typedef struct VpnrLink VpnrLink;

/* Sets what a link needs on its connected TCP socket. */
void vpnr_link_prepare_socket(int fd, VpnrProtocol protocol);

typedef struct {
	/* The peer's HELLO has come (VPNr/1: at once, with hello NULL). Reader thread, once, before
	 * any frame. */
	void (*up)(gpointer data, const VpnrHello *hello);
	/* A frame of a stream (transfer full). Reader thread. Returns NULL, or a phrase that says
	 * which rule the peer broke: the link then ends. Must not block, except that VPNr/1 has no
	 * other way to slow its peer down. */
	const char *(*frame)(gpointer data, VpnrFrame *frame);
	/* A frame of a stream (transfer none) leaves the writer: it is about to be sent, or is
	 * dropped because its stream was reset. Writer thread. */
	void (*released)(gpointer data, const VpnrFrame *frame);
} VpnrLinkHandler;

typedef struct {
	VpnrTransport *transport; /* (transfer full) */
	VpnrProtocol protocol;
	VpnrRole role;
	VpnrHello hello;                /* what we tell the peer; VPNr/2 */
	const VpnrLinkHandler *handler; /* lives as long as the link */
	gpointer data;                  /* for the handler */
	VpnrStats *stats;
} VpnrLinkParams;

/* Takes the transport; nothing is sent or received yet, but frames can be pushed. NULL with an
 * error when there is no descriptor left; the transport is freed then too. */
VpnrLink *vpnr_link_new(const VpnrLinkParams *params, GError **error);

/* Starts the two threads. FALSE with an error when the system has none to give. */
gboolean vpnr_link_start(VpnrLink *link, GError **error);

/* The writer's mailbox: whoever pushes a frame into it gives it away (transfer none, thread-safe,
 * valid as long as the link). */
VpnrMailbox *vpnr_link_outbox(VpnrLink *link);

/* Pushes a frame that answers one of the peer's (transfer full, reader thread). FALSE if
 * VPNR_ANSWERS_MAX wait already: the peer broke the protocol. */
gboolean vpnr_link_answer(VpnrLink *link, VpnrFrame *frame);

/* Ends the link politely (thread-safe): what waits in the outbox is given up, GOAWAY with this
 * reason is sent, and the link ends when the peer has closed as well, or at the latest in
 * vpnr_link_free(). */
void vpnr_link_close(VpnrLink *link, VpnrReason reason);

/* Trips when the link has ended (transfer none). */
const VpnrLatch *vpnr_link_ended(const VpnrLink *link);

/* Waits for the end of the link. When stop trips, it is closed politely, without waiting for the
 * peer: vpnr_link_free() does, when the streams are gone. A connection that has broken is an end as
 * well, although a reader of VPNr/1 may be held up by a stream and not have noticed: the handler's
 * owner makes it go on. */
void vpnr_link_wait(VpnrLink *link, const VpnrLatch *stop);

/* Why it ended, for logs, and whether that was in order (GOAWAY, or our own close). As long as
 * vpnr_link_ended() has not tripped: "closed", in order. */
const char *vpnr_link_end_text(const VpnrLink *link);
gboolean vpnr_link_ended_in_order(const VpnrLink *link);

/* Round-trip time in us of the last PING, or -1 (thread-safe). */
gint64 vpnr_link_rtt_us(const VpnrLink *link);

/* Joins the threads, closes the connection and frees. A link that has not ended is broken. The
 * handler's data must still be alive; nobody may use the outbox any more. Takes NULL. */
void vpnr_link_free(VpnrLink *link);

G_END_DECLS
