/* SPDX-License-Identifier: MIT
 *
 * inbound: applications on one side, a server that the test plays on the other: what is asked for
 * and how it is answered.
 *
 * Linked with --wrap=getsockopt, so that a connection can seem to be redirected, and with
 * --wrap=vpnr_uplinks_open, so that the link can be lost at the worst moment.
 */
#include "client/inbound.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "app/keys.h"
#include "base/fd.h"
#include "tests/unit/loopback.h"
#include "tests/unit/party.h"
#include "tests/unit/patience.h"

/* Where redirected connections were going, if anywhere. */
static const VpnrAddr *_Atomic original;

int __real_getsockopt(int fd, int level, int option, void *value, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *size);

int
__wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *size)
{
	const VpnrAddr *dest = atomic_load(&original);
	struct sockaddr_storage ss;

	if (level != SOL_IP || option != 80) /* SO_ORIGINAL_DST */
		return __real_getsockopt(fd, level, option, value, size);
	if (dest == NULL) {
		errno = ENOENT;
		return -1;
	}
	*size = vpnr_addr_to_sockaddr(dest, &ss);
	memcpy(value, &ss, *size);
	return 0;
}

/* How often the link goes between the gate and the stream. */
static _Atomic guint losses;

VpnrTableResult
__real_vpnr_uplinks_open(VpnrUplinks *uplinks, VpnrKind kind, const VpnrAddr *dest,
			 const VpnrAddr *peer, VpnrTable **table, VpnrStream **stream);
VpnrTableResult
__wrap_vpnr_uplinks_open(VpnrUplinks *uplinks, VpnrKind kind, const VpnrAddr *dest,
			 const VpnrAddr *peer, VpnrTable **table, VpnrStream **stream);

VpnrTableResult
__wrap_vpnr_uplinks_open(VpnrUplinks *uplinks, VpnrKind kind, const VpnrAddr *dest,
			 const VpnrAddr *peer, VpnrTable **table, VpnrStream **stream)
{
	if (atomic_load(&losses) == 0)
		return __real_vpnr_uplinks_open(uplinks, kind, dest, peer, table, stream);
	atomic_fetch_sub(&losses, 1);
	return VPNR_TABLE_CLOSED;
}

/* --- a client --------------------------------------------------------------------------------- */

typedef struct {
	VpnrFd listener; /* of the server */
	VpnrKey key;     /* of the server, private */
	guint resume_timeout_s;
	VpnrStats stats;
	VpnrPool *pool;
	VpnrUplinks *uplinks;
	VpnrInbound *inbound;
	VpnrAddr addr; /* of the inbound */
	GArray *own;   /* (owned, nullable) what it takes for its own listeners */
	VpnrDns dns;
	Party party; /* the server; not with VPNr/1 */
	guint32 id;  /* of the last stream */
} Bench;

static void
start_uplink(Bench *bench, VpnrProtocol protocol)
{
	g_autoptr(GError) error = NULL;
	VpnrUplinkTarget target = { .protocol = protocol,
				    .resume_timeout_s = bench->resume_timeout_s };

	bench->listener = loopback_listen(8, &target.server);
	g_assert_true(vpnr_keys_generate(&bench->key, NULL));
	g_assert_true(vpnr_keys_generate(&target.private_key, NULL));
	g_assert_true(vpnr_keys_derive_public(&bench->key, &target.server_public_key, NULL));
	bench->uplinks = vpnr_uplinks_start(1, &target, NULL, &error);
	g_assert_no_error(error);
}

static void
start_inbound(Bench *bench, VpnrInboundKind kind, guint max_threads)
{
	g_autoptr(GError) error = NULL;

	bench->pool = vpnr_pool_new("pool", max_threads);
	if (bench->addr.type == VPNR_ADDR_NONE)
		bench->addr = loopback_private(4333);
	bench->inbound = vpnr_inbound_start(&(VpnrInboundParams){ .kind = kind,
								  .listen = bench->addr,
								  .own = bench->own,
								  .dns = bench->dns,
								  .pool = bench->pool,
								  .uplinks = bench->uplinks,
								  .stats = &bench->stats },
					    &error);
	g_assert_no_error(error);
}

static void
wait_until_connected(Bench *bench)
{
	for (gint64 begin = g_get_monotonic_time();
	     vpnr_uplinks_status(bench->uplinks).news.state != VPNR_UPLINK_CONNECTED;
	     patience(begin))
		;
}

/* A client whose server does not answer yet, and whose connections wait for it this long. */
static void
start_without_link(Bench *bench, VpnrInboundKind kind, guint resume_timeout_s)
{
	memset(bench, 0, sizeof *bench);
	bench->resume_timeout_s = resume_timeout_s;
	start_uplink(bench, VPNR_PROTOCOL_V2);
	start_inbound(bench, kind, 10);
}

static void
start_at(Bench *bench, VpnrInboundKind kind, const char *addr, const char *own)
{
	VpnrAddr one = loopback_parse(own);

	memset(bench, 0, sizeof *bench);
	start_uplink(bench, VPNR_PROTOCOL_V2);
	bench->addr = loopback_parse(addr);
	bench->own = g_array_new(FALSE, FALSE, sizeof one);
	g_array_append_val(bench->own, one);
	start_inbound(bench, kind, 10);
}

/* Plays the server until the link is up. */
static void
greet(Bench *bench)
{
	VpnrHello hello;

	party_begin(&bench->party, VPNR_ROLE_SERVER);
	g_assert_true(party_shake_hands(&bench->party, loopback_accept(bench->listener),
					VPNR_ROLE_SERVER, &bench->key));
	party_greet_client(&bench->party, &hello);
	wait_until_connected(bench);
}

/* The link breaks, and the client comes back. */
static void
greet_again(Bench *bench)
{
	VpnrHello hello;

	party_hang_up(&bench->party);
	g_assert_true(party_shake_hands(&bench->party, loopback_accept(bench->listener),
					VPNR_ROLE_SERVER, &bench->key));
	party_greet_client(&bench->party, &hello);
	g_assert_true(vpnr_session_id_equal(&hello.session, &bench->party.id));
	g_assert_cmpuint(hello.received, ==, bench->party.sent);
}

/* A client whose link is up. */
static void
start(Bench *bench, VpnrInboundKind kind)
{
	start_without_link(bench, kind, 0);
	greet(bench);
}

/* In the order in which the program stops. */
static void
bench_clear(Bench *bench)
{
	party_hang_up(&bench->party); /* else the uplink would wait for its answer */
	vpnr_inbound_stop(bench->inbound);
	vpnr_uplinks_stop(bench->uplinks);
	vpnr_pool_free(bench->pool);
	vpnr_inbound_unref(bench->inbound);
	vpnr_uplinks_free(bench->uplinks);
	g_clear_pointer(&bench->own, g_array_unref);
	vpnr_fd_close(bench->listener);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

static VpnrFrame *
next_of_stream(Bench *bench, VpnrFrameType type)
{
	VpnrFrame *frame = party_next(&bench->party);

	g_assert_cmpstr(vpnr_frame_type_name(frame->type), ==, vpnr_frame_type_name(type));
	return frame;
}

/* The next frame must be an OPEN to dest; it sets bench->id. */
static void
expect_open(Bench *bench, const char *dest)
{
	g_autoptr(VpnrFrame) open = next_of_stream(bench, VPNR_FRAME_OPEN);
	VpnrAddr unpacked = vpnr_addr_unpack(open->open.dest);
	char text[VPNR_ADDR_STRLEN];

	g_assert_cmpstr(vpnr_addr_format(&unpacked, text), ==, dest);
	bench->id = open->stream;
}

static guint64
stat_of(Bench *bench, VpnrStat stat)
{
	return vpnr_stats_get(&bench->stats, stat) +
	       vpnr_stats_get(vpnr_uplinks_stats(bench->uplinks, 1), stat);
}

/* --- SOCKS5 and HTTP CONNECT ------------------------------------------------------------------ */

/* Sends a SOCKS5 request for 192.0.2.1:80. */
static int
ask_socks(Bench *bench)
{
	static const guint8 request[] = { 5, 1, 0, 5, 1, 0, 1, 192, 0, 2, 1, 0, 80 };
	int app = loopback_connect(&bench->addr);

	loopback_send(app, request, sizeof request);
	loopback_expect(app, "\5", 2);
	return app;
}

static void
expect_socks(int app, guint8 code)
{
	const guint8 answer[] = { 5, code, 0, 1, 0, 0, 0, 0, 0, 0 };

	loopback_expect(app, answer, sizeof answer);
}

static void
test_socks(void)
{
	g_test_summary("The answer waits for the server's; then bytes flow both ways.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) app = -1;

	start(&bench, VPNR_INBOUND_SOCKS);
	app = ask_socks(&bench);
	expect_open(&bench, "192.0.2.1:80");
	party_send(&bench.party, vpnr_frame_new(VPNR_FRAME_OPENED, bench.id, 0));
	expect_socks(app, 0);
	loopback_send(app, "hello", 5);
	party_expect_data(&bench.party, bench.id, "hello", 5);
	party_send(&bench.party, peer_data(bench.id, "world", 5));
	loopback_expect(app, "world", 5);
	g_assert_cmpint(shutdown(app, SHUT_WR), ==, 0);
	party_expect(&bench.party, VPNR_FRAME_FIN);
	party_send(&bench.party, vpnr_frame_new(VPNR_FRAME_FIN, bench.id, 0));
	loopback_expect_end(app);
}

static void
test_reasons(void)
{
	g_test_summary("2.3.3: the server's reason becomes the SOCKS5 code that fits.");

	static const struct {
		VpnrReason reason;
		guint8 code;
	} rows[] = {
		{ VPNR_REASON_REFUSED, 5 },   { VPNR_REASON_UNREACHABLE, 4 },
		{ VPNR_REASON_TIMED_OUT, 6 }, { VPNR_REASON_NOT_FOUND, 4 },
		{ VPNR_REASON_DENIED, 2 },    { VPNR_REASON_LIMIT, 1 },
	};
	g_auto(Bench) bench;

	start(&bench, VPNR_INBOUND_SOCKS);
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(VpnrFd) app = ask_socks(&bench);

		expect_open(&bench, "192.0.2.1:80");
		party_send(&bench.party, vpnr_frame_new_reset(bench.id, rows[i].reason));
		expect_socks(app, rows[i].code);
		loopback_expect_end(app); /* in order, so that the answer arrives */
	}
}

static void
test_http(void)
{
	static const char request[] = "CONNECT example.org:443 HTTP/1.1\r\n\r\n";
	g_auto(Bench) bench;
	g_auto(VpnrFd) good = -1;
	g_auto(VpnrFd) bad = -1;

	start(&bench, VPNR_INBOUND_SOCKS);
	good = loopback_connect(&bench.addr);
	loopback_send(good, request, strlen(request));
	expect_open(&bench, "example.org:443");
	party_send(&bench.party, vpnr_frame_new(VPNR_FRAME_OPENED, bench.id, 0));
	loopback_expect(good, "HTTP/1.1 200 ", 13);
	party_send(&bench.party, vpnr_frame_new_reset(bench.id, VPNR_REASON_ABORTED));

	bad = loopback_connect(&bench.addr);
	loopback_send(bad, request, strlen(request));
	expect_open(&bench, "example.org:443");
	party_send(&bench.party, vpnr_frame_new_reset(bench.id, VPNR_REASON_DENIED));
	loopback_expect(bad, "HTTP/1.1 403 ", 13);
}

static void
test_left_while_opening(void)
{
	g_test_summary("An application that leaves while the server still dials: the server "
		       "hears of it.");

	g_auto(Bench) bench;
	int app;

	start(&bench, VPNR_INBOUND_SOCKS);
	app = ask_socks(&bench);
	expect_open(&bench, "192.0.2.1:80");
	vpnr_fd_abort(app);
	party_expect_reset(&bench.party, bench.id, VPNR_REASON_ABORTED);
}

static void
test_bad_request(void)
{
	g_auto(Bench) bench;
	g_auto(VpnrFd) app = -1;
	const guint8 bind[] = { 5, 1, 0, 5, 2, 0, 1, 192, 0, 2, 1, 0, 80 };

	start(&bench, VPNR_INBOUND_SOCKS);
	app = loopback_connect(&bench.addr);
	loopback_send(app, bind, sizeof bind);
	loopback_expect(app, "\5", 2);
	expect_socks(app, 7); /* RFC 1928: command not supported */
	loopback_expect_end(app);
	for (gint64 begin = g_get_monotonic_time(); stat_of(&bench, VPNR_STAT_PROXY_REFUSED) == 0;
	     patience(begin))
		;
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_STREAMS_TOTAL), ==, 0);
}

static void
expect_http(int app, const char *status)
{
	g_autofree char *answer =
	    g_strdup_printf("HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
			    status);

	loopback_expect(app, answer, strlen(answer));
	loopback_expect_end(app);
}

static void
test_unread(void)
{
	g_test_summary("Who is refused gets the whole answer and an end in order, although not all "
		       "that he has sent was read.");

	static const char bad[] = "CONNECT 192.0.2.1 HTTP/1.1\r\n\r\n";
	static const char good[] = "CONNECT 192.0.2.1:80 HTTP/1.1\r\n\r\nearly";
	g_autofree char *early = g_strnfill(40000, 'x');
	g_auto(Bench) bench;
	g_auto(VpnrFd) first = -1;
	g_auto(VpnrFd) second = -1;

	start(&bench, VPNR_INBOUND_SOCKS);
	first = loopback_connect(&bench.addr);
	loopback_send(first, bad, strlen(bad));
	expect_http(first, "400 Bad Request");

	second = loopback_connect(&bench.addr);
	loopback_send(second, good, strlen(good));
	loopback_send(second, early, strlen(early));
	for (gint64 begin = g_get_monotonic_time(); vpnr_fd_under_way(second) > 0; patience(begin))
		;
	expect_open(&bench, "192.0.2.1:80");
	party_send(&bench.party, vpnr_frame_new_reset(bench.id, VPNR_REASON_DENIED));
	expect_http(second, "403 Forbidden");
}

static void
test_no_link(void)
{
	g_test_summary("Without a link and without patience a request is refused at once.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) app = -1;

	start_without_link(&bench, VPNR_INBOUND_SOCKS, 0);
	app = ask_socks(&bench);
	expect_socks(app, 1);
	loopback_expect_end(app);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_NO_LINK), ==, 1);
}

static void
test_unsupported(void)
{
	g_test_summary("1.1.4: a name cannot be asked for over VPNr/1.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) app = -1;
	g_auto(VpnrFd) server = -1;
	const guint8 request[] = { 5, 1, 0, 5, 1, 0, 3, 1, 'x', 0, 80 };

	memset(&bench, 0, sizeof bench);
	start_uplink(&bench, VPNR_PROTOCOL_V1);
	start_inbound(&bench, VPNR_INBOUND_SOCKS, 10);
	server = loopback_accept(bench.listener);
	wait_until_connected(&bench);
	app = loopback_connect(&bench.addr);
	loopback_send(app, request, sizeof request);
	loopback_expect(app, "\5", 2);
	expect_socks(app, 4);
}

static void
test_too_many(void)
{
	g_test_summary("2.9.1: above the server's max-streams (100 here) is refused without "
		       "asking it.");

	g_auto(Bench) bench;
	int apps[100];
	g_auto(VpnrFd) more = -1;

	start(&bench, VPNR_INBOUND_SOCKS);
	vpnr_inbound_stop(bench.inbound);
	vpnr_inbound_unref(bench.inbound);
	vpnr_pool_free(bench.pool);
	start_inbound(&bench, VPNR_INBOUND_SOCKS, 200);
	for (guint i = 0; i < G_N_ELEMENTS(apps); i++) {
		apps[i] = ask_socks(&bench);
		expect_open(&bench, "192.0.2.1:80");
	}
	more = ask_socks(&bench);
	expect_socks(more, 1);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_STREAMS_REFUSED), ==, 1);
	for (guint i = 0; i < G_N_ELEMENTS(apps); i++)
		vpnr_fd_abort(apps[i]);
}

static void
test_no_thread(void)
{
	g_test_summary("A connection for which there is no thread is reset.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) app = -1;

	memset(&bench, 0, sizeof bench);
	start_uplink(&bench, VPNR_PROTOCOL_V2);
	start_inbound(&bench, VPNR_INBOUND_SOCKS, 0);
	app = loopback_connect(&bench.addr);
	loopback_expect_reset(app);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_STREAMS_REFUSED), ==, 1);
}

/* --- redirect --------------------------------------------------------------------------------- */

static void
test_redirect(void)
{
	g_test_summary("The application believes that it is connected: its bytes travel behind the "
		       "OPEN, and do not wait for OPENED.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) app = -1;
	VpnrAddr dest = { .type = VPNR_ADDR_IPV4, .port = 443, .ip4 = { 198, 51, 100, 7 } };

	atomic_store(&original, &dest);
	start(&bench, VPNR_INBOUND_REDIRECT);
	app = loopback_connect(&bench.addr);
	expect_open(&bench, "198.51.100.7:443");
	loopback_send(app, "hello", 5);
	party_expect_data(&bench.party, bench.id, "hello", 5);
	party_send(&bench.party, vpnr_frame_new(VPNR_FRAME_OPENED, bench.id, 0));
	party_send(&bench.party, peer_data(bench.id, "world", 5));
	loopback_expect(app, "world", 5);
}

static void
test_urgent(void)
{
	g_test_summary("A byte that the application sends as urgent is one of its stream.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) app = -1;
	VpnrAddr dest = { .type = VPNR_ADDR_IPV4, .port = 23, .ip4 = { 198, 51, 100, 7 } };

	atomic_store(&original, &dest);
	start(&bench, VPNR_INBOUND_REDIRECT);
	app = loopback_connect(&bench.addr);
	expect_open(&bench, "198.51.100.7:23");
	g_assert_cmpint(send(app, "!", 1, MSG_OOB), ==, 1);
	party_expect_data(&bench.party, bench.id, "!", 1);
}

static void
test_redirect_refused(void)
{
	g_test_summary("A destination that refuses is a reset to the application.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) app = -1;
	VpnrAddr dest = { .type = VPNR_ADDR_IPV4, .port = 443, .ip4 = { 198, 51, 100, 7 } };

	atomic_store(&original, &dest);
	start(&bench, VPNR_INBOUND_REDIRECT);
	app = loopback_connect(&bench.addr);
	expect_open(&bench, "198.51.100.7:443");
	party_send(&bench.party, vpnr_frame_new_reset(bench.id, VPNR_REASON_REFUSED));
	loopback_expect_reset(app);
}

static void
test_loop(void)
{
	g_test_summary("A connection that was made to the inbound itself is refused and counted.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) tracked = -1;
	g_auto(VpnrFd) untracked = -1;
	VpnrAddr own = loopback_private(4333);

	atomic_store(&original, &own);
	start(&bench, VPNR_INBOUND_REDIRECT);
	tracked = loopback_connect(&bench.addr);
	loopback_expect_reset(tracked);
	atomic_store(&original, NULL);
	untracked = loopback_connect(&bench.addr);
	loopback_expect_reset(untracked);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_LOOPS_REFUSED), ==, 2);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_STREAMS_TOTAL), ==, 0);
}

static void
test_dns(void)
{
	g_test_summary("A captured question to a name server goes to the one that is configured.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) app = -1;
	VpnrAddr dest = loopback_parse("192.0.2.1:53");

	memset(&bench, 0, sizeof bench);
	start_uplink(&bench, VPNR_PROTOCOL_V2);
	bench.dns.who = VPNR_DNS_SERVER;
	start_inbound(&bench, VPNR_INBOUND_REDIRECT, 10);
	greet(&bench);
	atomic_store(&original, &dest);
	app = loopback_connect(&bench.addr);
	expect_open(&bench, "resolver.invalid:53");
}

static void
test_own(void)
{
	g_test_summary("A redirected connection to another of our listeners goes in a circle.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) app = -1;
	VpnrAddr socks = loopback_parse("127.0.0.1:1080");

	start_at(&bench, VPNR_INBOUND_REDIRECT, "127.0.0.1:4333", "127.0.0.1:1080");
	greet(&bench);
	atomic_store(&original, &socks);
	app = loopback_connect(&bench.addr);
	loopback_expect_reset(app);
	atomic_store(&original, NULL);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_LOOPS_REFUSED), ==, 1);
}

static void
test_tproxy(void)
{
	g_test_summary("The address of the accepted socket is the destination.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) app = -1;
	VpnrAddr dest = loopback_parse("127.9.8.7:4333");

	start_at(&bench, VPNR_INBOUND_TPROXY, "0.0.0.0:4333", "127.0.0.1:1080");
	greet(&bench);
	app = loopback_connect(&dest);
	expect_open(&bench, "127.9.8.7:4333");
	loopback_send(app, "hello", 5);
	party_expect_data(&bench.party, bench.id, "hello", 5);
	party_send(&bench.party, vpnr_frame_new_reset(bench.id, VPNR_REASON_REFUSED));
	loopback_expect_reset(app);
}

static void
test_tproxy_loop(void)
{
	g_test_summary("Who connects to the listener itself is refused, whatever address of this "
		       "host it takes.");

	g_auto(Bench) bench;
	VpnrAddr dest = loopback_parse("127.9.8.7:4333");

	start_at(&bench, VPNR_INBOUND_TPROXY, "0.0.0.0:4333", "0.0.0.0:4333");
	greet(&bench);
	for (guint i = 1; i <= 2; i++, dest.ip4[3]++) {
		g_auto(VpnrFd) app = loopback_connect(&dest);

		loopback_expect_reset(app);
		g_assert_cmpuint(stat_of(&bench, VPNR_STAT_LOOPS_REFUSED), ==, i);
	}
}

/* --- waiting for the link --------------------------------------------------------------------- */

static void
wait_for_waiting(Bench *bench, guint n)
{
	for (gint64 begin = g_get_monotonic_time(); vpnr_inbound_waiting(bench->inbound) != n;
	     patience(begin))
		;
}

static void
wait_for_stat(Bench *bench, VpnrStat stat, guint64 value)
{
	for (gint64 begin = g_get_monotonic_time(); stat_of(bench, stat) != value; patience(begin))
		;
}

static void
test_wait_socks(void)
{
	g_test_summary("A request that comes before the link goes out with it.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) app = -1;

	start_without_link(&bench, VPNR_INBOUND_SOCKS, 600);
	app = ask_socks(&bench);
	wait_for_waiting(&bench, 1);
	greet(&bench);
	expect_open(&bench, "192.0.2.1:80");
	party_send(&bench.party, vpnr_frame_new(VPNR_FRAME_OPENED, bench.id, 0));
	expect_socks(app, 0);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_NO_LINK), ==, 0);
}

static void
test_wait_redirect(void)
{
	g_test_summary("So does a redirected connection, with what its application has sent, even "
		       "if that was all.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) app = -1;
	g_autoptr(VpnrFrame) data = NULL;
	g_autoptr(VpnrFrame) fin = NULL;
	VpnrAddr dest = { .type = VPNR_ADDR_IPV4, .port = 443, .ip4 = { 198, 51, 100, 7 } };

	atomic_store(&original, &dest);
	start_without_link(&bench, VPNR_INBOUND_REDIRECT, 600);
	app = loopback_connect(&bench.addr);
	loopback_send(app, "hello", 5);
	g_assert_cmpint(shutdown(app, SHUT_WR), ==, 0);
	wait_for_waiting(&bench, 1);
	greet(&bench);
	expect_open(&bench, "198.51.100.7:443");
	data = next_of_stream(&bench, VPNR_FRAME_DATA);
	g_assert_cmpmem(data->data, data->size, "hello", 5);
	fin = next_of_stream(&bench, VPNR_FRAME_FIN);
	party_send(&bench.party, vpnr_frame_new(VPNR_FRAME_OPENED, bench.id, 0));
	party_send(&bench.party, peer_data(bench.id, "world", 5));
	loopback_expect(app, "world", 5);
}

static void
test_wait_in_vain(void)
{
	g_test_summary("Patience has an end.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) app = -1;
	gint64 begin = g_get_monotonic_time();

	start_without_link(&bench, VPNR_INBOUND_SOCKS, 1);
	app = ask_socks(&bench);
	expect_socks(app, 1);
	loopback_expect_end(app);
	g_assert_cmpint(g_get_monotonic_time() - begin, >=, 1000000);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_NO_LINK), ==, 1);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_LEFT_WAITING), ==, 0);
}

static void
test_wait_left(void)
{
	g_test_summary("An application that goes meanwhile is not waited for.");

	g_auto(Bench) bench;
	int app;

	start_without_link(&bench, VPNR_INBOUND_SOCKS, 600);
	app = ask_socks(&bench);
	wait_for_waiting(&bench, 1);
	vpnr_fd_abort(app);
	wait_for_stat(&bench, VPNR_STAT_LEFT_WAITING, 1);
	g_assert_cmpuint(vpnr_inbound_waiting(bench.inbound), ==, 0);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_NO_LINK), ==, 0);
}

static void
test_wait_again(void)
{
	g_test_summary("A link that is lost before the stream is opened is waited for again.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) app = -1;

	start_without_link(&bench, VPNR_INBOUND_SOCKS, 600);
	greet(&bench);
	atomic_store(&losses, 3);
	app = ask_socks(&bench);
	expect_open(&bench, "192.0.2.1:80");
	g_assert_cmpuint(atomic_load(&losses), ==, 0);
}

static void
test_wait_stop(void)
{
	g_test_summary("A stop does not wait for the link.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) app = -1;
	VpnrAddr dest = { .type = VPNR_ADDR_IPV4, .port = 443, .ip4 = { 198, 51, 100, 7 } };

	atomic_store(&original, &dest);
	start_without_link(&bench, VPNR_INBOUND_REDIRECT, 600);
	app = loopback_connect(&bench.addr);
	wait_for_waiting(&bench, 1);
	vpnr_inbound_stop(bench.inbound);
	loopback_expect_reset(app);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_NO_LINK), ==, 0);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_LEFT_WAITING), ==, 0);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void
test_stop(void)
{
	g_test_summary("A stop gives up requests that are not complete, and lets streams be.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) app = -1;
	g_auto(VpnrFd) half = -1;
	const guint8 greeting[] = { 5, 1, 0 };

	start(&bench, VPNR_INBOUND_SOCKS);
	app = ask_socks(&bench);
	expect_open(&bench, "192.0.2.1:80");
	party_send(&bench.party, vpnr_frame_new(VPNR_FRAME_OPENED, bench.id, 0));
	expect_socks(app, 0);
	half = loopback_connect(&bench.addr);
	loopback_send(half, greeting, sizeof greeting);
	loopback_expect(half, "\5", 2);
	vpnr_inbound_stop(bench.inbound);
	loopback_expect_reset(half);
	loopback_send(app, "still here", 10);
	party_expect_data(&bench.party, bench.id, "still here", 10);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_PROXY_REFUSED), ==, 0);
}

static void
test_link_lost(void)
{
	g_test_summary("When the link goes, the application waits, and so does one whose stream is "
		       "not open yet: the next link brings both on.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) app = -1;
	g_auto(VpnrFd) waiting = -1;
	guint32 id;

	start_without_link(&bench, VPNR_INBOUND_SOCKS, 600);
	greet(&bench);
	app = ask_socks(&bench);
	expect_open(&bench, "192.0.2.1:80");
	id = bench.id;
	party_send(&bench.party, vpnr_frame_new(VPNR_FRAME_OPENED, id, 0));
	expect_socks(app, 0);
	waiting = ask_socks(&bench);
	expect_open(&bench, "192.0.2.1:80");
	loopback_send(app, "sent meanwhile", 14);
	party_expect_data(&bench.party, id, "sent meanwhile", 14);
	bench.party.received--; /* it got lost */
	greet_again(&bench);
	party_expect_data(&bench.party, id, "sent meanwhile", 14);
	party_send(&bench.party, vpnr_frame_new(VPNR_FRAME_OPENED, bench.id, 0));
	expect_socks(waiting, 0);
	party_send(&bench.party, peer_data(id, "hello", 5));
	loopback_expect(app, "hello", 5);
}

static void
test_session_lost(void)
{
	g_test_summary("When the session is over, streams are reset and requests are refused.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) app = -1;
	g_auto(VpnrFd) waiting = -1;

	start(&bench, VPNR_INBOUND_SOCKS);
	app = ask_socks(&bench);
	expect_open(&bench, "192.0.2.1:80");
	party_send(&bench.party, vpnr_frame_new(VPNR_FRAME_OPENED, bench.id, 0));
	expect_socks(app, 0);
	waiting = ask_socks(&bench);
	expect_open(&bench, "192.0.2.1:80");
	party_send(&bench.party, peer_goaway(VPNR_REASON_NONE));
	loopback_expect_reset(app);
	expect_socks(waiting, 1);
	loopback_expect_end(waiting);
}

static void
test_taken(void)
{
	g_auto(Bench) bench;
	g_autoptr(GError) error = NULL;
	VpnrInboundParams params = { .kind = VPNR_INBOUND_SOCKS };

	start(&bench, VPNR_INBOUND_SOCKS);
	params.listen = bench.addr;
	g_assert_null(vpnr_inbound_start(&params, &error));
	g_assert_nonnull(error);
	vpnr_inbound_unref(NULL);
}

int
main(int argc, char **argv)
{
	gboolean alone;

	g_test_init(&argc, &argv, NULL);
	alone = loopback_own_network();
	g_test_add_func("/inbound/socks", test_socks);
	g_test_add_func("/inbound/reasons", test_reasons);
	g_test_add_func("/inbound/http", test_http);
	g_test_add_func("/inbound/left-while-opening", test_left_while_opening);
	g_test_add_func("/inbound/bad-request", test_bad_request);
	g_test_add_func("/inbound/unread", test_unread);
	g_test_add_func("/inbound/no-link", test_no_link);
	g_test_add_func("/inbound/unsupported", test_unsupported);
	g_test_add_func("/inbound/too-many", test_too_many);
	g_test_add_func("/inbound/no-thread", test_no_thread);
	g_test_add_func("/inbound/redirect", test_redirect);
	g_test_add_func("/inbound/redirect/urgent", test_urgent);
	g_test_add_func("/inbound/redirect/refused", test_redirect_refused);
	g_test_add_func("/inbound/redirect/loop", test_loop);
	g_test_add_func("/inbound/redirect/dns", test_dns);
	g_test_add_func("/inbound/redirect/own", test_own);
	loopback_add_alone("/inbound/tproxy", alone, test_tproxy);
	loopback_add_alone("/inbound/tproxy/loop", alone, test_tproxy_loop);
	g_test_add_func("/inbound/wait/socks", test_wait_socks);
	g_test_add_func("/inbound/wait/redirect", test_wait_redirect);
	g_test_add_func("/inbound/wait/in-vain", test_wait_in_vain);
	g_test_add_func("/inbound/wait/left", test_wait_left);
	g_test_add_func("/inbound/wait/again", test_wait_again);
	g_test_add_func("/inbound/wait/stop", test_wait_stop);
	g_test_add_func("/inbound/stop", test_stop);
	g_test_add_func("/inbound/link-lost", test_link_lost);
	g_test_add_func("/inbound/session-lost", test_session_lost);
	g_test_add_func("/inbound/taken", test_taken);
	return g_test_run();
}
