/* SPDX-License-Identifier: MIT
 *
 * peer: see peer.h.
 */
#include "tests/unit/link/peer.h"

#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "link/tls.h"
#include "proto/v2.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

static VpnrTransport *
init(Peer *peer, void (*make_pair)(int *ours, int *theirs))
{
	int ours;

	make_pair(&ours, &peer->fd);
	peer->tls = NULL;
	peer->received = g_byte_array_new();
	return vpnr_transport_new_plain(ours);
}

VpnrTransport *
peer_init(Peer *peer)
{
	return init(peer, loopback_pair);
}

VpnrTransport *
peer_init_small(Peer *peer)
{
	return init(peer, loopback_small_pair);
}

static gboolean
is_any(const VpnrKey *key, gpointer data)
{
	return TRUE;
}

gboolean
peer_init_tls(Peer *peer, int fd, VpnrRole role, const VpnrKey *private_key)
{
	VpnrTlsParams params = { .role = role,
				 .private_key = private_key,
				 .authorise = is_any,
				 .timeout_ms = PATIENCE_MS,
				 .cancel_fd = -1 };

	loopback_set_blocking(fd, FALSE);
	peer->fd = fd;
	peer->tls = vpnr_tls_handshake(fd, &params, NULL, NULL);
	if (peer->tls != NULL)
		peer->received = g_byte_array_new();
	return peer->tls != NULL;
}

void
peer_clear(Peer *peer)
{
	if (peer->tls != NULL)
		vpnr_transport_free(peer->tls);
	else
		vpnr_fd_close(peer->fd);
	g_byte_array_unref(peer->received);
}

void
peer_send_bytes(Peer *peer, const guint8 *bytes, gsize n)
{
	if (peer->tls != NULL)
		g_assert_true(vpnr_transport_send(peer->tls, bytes, n));
	else
		loopback_send(peer->fd, bytes, n);
}

void
peer_send(Peer *peer, VpnrFrame *frame)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	vpnr_v2_encode(frame, bytes);
	peer_send_bytes(peer, bytes->data, bytes->len);
	vpnr_frame_free(frame);
}

void
peer_send_hello(Peer *peer)
{
	peer_send(peer, peer_hello());
}

void
peer_send_cookie(Peer *peer, VpnrFrameType type, guint64 cookie)
{
	VpnrFrame *frame = vpnr_frame_new(type, 0, 0);

	frame->cookie = cookie;
	peer_send(peer, frame);
}

void
peer_end(Peer *peer)
{
	if (peer->tls != NULL)
		vpnr_transport_finish(peer->tls);
	else
		g_assert_cmpint(shutdown(peer->fd, SHUT_WR), ==, 0);
}

static gsize
receive(Peer *peer)
{
	guint8 bytes[16384];
	gssize got;

	do {
		got = peer->tls != NULL
			  ? vpnr_transport_recv(peer->tls, bytes, sizeof bytes, PATIENCE_MS)
			  : recv(peer->fd, bytes, sizeof bytes, 0);
	} while (got == VPNR_TRANSPORT_MORE);
	g_assert_cmpint(got, >=, 0);
	g_byte_array_append(peer->received, bytes, (guint)got);
	return (gsize)got;
}

VpnrFrame *
peer_next_or_end(Peer *peer)
{
	VpnrFrame *frame = NULL;
	const char *why = NULL;
	gsize used;

	for (;;) {
		VpnrDecode result =
		    vpnr_v2_decode(peer->received->data, peer->received->len, &frame, &used, &why);

		g_assert_cmpint(result, !=, VPNR_DECODE_BAD);
		if (result == VPNR_DECODE_OK)
			break;
		if (receive(peer) == 0) {
			g_assert_cmpuint(peer->received->len, ==, 0);
			return NULL;
		}
	}
	g_byte_array_remove_range(peer->received, 0, (guint)used);
	return frame;
}

VpnrFrame *
peer_next(Peer *peer)
{
	VpnrFrame *frame = peer_next_or_end(peer);

	g_assert_nonnull(frame);
	return frame;
}

void
peer_expect(Peer *peer, VpnrFrameType type)
{
	g_autoptr(VpnrFrame) frame = peer_next(peer);

	g_assert_cmpstr(vpnr_frame_type_name(frame->type), ==, vpnr_frame_type_name(type));
}

void
peer_expect_goaway(Peer *peer, VpnrReason reason)
{
	g_autoptr(VpnrFrame) frame = peer_next(peer);

	g_assert_cmpstr(vpnr_frame_type_name(frame->type), ==, "GOAWAY");
	g_assert_cmpint(frame->reason, ==, reason);
}

void
peer_expect_reset(Peer *peer, guint32 stream, VpnrReason reason)
{
	g_autoptr(VpnrFrame) frame = peer_next(peer);

	g_assert_cmpstr(vpnr_frame_type_name(frame->type), ==, "RESET");
	g_assert_cmpuint(frame->stream, ==, stream);
	g_assert_cmpint(frame->reason, ==, reason);
}

void
peer_expect_data(Peer *peer, guint32 stream, gconstpointer bytes, gsize n)
{
	const guint8 *at = bytes;

	while (n > 0) {
		g_autoptr(VpnrFrame) frame = peer_next(peer);

		g_assert_cmpstr(vpnr_frame_type_name(frame->type), ==, "DATA");
		g_assert_cmpuint(frame->stream, ==, stream);
		g_assert_cmpuint(frame->size, <=, n);
		g_assert_cmpmem(frame->data, frame->size, at, frame->size);
		at += frame->size;
		n -= frame->size;
	}
}

void
peer_expect_end(Peer *peer)
{
	g_assert_null(peer_next_or_end(peer));
}

VpnrFrame *
peer_hello(void)
{
	static const VpnrHello hello = { .version = VPNR_HELLO_VERSION,
					 .max_streams = 100,
					 .initial_window = 65536,
					 .software = "peer 1.0" };
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_HELLO, 0, 0);

	frame->hello = vpnr_hello_copy(&hello);
	return frame;
}

VpnrFrame *
peer_data(guint32 stream, gconstpointer bytes, gsize n)
{
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_DATA, stream, n);

	memcpy(frame->data, bytes, n);
	return frame;
}

VpnrFrame *
peer_datagram(guint32 stream, gconstpointer bytes, gsize n)
{
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_DATAGRAM, stream, n);

	memcpy(frame->data, bytes, n);
	return frame;
}

VpnrFrame *
peer_goaway(VpnrReason reason)
{
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_GOAWAY, 0, 0);

	frame->reason = reason;
	return frame;
}
