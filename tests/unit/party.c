/* SPDX-License-Identifier: MIT
 *
 * party: see party.h.
 */
#include "tests/unit/party.h"

#include <string.h>

#include "proto/v2.h"
#include "tests/unit/patience.h"

void
party_begin(Party *party, VpnrRole role)
{
	*party = (Party){ .has_session = role == VPNR_ROLE_SERVER };
	if (party->has_session)
		for (gsize i = 0; i < sizeof party->id; i++)
			party->id.bytes[i] = (guint8)g_random_int();
}

gboolean
party_shake_hands(Party *party, int fd, VpnrRole role, const VpnrKey *private_key)
{
	Peer link = { .fd = -1 };

	g_assert_null(party->link.received);
	if (!peer_init_tls(&link, fd, role, private_key))
		return FALSE;
	party->link = link;
	return TRUE;
}

void
party_hang_up(Party *party)
{
	if (party->link.received != NULL)
		peer_clear(&party->link);
	party->link = (Peer){ .fd = -1 };
}

void
party_clear(Party *party)
{
	party_hang_up(party);
}

/* --- HELLO ------------------------------------------------------------------------------------ */

VpnrFrame *
party_hello(const Party *party)
{
	VpnrFrame *frame = peer_hello();

	frame->hello->capabilities = party->capabilities;
	frame->hello->has_session = party->has_session;
	frame->hello->session = party->id;
	frame->hello->received = party->received;
	frame->hello->has_origin = party->has_origin;
	frame->hello->origin = party->origin;
	return frame;
}

void
party_take_hello(Party *party, VpnrHello *hello)
{
	g_autoptr(VpnrFrame) frame = peer_next(&party->link);

	g_assert_cmpstr(vpnr_frame_type_name(frame->type), ==, "HELLO");
	*hello = *frame->hello;
}

gboolean
party_greet_server(Party *party)
{
	VpnrHello hello;
	gboolean resumed;

	party_send(party, party_hello(party));
	party_take_hello(party, &hello);
	g_assert_true(hello.has_session);
	resumed = party->has_session && vpnr_session_id_equal(&hello.session, &party->id);
	if (!resumed) {
		party->has_session = TRUE;
		party->id = hello.session;
		party->sent = party->received = 0;
	}
	g_assert_cmpuint(hello.received, ==, party->sent);
	return resumed;
}

void
party_greet_client(Party *party, VpnrHello *hello)
{
	party_take_hello(party, hello);
	party_send(party, party_hello(party));
}

/* --- frames ----------------------------------------------------------------------------------- */

void
party_send(Party *party, VpnrFrame *frame)
{
	party->sent += vpnr_frame_is_sequenced(frame);
	peer_send(&party->link, frame);
}

static gboolean
is_of_the_link(const VpnrFrame *frame)
{
	return frame->type == VPNR_FRAME_PING || frame->type == VPNR_FRAME_PONG ||
	       frame->type == VPNR_FRAME_ACK;
}

VpnrFrame *
party_next(Party *party)
{
	VpnrFrame *frame;

	while (is_of_the_link(frame = peer_next(&party->link)))
		vpnr_frame_free(frame);
	party->received += vpnr_frame_is_sequenced(frame);
	return frame;
}

static VpnrFrame *
expect(Party *party, VpnrFrameType type)
{
	VpnrFrame *frame = party_next(party);

	g_assert_cmpstr(vpnr_frame_type_name(frame->type), ==, vpnr_frame_type_name(type));
	return frame;
}

void
party_expect(Party *party, VpnrFrameType type)
{
	vpnr_frame_free(expect(party, type));
}

void
party_expect_goaway(Party *party, VpnrReason reason)
{
	g_autoptr(VpnrFrame) frame = expect(party, VPNR_FRAME_GOAWAY);

	g_assert_cmpint(frame->reason, ==, reason);
}

void
party_expect_reset(Party *party, guint32 stream, VpnrReason reason)
{
	g_autoptr(VpnrFrame) frame = expect(party, VPNR_FRAME_RESET);

	g_assert_cmpuint(frame->stream, ==, stream);
	g_assert_cmpint(frame->reason, ==, reason);
}

void
party_expect_datagram(Party *party, guint32 stream, gconstpointer bytes, gsize n)
{
	g_autoptr(VpnrFrame) frame = expect(party, VPNR_FRAME_DATAGRAM);

	g_assert_cmpuint(frame->stream, ==, stream);
	g_assert_cmpmem(frame->data, frame->size, bytes, n);
}

void
party_expect_data(Party *party, guint32 stream, gconstpointer bytes, gsize n)
{
	for (const guint8 *at = bytes; n > 0;) {
		g_autoptr(VpnrFrame) frame = expect(party, VPNR_FRAME_DATA);

		g_assert_cmpuint(frame->stream, ==, stream);
		g_assert_cmpuint(frame->size, <=, n);
		g_assert_cmpmem(frame->data, frame->size, at, frame->size);
		at += frame->size;
		n -= frame->size;
	}
}

/* Whole frames of the session, among what has come. */
static void
expect_none_of_the_session(GByteArray *bytes)
{
	VpnrFrame *frame = NULL;
	const char *why = NULL;
	gsize used;

	while (vpnr_v2_decode(bytes->data, bytes->len, &frame, &used, &why) == VPNR_DECODE_OK) {
		g_assert_true(is_of_the_link(frame));
		vpnr_frame_free(frame);
		g_byte_array_remove_range(bytes, 0, (guint)used);
	}
}

void
party_expect_end(Party *party)
{
	guint8 bytes[4096];
	gssize got;

	do {
		expect_none_of_the_session(party->link.received);
		got = vpnr_transport_recv(party->link.tls, bytes, sizeof bytes, PATIENCE_MS);
		g_assert_cmpint(got, !=, VPNR_TRANSPORT_IDLE);
		if (got > 0)
			g_byte_array_append(party->link.received, bytes, (guint)got);
	} while (got > 0 || got == VPNR_TRANSPORT_MORE);
}
