/* SPDX-License-Identifier: MIT
 *
 * party: client or server of a VPNr/2 session, played by a test: it outlives its links, as a
 * session does, and counts the frames that both sides count. What travels on a link beside the
 * session (PING, PONG, ACK) it passes over. Every failure ends the test.
 */
#pragma once

#include <glib.h>

#include "base/key.h"
#include "proto/frame.h"
#include "proto/hello.h"
#include "tests/unit/link/peer.h"

G_BEGIN_DECLS

typedef struct {
	Peer link; /* the one there is; without one, received is NULL */
	gboolean has_session;
	VpnrSessionId id;
	guint32 capabilities; /* of its HELLO */
	gboolean has_origin;
	VpnrOrigin origin;      /* of its HELLO */
	guint64 sent, received; /* sequenced frames of the session */
} Party;

/* Shakes hands on a connected socket (transfer full) and takes any key. FALSE, without a link, if
 * there is no handshake. The counts stay as they are. */
gboolean party_shake_hands(Party *party, int fd, VpnrRole role, const VpnrKey *private_key);

/* Closes the link, if there is one. The session stays. */
void party_hang_up(Party *party);
void party_clear(Party *party);

/* A party without a link, in a new session (server: one that it names). */
void party_begin(Party *party, VpnrRole role);

/* HELLO as the party has to say it (transfer full): with its session, if it has one, and what it
 * has received. */
VpnrFrame *party_hello(const Party *party);

/* The next frame must be a HELLO, which is stored. */
void party_take_hello(Party *party, VpnrHello *hello);

/* As client, after the handshake: HELLO for HELLO. TRUE: the session goes on. FALSE: it is a new
 * one, which the party now has. */
gboolean party_greet_server(Party *party);

/* As server, after the handshake: *hello is what the client says; it gets the party's session. */
void party_greet_client(Party *party, VpnrHello *hello);

/* Sends a frame (transfer full). */
void party_send(Party *party, VpnrFrame *frame);

/* The next frame of the session, or GOAWAY (transfer full); waits. */
VpnrFrame *party_next(Party *party);

/* The next one must be this. */
void party_expect(Party *party, VpnrFrameType type);
void party_expect_goaway(Party *party, VpnrReason reason);
void party_expect_reset(Party *party, guint32 stream, VpnrReason reason);
void party_expect_datagram(Party *party, guint32 stream, gconstpointer bytes, gsize n);
void party_expect_data(Party *party, guint32 stream, gconstpointer bytes, gsize n);

/* The link must end, in order or not, without another frame of the session. */
void party_expect_end(Party *party);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Party, party_clear)

G_END_DECLS
