/* SPDX-License-Identifier: MIT
 *
 * associate: an application with a connection and a UDP socket on one side, a server that the test
 * plays on the other. Linked with --wrap=vpnr_flows_take_rested_locked.
 */
#include "client/associate.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/thread.h"
#include "client/flows.h"
#include "tests/unit/client/linked.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

#define LITERAL(text) (text), sizeof(text) - 1

typedef struct {
	Linked linked;
	VpnrLatch *stop;
	VpnrThread *thread;
	VpnrProxyreq request;
	int fd; /* of the code under test */
	int connection;
	int app; /* the application's UDP socket */
	VpnrAddr relay;
} Bench;

static int
open_app(guint8 host)
{
	VpnrAddr addr = { .type = VPNR_ADDR_IPV4, .ip4 = { 127, 0, 0, host } };
	struct sockaddr_storage ss;
	socklen_t size = vpnr_addr_to_sockaddr(&addr, &ss);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	g_assert_cmpint(bind(fd, (struct sockaddr *)&ss, size), ==, 0);
	return fd;
}

static void
serve(gpointer data)
{
	Bench *bench = data;
	g_autoptr(GError) error = NULL;
	const VpnrAddr peer = vpnr_fd_local_addr(bench->connection);

	vpnr_associate_serve(&(VpnrAssociateParams){ .idle_ms = PATIENCE_MS,
						     .stop = bench->stop,
						     .pool = bench->linked.pool,
						     .uplinks = bench->linked.uplinks,
						     .stats = &bench->linked.stats },
			     bench->fd, &peer, &bench->request, &error);
	g_assert_no_error(error);
	vpnr_fd_close(vpnr_fd_steal(&bench->fd));
}

/* The application says that it will send from this port; 0: it does not know. */
static void
start(Bench *bench, guint16 port)
{
	guint8 answer[10];

	memset(bench, 0, sizeof *bench);
	linked_start(&bench->linked, 1000, VPNR_ASSOCIATE_FLOWS_MAX + 10);
	linked_greet(&bench->linked, TRUE);
	bench->stop = vpnr_latch_new(NULL);
	bench->app = open_app(1);
	loopback_pair(&bench->fd, &bench->connection);
	bench->request = (VpnrProxyreq){ .kind = VPNR_PROXY_SOCKS5, .associate = TRUE };
	bench->request.dest = (VpnrAddr){ .type = VPNR_ADDR_IPV4, .port = port };
	bench->thread = vpnr_thread_start("associate", serve, bench, NULL);
	g_assert_nonnull(bench->thread);

	loopback_expect(bench->connection, LITERAL("\5\0\0\1\177\0\0\1"));
	g_assert_cmpint(recv(bench->connection, answer, 2, MSG_WAITALL), ==, 2);
	bench->relay = (VpnrAddr){ .type = VPNR_ADDR_IPV4,
				   .port = (guint16)(answer[0] << 8 | answer[1]),
				   .ip4 = { 127, 0, 0, 1 } };
}

static void
hang_up(Bench *bench)
{
	vpnr_fd_close(vpnr_fd_steal(&bench->connection));
	vpnr_thread_join(g_steal_pointer(&bench->thread));
}

static void
bench_clear(Bench *bench)
{
	vpnr_latch_trip(bench->stop);
	vpnr_thread_join(bench->thread);
	linked_end(&bench->linked);
	vpnr_fd_close(bench->connection);
	vpnr_fd_close(bench->app);
	vpnr_latch_free(bench->stop);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

static void
send_from(Bench *bench, int fd, const char *bytes, gsize n)
{
	struct sockaddr_storage ss;
	socklen_t size = vpnr_addr_to_sockaddr(&bench->relay, &ss);

	g_assert_cmpint(sendto(fd, bytes, n, 0, (struct sockaddr *)&ss, size), ==, (gssize)n);
}

static void
expect_at(Bench *bench, int fd, const char *bytes, gsize n)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct sockaddr_storage ss = { 0 };
	socklen_t size = sizeof ss;
	char got[512];
	VpnrAddr from;
	gssize received;

	g_assert_cmpint(poll(&pfd, 1, PATIENCE_MS), ==, 1);
	received = recvfrom(fd, got, sizeof got, 0, (struct sockaddr *)&ss, &size);
	g_assert_cmpmem(got, (gsize)received, bytes, n);
	from = vpnr_addr_from_sockaddr((struct sockaddr *)&ss);
	g_assert_true(vpnr_addr_equal(&from, &bench->relay));
}

static void
test_relay(void)
{
	g_test_summary("Each destination is a flow, and its answers name it.");

	g_auto(Bench) bench;

	start(&bench, 0);
	send_from(&bench, bench.app, LITERAL("\0\0\0\1\300\0\2\1\0\65one"));
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "192.0.2.1:53");
	linked_expect_datagram(&bench.linked, "one");
	linked_answer(&bench.linked, "two");
	expect_at(&bench, bench.app, LITERAL("\0\0\0\1\300\0\2\1\0\65two"));
	send_from(&bench, bench.app, LITERAL("\0\0\0\3\13example.org\1\273three"));
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "example.org:443");
	linked_expect_datagram(&bench.linked, "three");
	linked_answer(&bench.linked, "four");
	expect_at(&bench, bench.app, LITERAL("\0\0\0\3\13example.org\1\273four"));
}

static void
test_rejected(void)
{
	g_test_summary("Fragments, nonsense and strangers are dropped and counted.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) stranger = open_app(2);

	start(&bench, 0);
	send_from(&bench, bench.app, LITERAL("\0\0\1\1\300\0\2\1\0\65part"));
	send_from(&bench, bench.app, LITERAL("nonsense"));
	send_from(&bench, bench.app, "", 0);
	send_from(&bench, stranger, LITERAL("\0\0\0\1\300\0\2\1\0\65one"));
	linked_wait_stat(&bench.linked, VPNR_STAT_DATAGRAMS_REJECTED, 4);
	send_from(&bench, bench.app, LITERAL("\0\0\0\1\300\0\2\1\0\65one"));
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "192.0.2.1:53");
	linked_expect_datagram(&bench.linked, "one");
}

static void
test_port(void)
{
	g_test_summary("An application that names its port is heard from that port alone.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) named = open_app(1);

	start(&bench, vpnr_fd_local_addr(named).port);
	send_from(&bench, bench.app, LITERAL("\0\0\0\1\300\0\2\1\0\65one"));
	linked_wait_stat(&bench.linked, VPNR_STAT_DATAGRAMS_REJECTED, 1);
	send_from(&bench, named, LITERAL("\0\0\0\1\300\0\2\1\0\65two"));
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "192.0.2.1:53");
	linked_expect_datagram(&bench.linked, "two");
}

static void
test_end(void)
{
	g_test_summary("With its connection the association ends, and with it its flows.");

	g_auto(Bench) bench;

	start(&bench, 0);
	send_from(&bench, bench.app, LITERAL("\0\0\0\1\300\0\2\1\0\65one"));
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "192.0.2.1:53");
	linked_expect_datagram(&bench.linked, "one");
	hang_up(&bench);
	party_expect(&bench.linked.party, VPNR_FRAME_FIN);
}

static void
test_stop(void)
{
	g_auto(Bench) bench;

	start(&bench, 0);
	send_from(&bench, bench.app, LITERAL("\0\0\0\1\300\0\2\1\0\65one"));
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "192.0.2.1:53");
	linked_expect_datagram(&bench.linked, "one");
	vpnr_latch_trip(bench.stop);
	party_expect(&bench.linked.party, VPNR_FRAME_FIN);
}

/* No flow rests, however long the test takes. */
GPtrArray *__wrap_vpnr_flows_take_rested_locked(VpnrFlows *flows);

GPtrArray *
__wrap_vpnr_flows_take_rested_locked(G_GNUC_UNUSED VpnrFlows *flows)
{
	return NULL;
}

static void
test_limit(void)
{
	g_auto(Bench) bench;
	char header[] = "\0\0\0\1\300\0\2\1\1\0";

	start(&bench, 0);
	for (guint i = 0; i < VPNR_ASSOCIATE_FLOWS_MAX + 1; i++) {
		header[7] = (char)(i >> 8);
		header[9] = (char)i;
		send_from(&bench, bench.app, header, sizeof header - 1);
		if (i < VPNR_ASSOCIATE_FLOWS_MAX)
			linked_wait_stat(&bench.linked, VPNR_STAT_STREAMS_TOTAL, i + 1);
	}
	linked_wait_stat(&bench.linked, VPNR_STAT_FLOWS_REFUSED, 1);
	g_assert_cmpuint(linked_stat(&bench.linked, VPNR_STAT_STREAMS_TOTAL), ==,
			 VPNR_ASSOCIATE_FLOWS_MAX);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/associate/relay", test_relay);
	g_test_add_func("/associate/rejected", test_rejected);
	g_test_add_func("/associate/port", test_port);
	g_test_add_func("/associate/end", test_end);
	g_test_add_func("/associate/stop", test_stop);
	g_test_add_func("/associate/limit", test_limit);
	return g_test_run();
}
