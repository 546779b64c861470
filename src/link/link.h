/* SPDX-License-Identifier: MIT
 *
 * link: one connection that carries the frames of a session, from the end of its HELLOs to its end.
 *
 * It has the reader (reader.h), watches over the peer with PING, PONG and silence, and says why it
 * ended. What it has to send goes to the session's writer, which outlives it.
 */
#pragma once

#include <glib.h>

#include "base/latch.h"
#include "base/stats.h"
#include "link/transport.h"
#include "link/writer.h"
#include "proto/frame.h"

G_BEGIN_DECLS

/* Milliseconds between two PINGs. Three of them fit into the silence that is taken for death. They
 * do not wait for PONGs, which may be behind much data of a peer that hears nothing else. */
#define VPNR_PING_INTERVAL_MS 5000

/* Milliseconds without a byte from the peer, after which the link is dead. */
#define VPNR_SILENCE_MS 15000

/* When frames that have come are acknowledged at the latest: after so many, so many bytes, or so
 * many milliseconds without anything coming (docs/protocol.md, 2.11). The peer has to keep what is
 * not acknowledged. */
#define VPNR_ACK_FRAMES   64
#define VPNR_ACK_BYTES    (256 * 1024)
#define VPNR_ACK_DELAY_MS 50

typedef struct VpnrLink VpnrLink;

/* Sets what a link needs on its TCP socket; or on one that listens, whose connections then have it
 * (Linux). */
void vpnr_link_prepare_socket(int fd, VpnrProtocol protocol);

typedef struct {
	VpnrTransport *transport; /* outlives the link */
	const GByteArray *early;  /* see reader.h */
	VpnrProtocol protocol;
	VpnrRole role;
	guint number;       /* for the reader's name, see session.h */
	VpnrWriter *writer; /* outlives the link */
	/* A frame of a stream (transfer full). Reader thread. Returns NULL, or a phrase that says
	 * which rule the peer broke: the link then ends. Must not block, except that VPNr/1 has no
	 * other way to slow its peer down. */
	const char *(*frame)(gpointer data, VpnrFrame *frame);
	gpointer data;
	guint64 worn_bytes; /* see vpnr_link_worn(); 0: never */
	VpnrStats *stats;
} VpnrLinkParams;

/* Starts reading. NULL with an error when a descriptor or a thread is missing. */
VpnrLink *vpnr_link_start(const VpnrLinkParams *params, GError **error);

/* Trips when the link has ended, and when it has carried worn_bytes in one direction and should be
 * replaced (transfer none). */
const VpnrLatch *vpnr_link_ended(const VpnrLink *link);
const VpnrLatch *vpnr_link_worn(const VpnrLink *link);

/* How a link ended. */
typedef enum {
	VPNR_LINK_OPEN,      /* it has not */
	VPNR_LINK_LOST,      /* the connection broke, or the peer was silent: nobody wanted it */
	VPNR_LINK_GOODBYE,   /* the peer has ended the session in order: GOAWAY without a fault */
	VPNR_LINK_FAULT,     /* the peer has ended the session: GOAWAY with another reason */
	VPNR_LINK_VIOLATION, /* we have ended it, for one of the peer's */
} VpnrLinkEnd;

/* How it ended, and why, for logs (any thread, after vpnr_link_ended(); the text is valid as long
 * as the link). */
VpnrLinkEnd vpnr_link_end(const VpnrLink *link);
const char *vpnr_link_end_text(const VpnrLink *link);

/* Round-trip time in us of the last PING, or -1; monotonic us of the start (thread-safe). */
gint64 vpnr_link_rtt_us(const VpnrLink *link);
gint64 vpnr_link_since_us(const VpnrLink *link);

/* Waits for the reader: from then on vpnr_link_end() has the last word. The transport has been shut
 * or has ended. */
void vpnr_link_join(VpnrLink *link);

/* Joins the reader and frees. The transport has been shut or has ended, and the writer is still
 * there. Takes NULL. */
void vpnr_link_free(VpnrLink *link);

G_END_DECLS
