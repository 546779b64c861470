/* SPDX-License-Identifier: MIT
 *
 * peer: the other side of a VPNr/2 link, played by a test on a socket: what it sends, and what must
 * come. Every failure ends the test.
 */
#pragma once

#include <glib.h>

#include "base/key.h"
#include "link/transport.h"
#include "proto/frame.h"
#include "proto/hello.h"

G_BEGIN_DECLS

typedef struct {
	int fd;               /* blocking; belongs to tls if that is there */
	VpnrTransport *tls;   /* NULL: frames travel in the clear */
	GByteArray *received; /* not yet decoded */
} Peer;

/* A peer, and a plain transport for the code under test at the other end of its socket (transfer
 * full). */
VpnrTransport *peer_init(Peer *peer);

/* The same with small buffers (loopback_small_pair()). */
VpnrTransport *peer_init_small(Peer *peer);

/* A peer on a connected socket (transfer full), which shakes hands in this role and takes any key.
 * FALSE, without a peer, if there is no handshake with it. */
gboolean peer_init_tls(Peer *peer, int fd, VpnrRole role, const VpnrKey *private_key);

void peer_clear(Peer *peer);

/* Sends a frame (transfer full), or bytes. */
void peer_send(Peer *peer, VpnrFrame *frame);
void peer_send_bytes(Peer *peer, const guint8 *bytes, gsize n);
void peer_send_hello(Peer *peer);
void peer_send_cookie(Peer *peer, VpnrFrameType type, guint64 cookie);

/* Sends nothing more. */
void peer_end(Peer *peer);

/* The next frame (transfer full); waits. */
VpnrFrame *peer_next(Peer *peer);

/* The same, or NULL if the end comes instead. */
VpnrFrame *peer_next_or_end(Peer *peer);

/* The next frame must be of this type. */
void peer_expect(Peer *peer, VpnrFrameType type);
void peer_expect_goaway(Peer *peer, VpnrReason reason);
void peer_expect_reset(Peer *peer, guint32 stream, VpnrReason reason);

/* Takes n bytes of DATA of this stream, which must be these. */
void peer_expect_data(Peer *peer, guint32 stream, gconstpointer bytes, gsize n);

/* Nothing more must come than the end. */
void peer_expect_end(Peer *peer);

/* Frames as a test makes them (transfer full). */
VpnrFrame *peer_hello(void);
VpnrFrame *peer_data(guint32 stream, gconstpointer bytes, gsize n);
VpnrFrame *peer_datagram(guint32 stream, gconstpointer bytes, gsize n);
VpnrFrame *peer_goaway(VpnrReason reason);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Peer, peer_clear)

G_END_DECLS
