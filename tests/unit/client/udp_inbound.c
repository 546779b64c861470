/* SPDX-License-Identifier: MIT
 *
 * udp_inbound: an application on one side, a server that the test plays on the other, in a network
 * of the test's own: what is sent to any address of 127.0.0.0/8 comes by the inbound's socket, as
 * if a rule had brought it there.
 */
#include "client/udp_inbound.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "tests/unit/client/linked.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

typedef struct {
	Linked linked;
	GArray *listen;
	GArray *own;
	VpnrUdpInbound *inbound;
	int app;
	VpnrAddr peer;
} Bench;

/* listen and own: lists with ';'; own may be empty. */
static GArray *
parse_list(const char *text)
{
	GArray *addrs = g_array_new(FALSE, FALSE, sizeof(VpnrAddr));
	g_auto(GStrv) parts = g_strsplit(text, ";", -1);

	for (guint i = 0; parts[i] != NULL; i++) {
		VpnrAddr addr = loopback_parse(parts[i]);

		g_array_append_val(addrs, addr);
	}
	return addrs;
}

static void
start(Bench *bench, const char *listen, const char *own, gboolean dns_only)
{
	g_autoptr(GError) error = NULL;

	memset(bench, 0, sizeof *bench);
	linked_start(&bench->linked, 1000, 20);
	bench->listen = parse_list(listen);
	bench->own = parse_list(own);
	bench->inbound =
	    vpnr_udp_inbound_start(&(VpnrUdpInboundParams){ .listen = bench->listen,
							    .dns_only = dns_only,
							    .mark = 0x7670,
							    .max_flows = 10,
							    .idle_ms = PATIENCE_MS,
							    .own = bench->own,
							    .pool = bench->linked.pool,
							    .uplinks = bench->linked.uplinks,
							    .stats = &bench->linked.stats },
				   &error);
	g_assert_no_error(error);
	bench->app = loopback_udp_on("127.0.0.1:9000");
	linked_greet(&bench->linked, TRUE);
}

static void
bench_clear(Bench *bench)
{
	vpnr_udp_inbound_stop(bench->inbound);
	linked_end(&bench->linked);
	vpnr_udp_inbound_free(bench->inbound);
	g_array_unref(bench->listen);
	g_array_unref(bench->own);
	vpnr_fd_close(bench->app);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

static void
send_to(int fd, const char *dest, const char *text)
{
	VpnrAddr addr = loopback_parse(dest);
	struct sockaddr_storage ss;
	socklen_t size = vpnr_addr_to_sockaddr(&addr, &ss);

	g_assert_cmpint(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&ss, size), ==,
			(gssize)strlen(text));
}

static void
expect_from(int fd, const char *from, const char *text)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct sockaddr_storage ss = { 0 };
	socklen_t size = sizeof ss;
	char bytes[64], name[VPNR_ADDR_STRLEN];
	VpnrAddr sender;
	gssize n;

	g_assert_cmpint(poll(&pfd, 1, PATIENCE_MS), ==, 1);
	n = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&ss, &size);
	sender = vpnr_addr_from_sockaddr((struct sockaddr *)&ss);
	g_assert_cmpstr(vpnr_addr_format(&sender, name), ==, from);
	g_assert_cmpmem(bytes, (gsize)n, text, strlen(text));
}

static void
test_flow(void)
{
	g_test_summary("The answer comes from the address that was asked.");

	g_auto(Bench) bench;

	start(&bench, "0.0.0.0:4333", "127.0.0.1:1080", FALSE);
	send_to(bench.app, "127.9.8.7:4333", "one");
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "127.9.8.7:4333");
	linked_expect_datagram(&bench.linked, "one");
	send_to(bench.app, "127.9.8.7:4333", "two");
	linked_expect_datagram(&bench.linked, "two");
	linked_answer(&bench.linked, "answer");
	expect_from(bench.app, "127.9.8.7:4333", "answer");
	g_assert_cmpuint(vpnr_udp_inbound_count(bench.inbound), ==, 1);
	g_assert_cmpuint(vpnr_udp_inbound_waiting(bench.inbound), ==, 0);
}

static void
test_ipv6(void)
{
	if (!loopback_needs_ipv6())
		return;

	g_auto(Bench) bench;
	g_auto(VpnrFd) app = -1;

	start(&bench, "127.0.0.1:4333;[::]:4333", "127.0.0.1:1080", FALSE);
	app = loopback_udp_on("[::1]:9000");
	send_to(app, "[::1]:4333", "six");
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "[::1]:4333");
	linked_expect_datagram(&bench.linked, "six");
	linked_answer(&bench.linked, "answer");
	expect_from(app, "[::1]:4333", "answer");
}

static void
test_loop(void)
{
	g_test_summary("What is sent to the inbound itself is dropped and counted.");

	g_auto(Bench) bench;

	start(&bench, "0.0.0.0:4333", "0.0.0.0:4333", FALSE);
	send_to(bench.app, "127.0.0.1:4333", "one");
	linked_wait_stat(&bench.linked, VPNR_STAT_LOOPS_REFUSED, 1);
	g_assert_cmpuint(vpnr_udp_inbound_count(bench.inbound), ==, 0);
}

static void
test_dns_only(void)
{
	g_auto(Bench) bench;

	start(&bench, "0.0.0.0:53;0.0.0.0:54", "127.0.0.1:1080", TRUE);
	send_to(bench.app, "127.0.0.1:54", "nothing");
	linked_wait_stat(&bench.linked, VPNR_STAT_DATAGRAMS_REJECTED, 1);
	send_to(bench.app, "127.1.1.1:53", "question");
	linked_expect_open(&bench.linked, VPNR_KIND_UDP, "resolver.invalid:53");
	linked_expect_datagram(&bench.linked, "question");
}

static void
test_taken(void)
{
	g_test_summary("An address that is taken is named.");

	g_auto(VpnrFd) other = loopback_udp_on("127.0.0.1:9001");
	g_autoptr(GArray) listen = parse_list("127.0.0.1:9001");
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(other, >=, 0);
	g_assert_null(vpnr_udp_inbound_start(&(VpnrUdpInboundParams){ .listen = listen }, &error));
	g_assert_nonnull(strstr(error->message, "127.0.0.1:9001"));
	vpnr_udp_inbound_stop(NULL);
	vpnr_udp_inbound_free(NULL);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *path;
		void (*func)(void);
	} tests[] = {
		{ "/udp-inbound/flow", test_flow },   { "/udp-inbound/ipv6", test_ipv6 },
		{ "/udp-inbound/loop", test_loop },   { "/udp-inbound/dns-only", test_dns_only },
		{ "/udp-inbound/taken", test_taken },
	};
	gboolean alone;

	g_test_init(&argc, &argv, NULL);
	alone = loopback_own_network();
	for (guint i = 0; i < G_N_ELEMENTS(tests); i++)
		loopback_add_alone(tests[i].path, alone, tests[i].func);
	return g_test_run();
}
