/* SPDX-License-Identifier: MIT
 *
 * request: SOCKS5 and HTTP CONNECT from a real socket: not a byte behind the request is taken, and
 * who dawdles or leaves is given up. The grammar is tested in tests/unit/proto/proxyreq.c.
 */
#include "client/request.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/thread.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

static const guint8 greeting[] = { 5, 1, 0 };
static const guint8 greeted[] = { 5, 0 };
static const guint8 connect_ip4[] = { 5, 1, 0, 1, 192, 0, 2, 1, 0, 80 };
static const char connect_http[] = "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n";

/* A request that is being read on another thread. */
typedef struct {
	VpnrFd ours;
	VpnrFd theirs;
	int timeout_ms;
	VpnrLatch *stop;
	VpnrThread *thread;
	_Atomic gint tid;
	/* what came of it */
	gboolean ok;
	VpnrProxyreq request;
	char *why;
} Reading;

static void
read_request(gpointer data)
{
	Reading *reading = data;

	atomic_store(&reading->tid, gettid());
	reading->ok = vpnr_request_read(reading->ours, reading->timeout_ms, reading->stop,
					&reading->request, &reading->why);
}

static void
start(Reading *reading, int timeout_ms)
{
	memset(reading, 0, sizeof *reading);
	loopback_pair(&reading->ours, &reading->theirs);
	reading->timeout_ms = timeout_ms;
	reading->stop = vpnr_latch_new(NULL);
	reading->thread = vpnr_thread_start("reading", read_request, reading, NULL);
	g_assert_nonnull(reading->thread);
}

static void
join(Reading *reading)
{
	vpnr_thread_join(g_steal_pointer(&reading->thread));
}

static void
reading_clear(Reading *reading)
{
	vpnr_fd_close(reading->ours);
	vpnr_fd_close(reading->theirs);
	vpnr_latch_free(reading->stop);
	g_free(reading->why);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reading, reading_clear)

static void
assert_dest(const Reading *reading, const char *dest)
{
	char text[VPNR_ADDR_STRLEN];

	g_assert_true(reading->ok);
	g_assert_null(reading->why);
	g_assert_cmpstr(vpnr_addr_format(&reading->request.dest, text), ==, dest);
}

/* What the stream finds on the socket. */
static void
assert_left(const Reading *reading, const char *left)
{
	char bytes[100] = "";
	gssize got = recv(reading->ours, bytes, sizeof bytes - 1, MSG_DONTWAIT);

	g_assert_cmpint(got, ==, *left != '\0' ? (gssize)strlen(left) : -1);
	g_assert_cmpstr(bytes, ==, left);
}

static void
test_socks(void)
{
	g_auto(Reading) reading;

	start(&reading, PATIENCE_MS);
	loopback_send(reading.theirs, greeting, sizeof greeting);
	loopback_expect(reading.theirs, greeted, sizeof greeted);
	loopback_send(reading.theirs, connect_ip4, sizeof connect_ip4);
	join(&reading);
	assert_dest(&reading, "192.0.2.1:80");
	assert_left(&reading, "");
}

static void
test_http(void)
{
	g_auto(Reading) reading;

	start(&reading, PATIENCE_MS);
	loopback_send(reading.theirs, connect_http, strlen(connect_http));
	join(&reading);
	assert_dest(&reading, "example.org:443");
	assert_left(&reading, "");
}

static void
test_data_behind(void)
{
	g_test_summary("What an eager application sends behind its request stays in the socket.");

	g_auto(Reading) socks;
	g_auto(Reading) http;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autofree char *text = g_strconcat(connect_http, "early too", NULL);

	g_byte_array_append(bytes, greeting, sizeof greeting);
	g_byte_array_append(bytes, connect_ip4, sizeof connect_ip4);
	g_byte_array_append(bytes, (const guint8 *)"early", 5);
	start(&socks, PATIENCE_MS);
	loopback_send(socks.theirs, bytes->data, bytes->len);
	join(&socks);
	assert_dest(&socks, "192.0.2.1:80");
	assert_left(&socks, "early");

	start(&http, PATIENCE_MS);
	loopback_send(http.theirs, text, strlen(text));
	join(&http);
	assert_dest(&http, "example.org:443");
	assert_left(&http, "early too");
}

/* Waits until the reader has looked at everything that was sent and sleeps. */
static void
wait_until_asleep(Reading *reading)
{
	for (gint64 begin = g_get_monotonic_time();
	     atomic_load(&reading->tid) == 0 || !thread_sleeps(atomic_load(&reading->tid));
	     patience(begin))
		;
}

static void
test_byte_by_byte(void)
{
	g_test_summary("An application that sends byte by byte; between them the reader sleeps, "
		       "although the bytes before stay in the socket.");

	g_auto(Reading) reading;

	start(&reading, PATIENCE_MS);
	for (gsize i = 0; i < strlen(connect_http); i++) {
		wait_until_asleep(&reading);
		loopback_send(reading.theirs, connect_http + i, 1);
	}
	join(&reading);
	assert_dest(&reading, "example.org:443");
	assert_left(&reading, "");
}

static void
test_bad(void)
{
	g_test_summary("What is no request is answered as far as its protocol can, and explained.");

	g_auto(Reading) reading;
	static const char request[] = "GET / HTTP/1.1\r\n\r\n";

	start(&reading, PATIENCE_MS);
	loopback_send(reading.theirs, request, strlen(request));
	join(&reading);
	g_assert_false(reading.ok);
	g_assert_nonnull(reading.why);
	loopback_expect(reading.theirs, "HTTP/1.1 4", 10);
}

static void
test_left(void)
{
	g_test_summary("An application that leaves: at once, in the middle, by a reset.");

	for (guint i = 0; i < 3; i++) {
		g_auto(Reading) reading;

		start(&reading, PATIENCE_MS);
		if (i > 0)
			loopback_send(reading.theirs, connect_http, 20);
		if (i == 2)
			vpnr_fd_abort(vpnr_fd_steal(&reading.theirs));
		else
			vpnr_fd_close(vpnr_fd_steal(&reading.theirs));
		join(&reading);
		g_assert_false(reading.ok);
		g_assert_nonnull(reading.why);
	}
}

static void
test_late(void)
{
	g_test_summary("Bytes do not lengthen the time: the whole request has it.");

	g_auto(Reading) reading;
	gint64 begin = g_get_monotonic_time();

	start(&reading, 30);
	loopback_send(reading.theirs, connect_http, 20);
	join(&reading);
	g_assert_false(reading.ok);
	g_assert_cmpstr(reading.why, ==, "no complete request in time");
	g_assert_cmpint(g_get_monotonic_time() - begin, >=, 30 * 1000);
}

static void
test_stop(void)
{
	g_auto(Reading) reading;

	start(&reading, PATIENCE_MS);
	loopback_send(reading.theirs, greeting, sizeof greeting);
	loopback_expect(reading.theirs, greeted, sizeof greeted);
	wait_until_asleep(&reading);
	vpnr_latch_trip(reading.stop);
	join(&reading);
	g_assert_false(reading.ok);
	g_assert_nonnull(reading.why);
}

static void
test_answer(void)
{
	g_auto(VpnrFd) ours = -1;
	g_auto(VpnrFd) theirs = -1;
	VpnrProxyreq socks = { .kind = VPNR_PROXY_SOCKS5, .greeted = TRUE };
	VpnrProxyreq http = { .kind = VPNR_PROXY_HTTP };
	const guint8 refused[] = { 5, 5, 0, 1, 0, 0, 0, 0, 0, 0 };
	const guint8 succeeded[] = { 5, 0, 0, 1, 0, 0, 0, 0, 0, 0 };

	loopback_pair(&ours, &theirs);
	g_assert_true(vpnr_request_answer(ours, &socks, VPNR_REASON_NONE));
	loopback_expect(theirs, succeeded, sizeof succeeded);
	g_assert_true(vpnr_request_answer(ours, &socks, VPNR_REASON_REFUSED));
	loopback_expect(theirs, refused, sizeof refused);
	g_assert_true(vpnr_request_answer(ours, &http, VPNR_REASON_DENIED));
	loopback_expect(theirs, "HTTP/1.1 403 ", 13);
	vpnr_fd_abort(vpnr_fd_steal(&theirs));
	g_assert_false(vpnr_request_answer(ours, &http, VPNR_REASON_NONE));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/request/socks", test_socks);
	g_test_add_func("/request/http", test_http);
	g_test_add_func("/request/data-behind", test_data_behind);
	g_test_add_func("/request/byte-by-byte", test_byte_by_byte);
	g_test_add_func("/request/bad", test_bad);
	g_test_add_func("/request/left", test_left);
	g_test_add_func("/request/late", test_late);
	g_test_add_func("/request/stop", test_stop);
	g_test_add_func("/request/answer", test_answer);
	return g_test_run();
}
