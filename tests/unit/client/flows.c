/* SPDX-License-Identifier: MIT
 *
 * flows: which datagrams belong together, what waits for the link, and what is refused. The sockets
 * of the flows are ordinary ones here, connected to an application of the test. Linked with
 * --wrap=g_get_monotonic_time, so that time passes when the test says so.
 */
#include "client/flows.h"

#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "stream/room.h"
#include "tests/unit/client/linked.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

#define IDLE_MS PATIENCE_MS

typedef struct {
	Linked linked;
	VpnrFlows *flows;
	int app; /* the application */
	VpnrAddr peer;
	_Atomic gboolean no_socket;
	_Atomic gboolean unconnected; /* sockets stay as they are before connect() */
	_Atomic guint port;           /* of the newest socket */
} Bench;

static gboolean
open_socket(gpointer data, const VpnrAddr *peer, const VpnrAddr *dest, VpnrFlowsSocket *socket)
{
	Bench *bench = data;
	struct sockaddr_storage ss;
	socklen_t size = vpnr_addr_to_sockaddr(peer, &ss);
	VpnrAddr own;

	if (atomic_load(&bench->no_socket))
		return FALSE;
	socket->fd = loopback_udp(&own);
	atomic_store(&bench->port, own.port);
	return atomic_load(&bench->unconnected) ||
	       connect(socket->fd, (struct sockaddr *)&ss, size) == 0;
}

static void
start(Bench *bench, guint max_flows, guint max_threads)
{
	g_autoptr(GError) error = NULL;

	memset(bench, 0, sizeof *bench);
	linked_start(&bench->linked, 1000, max_threads);
	bench->app = loopback_udp(&bench->peer);
	bench->flows = vpnr_flows_new(&(VpnrFlowsParams){ .max_flows = max_flows,
							  .idle_ms = IDLE_MS,
							  .open = open_socket,
							  .data = bench,
							  .pool = bench->linked.pool,
							  .uplinks = bench->linked.uplinks,
							  .stats = &bench->linked.stats },
				      &error);
	g_assert_no_error(error);
}

static void
bench_clear(Bench *bench)
{
	vpnr_flows_stop(bench->flows);
	linked_end(&bench->linked);
	vpnr_flows_free(bench->flows);
	vpnr_fd_close(bench->app);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

/* Microseconds that the clock is ahead. */
static _Atomic gint64 ahead;

gint64 __real_g_get_monotonic_time(void);
gint64 __wrap_g_get_monotonic_time(void);

gint64
__wrap_g_get_monotonic_time(void)
{
	return __real_g_get_monotonic_time() + atomic_load(&ahead);
}

/* The application sends a text to dest. */
static void
give(Bench *bench, const char *dest, const char *text)
{
	VpnrAddr addr = loopback_parse(dest);

	vpnr_flows_give(bench->flows, &bench->peer, &addr, (const guint8 *)text, strlen(text));
}

static void
expect_answer(Bench *bench, const char *text)
{
	struct pollfd pfd = { .fd = bench->app, .events = POLLIN };
	char bytes[64];
	gssize n;

	g_assert_cmpint(poll(&pfd, 1, PATIENCE_MS), ==, 1);
	n = recv(bench->app, bytes, sizeof bytes, 0);
	g_assert_cmpint(n, ==, (gssize)strlen(text));
	g_assert_cmpmem(bytes, (gsize)n, text, strlen(text));
}

static void
wait_count(Bench *bench, guint n)
{
	for (gint64 begin = g_get_monotonic_time(); vpnr_flows_count(bench->flows) != n;
	     patience(begin))
		;
}

static void
wait_waiting(Bench *bench, guint n)
{
	for (gint64 begin = g_get_monotonic_time(); vpnr_flows_waiting(bench->flows) != n;
	     patience(begin))
		;
}

static guint64
stat_of(Bench *bench, VpnrStat stat)
{
	return linked_stat(&bench->linked, stat);
}

static void
test_flow(void)
{
	g_test_summary("Datagrams of one pair are one flow, and answers go to the application.");

	g_auto(Bench) bench;

	start(&bench, 10, 10);
	linked_greet(&bench.linked, TRUE);
	give(&bench, "192.0.2.1:443", "one");
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "192.0.2.1:443");
	linked_expect_datagram(&bench.linked, "one");
	give(&bench, "192.0.2.1:443", "two");
	linked_expect_datagram(&bench.linked, "two");
	linked_answer(&bench.linked, "answer");
	expect_answer(&bench, "answer");
	g_assert_cmpuint(vpnr_flows_count(bench.flows), ==, 1);
}

static void
test_empty(void)
{
	g_test_summary("An empty datagram is one like any other.");

	g_auto(Bench) bench;

	start(&bench, 10, 10);
	linked_greet(&bench.linked, TRUE);
	for (guint i = 0; i < 2; i++) {
		give(&bench, "192.0.2.1:443", "");
		if (i == 0)
			linked_expect_open(&bench.linked, VPNR_KIND_UDP, "192.0.2.1:443");
		linked_expect_datagram(&bench.linked, "");
	}
	linked_answer(&bench.linked, "");
	expect_answer(&bench, "");
}

static void
test_pairs(void)
{
	g_test_summary("Another destination, and another application, is another flow.");

	g_auto(Bench) bench;
	VpnrAddr dest = loopback_parse("192.0.2.1:443");

	start(&bench, 10, 10);
	linked_greet(&bench.linked, TRUE);
	give(&bench, "192.0.2.1:443", "one");
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "192.0.2.1:443");
	linked_expect_datagram(&bench.linked, "one");
	give(&bench, "192.0.2.1:444", "two");
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "192.0.2.1:444");
	linked_expect_datagram(&bench.linked, "two");
	bench.peer.ip4[3]++;
	vpnr_flows_give(bench.flows, &bench.peer, &dest, (const guint8 *)"three", 5);
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "192.0.2.1:443");
	linked_expect_datagram(&bench.linked, "three");
	g_assert_cmpuint(vpnr_flows_count(bench.flows), ==, 3);
}

static void
test_stray(void)
{
	g_test_summary("What the socket of a flow has received from another application is of "
		       "another flow.");

	VpnrAddr addr;
	VpnrAddr to = loopback_parse("127.0.0.1:1");
	g_auto(VpnrFd) stranger = loopback_udp(&addr);
	g_auto(Bench) bench;

	start(&bench, 10, 10);
	atomic_store(&bench.unconnected, TRUE);
	linked_greet(&bench.linked, TRUE);
	give(&bench, "192.0.2.1:443", "one");
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "192.0.2.1:443");
	linked_expect_datagram(&bench.linked, "one");
	to.port = (guint16)atomic_load(&bench.port);
	loopback_udp_connect(stranger, &to);
	loopback_udp_send(stranger, "stray", 5);
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "192.0.2.1:443");
	linked_expect_datagram(&bench.linked, "stray");
	g_assert_cmpuint(vpnr_flows_count(bench.flows), ==, 2);
}

static void
test_dns(void)
{
	g_auto(Bench) bench;
	g_autoptr(GError) error = NULL;
	VpnrFlows *flows;
	VpnrAddr dest = loopback_parse("192.0.2.1:53");

	start(&bench, 10, 10);
	linked_greet(&bench.linked, TRUE);
	flows = vpnr_flows_new(&(VpnrFlowsParams){ .max_flows = 1,
						   .idle_ms = IDLE_MS,
						   .dns = { .who = VPNR_DNS_SERVER },
						   .open = open_socket,
						   .data = &bench,
						   .pool = bench.linked.pool,
						   .uplinks = bench.linked.uplinks,
						   .stats = &bench.linked.stats },
			       &error);
	g_assert_no_error(error);
	vpnr_flows_give(flows, &bench.peer, &dest, (const guint8 *)"question", 8);
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "resolver.invalid:53");
	linked_expect_datagram(&bench.linked, "question");
	vpnr_flows_end(flows);
	vpnr_flows_free(flows);
	party_expect(&bench.linked.party, VPNR_FRAME_FIN);
}

static void
test_ended(void)
{
	g_test_summary("After the server has ended a flow, the next datagram makes another.");

	g_auto(Bench) bench;

	start(&bench, 10, 10);
	linked_greet(&bench.linked, TRUE);
	for (guint i = 0; i < 3; i++) {
		give(&bench, "192.0.2.1:443", "one");
		linked_expect_open(&bench.linked, VPNR_KIND_UDP, "192.0.2.1:443");
		linked_expect_datagram(&bench.linked, "one");
		party_send(&bench.linked.party,
			   vpnr_frame_new_reset(bench.linked.id, VPNR_REASON_DENIED));
		wait_count(&bench, 0);
	}
}

/* The RESET may overtake the datagram. */
static void
expect_timed_out(Bench *bench)
{
	g_autoptr(VpnrFrame) frame = party_next(&bench->linked.party);

	if (frame->type == VPNR_FRAME_DATAGRAM) {
		vpnr_frame_free(frame);
		frame = party_next(&bench->linked.party);
	}
	g_assert_cmpint(frame->type, ==, VPNR_FRAME_RESET);
	g_assert_cmpint(frame->reason, ==, VPNR_REASON_TIMED_OUT);
}

static void
test_idle(void)
{
	g_auto(Bench) bench;
	g_autoptr(GError) error = NULL;
	g_autoptr(VpnrFlows) flows = NULL;
	VpnrAddr dest = loopback_parse("192.0.2.1:443");

	start(&bench, 10, 10);
	linked_greet(&bench.linked, TRUE);
	flows = vpnr_flows_new(&(VpnrFlowsParams){ .max_flows = 1,
						   .idle_ms = 1,
						   .open = open_socket,
						   .data = &bench,
						   .pool = bench.linked.pool,
						   .uplinks = bench.linked.uplinks,
						   .stats = &bench.linked.stats },
			       &error);
	g_assert_no_error(error);
	vpnr_flows_give(flows, &bench.peer, &dest, (const guint8 *)"one", 3);
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "192.0.2.1:443");
	expect_timed_out(&bench);
	vpnr_flows_end(flows);
	g_assert_cmpuint(vpnr_flows_count(flows), ==, 0);
}

static void
give_number(Bench *bench, guint i)
{
	g_autofree char *text = g_strdup_printf("%u", i);

	give(bench, "192.0.2.1:443", text);
}

static void
expect_number(Bench *bench, guint i)
{
	g_autofree char *text = g_strdup_printf("%u", i);

	linked_expect_datagram(&bench->linked, text);
}

static void
test_wait(void)
{
	g_test_summary(
	    "Without a link the newest datagrams of a flow wait, and are sent in order.");

	g_auto(Bench) bench;
	const guint dropped = 2;
	const guint n = dropped + VPNR_FLOWS_WAITING;

	start(&bench, 10, 10);
	for (guint i = 0; i < n; i++)
		give_number(&bench, i);
	wait_waiting(&bench, 1);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_DATAGRAMS_DROPPED), ==, dropped);
	linked_greet(&bench.linked, TRUE);
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "192.0.2.1:443");
	for (guint i = dropped; i < n; i++)
		expect_number(&bench, i);
	wait_waiting(&bench, 0);
}

static void
test_wait_size(void)
{
	g_test_summary("What waits in all flows together is bounded in bytes.");

	g_auto(Bench) bench;
	g_autofree guint8 *large = g_malloc0(VPNR_DATAGRAM_MAX);
	guint fit = VPNR_ROOM_ALL / (VPNR_DATAGRAM_MAX + VPNR_ROOM_COST);

	start(&bench, 1000, 1000);
	for (guint i = 0; i < fit + 5; i++) {
		VpnrAddr dest = loopback_parse("192.0.2.1:1000");

		dest.port = (guint16)(dest.port + i);
		vpnr_flows_give(bench.flows, &bench.peer, &dest, large, VPNR_DATAGRAM_MAX);
	}
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_DATAGRAMS_DROPPED), ==, 5);
	vpnr_flows_end(bench.flows);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_DATAGRAMS_DROPPED), ==, fit + 5);
}

static void
test_limit(void)
{
	g_test_summary("Flows above the limit are refused and counted; those there are go on.");

	g_auto(Bench) bench;

	start(&bench, 2, 10);
	linked_greet(&bench.linked, TRUE);
	give(&bench, "192.0.2.1:443", "one");
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "192.0.2.1:443");
	linked_expect_datagram(&bench.linked, "one");
	give(&bench, "192.0.2.2:443", "two");
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "192.0.2.2:443");
	linked_expect_datagram(&bench.linked, "two");
	for (guint i = 0; i < 20; i++)
		give(&bench, "192.0.2.3:443", "three");
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_FLOWS_REFUSED), ==, 20);
	g_assert_cmpuint(vpnr_flows_count(bench.flows), ==, 2);
	give(&bench, "192.0.2.2:443", "again");
	linked_expect_datagram(&bench.linked, "again");
}

static void
open_flow(Bench *bench, const char *dest)
{
	give(bench, dest, "first");
	linked_expect_open(&bench->linked, VPNR_KIND_UDP, dest);
	linked_expect_datagram(&bench->linked, "first");
}

static void
test_rest(void)
{
	g_test_summary("At the limit a flow at rest makes room for those that come.");

	g_auto(Bench) bench;
	Party *party = &bench.linked.party;

	start(&bench, 3, 10);
	linked_greet(&bench.linked, TRUE);
	open_flow(&bench, "192.0.2.1:443");
	open_flow(&bench, "192.0.2.2:443");
	atomic_fetch_add(&ahead, VPNR_FLOWS_REST_MS * 1000);
	give(&bench, "192.0.2.1:443", "second");
	party_expect_datagram(party, 1, "second", 6);
	open_flow(&bench, "192.0.2.3:443");
	give(&bench, "192.0.2.4:443", "too early");
	party_expect(party, VPNR_FRAME_FIN);
	wait_count(&bench, 2);
	open_flow(&bench, "192.0.2.4:443");
	give(&bench, "192.0.2.1:443", "third");
	party_expect_datagram(party, 1, "third", 5);
	give(&bench, "192.0.2.3:443", "second");
	party_expect_datagram(party, 3, "second", 6);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_FLOWS_REFUSED), ==, 1);
}

static void
test_no_thread(void)
{
	g_auto(Bench) bench;

	start(&bench, 10, 0);
	give(&bench, "192.0.2.1:443", "one");
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_FLOWS_REFUSED), ==, 1);
	g_assert_cmpuint(vpnr_flows_count(bench.flows), ==, 0);
}

static void
test_no_socket(void)
{
	g_auto(Bench) bench;

	start(&bench, 10, 10);
	linked_greet(&bench.linked, TRUE);
	atomic_store(&bench.no_socket, TRUE);
	give(&bench, "192.0.2.1:443", "one");
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "192.0.2.1:443");
	party_expect_reset(&bench.linked.party, bench.linked.id, VPNR_REASON_LIMIT);
	wait_count(&bench, 0);
}

static void
test_unsupported(void)
{
	g_test_summary("A server that carries no UDP is not asked.");

	g_auto(Bench) bench;

	start(&bench, 10, 10);
	linked_greet(&bench.linked, FALSE);
	give(&bench, "192.0.2.1:443", "one");
	linked_wait_stat(&bench.linked, VPNR_STAT_DATAGRAMS_DROPPED, 1);
	wait_count(&bench, 0);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_STREAMS_TOTAL), ==, 0);
}

static void
test_stop(void)
{
	g_test_summary("A stop gives up who waits, makes nothing new, and leaves what is open.");

	g_auto(Bench) bench;

	start(&bench, 10, 10);
	give(&bench, "192.0.2.1:443", "one");
	wait_waiting(&bench, 1);
	vpnr_flows_stop(bench.flows);
	wait_count(&bench, 0);
	give(&bench, "192.0.2.1:443", "two");
	g_assert_cmpuint(vpnr_flows_count(bench.flows), ==, 0);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_DATAGRAMS_DROPPED), ==, 2);
}

static void
test_stop_open(void)
{
	g_auto(Bench) bench;

	start(&bench, 10, 10);
	linked_greet(&bench.linked, TRUE);
	give(&bench, "192.0.2.1:443", "one");
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "192.0.2.1:443");
	linked_expect_datagram(&bench.linked, "one");
	vpnr_flows_stop(bench.flows);
	linked_answer(&bench.linked, "answer");
	expect_answer(&bench, "answer");
	vpnr_flows_end(bench.flows);
	party_expect(&bench.linked.party, VPNR_FRAME_FIN);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/flows/flow", test_flow);
	g_test_add_func("/flows/empty", test_empty);
	g_test_add_func("/flows/pairs", test_pairs);
	g_test_add_func("/flows/stray", test_stray);
	g_test_add_func("/flows/dns", test_dns);
	g_test_add_func("/flows/ended", test_ended);
	g_test_add_func("/flows/idle", test_idle);
	g_test_add_func("/flows/wait", test_wait);
	g_test_add_func("/flows/wait-size", test_wait_size);
	g_test_add_func("/flows/limit", test_limit);
	g_test_add_func("/flows/rest", test_rest);
	g_test_add_func("/flows/no-thread", test_no_thread);
	g_test_add_func("/flows/no-socket", test_no_socket);
	g_test_add_func("/flows/unsupported", test_unsupported);
	g_test_add_func("/flows/stop", test_stop);
	g_test_add_func("/flows/stop-open", test_stop_open);
	return g_test_run();
}
