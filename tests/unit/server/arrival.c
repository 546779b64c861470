/* SPDX-License-Identifier: MIT
 *
 * arrival: its HELLO, what comes behind it, and which session it asks for.
 */
#include "server/arrival.h"

#include <string.h>

#include "base/latch.h"
#include "link/greeting.h"
#include "proto/v2.h"
#include "tests/unit/link/peer.h"

static const VpnrSessionId id = { { 1, 2, 3 } };
static const VpnrSessionId other = { { 1, 2, 4 } };
static const VpnrAddr addr = { .type = VPNR_ADDR_IPV4, .port = 7, .ip4 = { 10, 9, 8, 7 } };

static void
test_greet(void)
{
	g_auto(Peer) client;
	g_autoptr(VpnrArrival) arrival = vpnr_arrival_new(peer_init(&client), &addr);
	g_autoptr(GError) error = NULL;
	VpnrFrame *hello = peer_hello();

	hello->hello->has_session = TRUE;
	hello->hello->session = id;
	hello->hello->received = 42;
	peer_send(&client, hello);
	g_assert_true(vpnr_arrival_greet(arrival, -1, &error));
	g_assert_no_error(error);
	g_assert_true(vpnr_arrival_asks_for(arrival, &id));
	g_assert_false(vpnr_arrival_asks_for(arrival, &other));
	g_assert_cmpuint(arrival->hello.received, ==, 42);
	g_assert_true(vpnr_addr_equal(&arrival->peer, &addr));
}

static void
test_early(void)
{
	g_test_summary("What comes behind HELLO is kept, or still to be read: not a byte is lost.");

	g_auto(Peer) client;
	g_autoptr(VpnrArrival) arrival = vpnr_arrival_new(peer_init(&client), &addr);
	g_autoptr(VpnrFrame) hello = peer_hello();
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	guint8 rest[64] = { 0 };
	gsize got;

	vpnr_v2_encode(hello, bytes);
	g_byte_array_append(bytes, (const guint8 *)"behind", 6);
	peer_send_bytes(&client, bytes->data, bytes->len);
	g_assert_true(vpnr_arrival_greet(arrival, -1, NULL));
	got = arrival->early->len;
	memcpy(rest, arrival->early->data, got);
	while (got < 6) {
		gssize now = vpnr_transport_recv(arrival->transport, rest + got, 6 - got, -1);

		g_assert_cmpint(now, >, 0);
		got += (gsize)now;
	}
	g_assert_cmpmem(rest, got, "behind", 6);
}

static void
test_asks_for_none(void)
{
	g_test_summary("Who names no session does not ask for the one whose name is all zeros.");

	g_auto(Peer) client;
	g_autoptr(VpnrArrival) arrival = vpnr_arrival_new(peer_init(&client), &addr);
	VpnrSessionId zeros = { { 0 } };

	peer_send_hello(&client);
	g_assert_true(vpnr_arrival_greet(arrival, -1, NULL));
	g_assert_false(vpnr_arrival_asks_for(arrival, &zeros));
	g_assert_false(vpnr_arrival_asks_for(arrival, &id));
}

static void
test_cancelled(void)
{
	g_auto(Peer) client;
	g_autoptr(VpnrArrival) arrival = vpnr_arrival_new(peer_init(&client), &addr);
	VpnrLatch *latch = vpnr_latch_new(NULL);
	g_autoptr(GError) error = NULL;

	vpnr_latch_trip(latch);
	g_assert_false(vpnr_arrival_greet(arrival, vpnr_latch_fd(latch), &error));
	g_assert_error(error, VPNR_GREETING_ERROR, VPNR_GREETING_ERROR_CANCELLED);
	vpnr_latch_free(latch);
}

static void
test_free(void)
{
	g_test_summary("Whoever frees it closes the connection, unless that was taken.");

	g_auto(Peer) closed;
	g_auto(Peer) taken;
	VpnrArrival *arrival = vpnr_arrival_new(peer_init(&taken), &addr);
	g_autoptr(VpnrTransport) transport = g_steal_pointer(&arrival->transport);

	vpnr_arrival_free(arrival);
	g_assert_true(vpnr_transport_send(transport, (const guint8 *)"\0\0\0\x11\0\0\0\1", 8));
	peer_expect(&taken, VPNR_FRAME_OPENED);
	vpnr_arrival_free(vpnr_arrival_new(peer_init(&closed), &addr));
	peer_expect_end(&closed);
	vpnr_arrival_free(NULL);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/arrival/greet", test_greet);
	g_test_add_func("/arrival/early", test_early);
	g_test_add_func("/arrival/asks-for-none", test_asks_for_none);
	g_test_add_func("/arrival/cancelled", test_cancelled);
	g_test_add_func("/arrival/free", test_free);
	return g_test_run();
}
