/* SPDX-License-Identifier: MIT
 *
 * uplinks: several links to a server that the test plays: which of them gets a new stream, what
 * becomes of the others when one is lost, and how they look from outside.
 */
#include "client/uplinks.h"

#include <poll.h>
#include <string.h>

#include "app/keys.h"
#include "base/fd.h"
#include "tests/unit/loopback.h"
#include "tests/unit/party.h"
#include "tests/unit/patience.h"

#define N           4
#define STREAMS_MAX 32

/* Microseconds in which all must have stopped, as one alone has to (uplink.c). */
#define STOP_US 9000000

typedef struct {
	VpnrFd listener;
	VpnrKey server_key; /* private */
	guint32 max_streams;
	VpnrUplinks *uplinks;
	Party parties[N + 1]; /* by number */
	/* what the test has opened */
	guint n_streams;
	VpnrTable *tables[STREAMS_MAX];
	VpnrStream *streams[STREAMS_MAX];
} Bench;

static void
start(Bench *bench, VpnrProtocol protocol)
{
	g_autoptr(GError) error = NULL;
	VpnrUplinkTarget target = { .protocol = protocol, .resume_timeout_s = 300 };

	memset(bench, 0, sizeof *bench);
	bench->max_streams = 100;
	for (guint i = 0; i <= N; i++)
		bench->parties[i].link.fd = -1;
	bench->listener = loopback_listen(64, &target.server);
	g_assert_true(vpnr_keys_generate(&bench->server_key, NULL));
	g_assert_true(vpnr_keys_generate(&target.private_key, NULL));
	g_assert_true(vpnr_keys_derive_public(&bench->server_key, &target.server_public_key, NULL));
	bench->uplinks = vpnr_uplinks_start(N, &target, NULL, &error);
	g_assert_no_error(error);
}

static VpnrUplink *
uplink(const Bench *bench, guint number)
{
	return vpnr_uplinks_get(bench->uplinks, number);
}

static VpnrUplinkState
state_of(const Bench *bench, guint number)
{
	return vpnr_uplink_status(uplink(bench, number)).news.state;
}

static void
wait_until_connected(const Bench *bench, guint number)
{
	for (gint64 begin = g_get_monotonic_time();
	     state_of(bench, number) != VPNR_UPLINK_CONNECTED; patience(begin))
		;
}

/* Plays the server for whichever link comes next, and returns its number. */
static guint
greet_next(Bench *bench, gboolean anew)
{
	Party arriving;
	Party *party;
	VpnrFrame *answer;
	VpnrHello hello;

	party_begin(&arriving, VPNR_ROLE_SERVER);
	g_assert_true(party_shake_hands(&arriving, loopback_accept(bench->listener),
					VPNR_ROLE_SERVER, &bench->server_key));
	party_take_hello(&arriving, &hello);
	g_assert_true(hello.has_origin);
	g_assert_cmpuint(hello.origin.number, >=, 1);
	g_assert_cmpuint(hello.origin.number, <=, N);
	party = &bench->parties[hello.origin.number];
	g_assert_null(party->link.received);
	if (anew) {
		g_assert_false(hello.has_session);
		*party = arriving;
		party->has_origin = TRUE;
		party->origin = hello.origin;
	} else {
		g_assert_true(vpnr_session_id_equal(&hello.session, &party->id));
		party->link = arriving.link;
	}
	answer = party_hello(party);
	answer->hello->max_streams = bench->max_streams;
	answer->hello->has_origin = FALSE;
	party_send(party, answer);
	wait_until_connected(bench, hello.origin.number);
	return hello.origin.number;
}

static void
greet_all(Bench *bench)
{
	for (guint i = 0; i < N; i++)
		greet_next(bench, TRUE);
}

/* Until the client has noticed. */
static void
cut(Bench *bench, guint number)
{
	party_hang_up(&bench->parties[number]);
	for (gint64 begin = g_get_monotonic_time();
	     state_of(bench, number) == VPNR_UPLINK_CONNECTED; patience(begin))
		;
}

static VpnrTableResult
open_stream(Bench *bench)
{
	VpnrAddr dest = { .type = VPNR_ADDR_IPV4, .port = 80, .ip4 = { 192, 0, 2, 1 } };
	guint i = bench->n_streams;
	VpnrTableResult result;

	g_assert_cmpuint(i, <, STREAMS_MAX);
	result = vpnr_uplinks_open(bench->uplinks, VPNR_KIND_TCP, &dest, NULL, &bench->tables[i],
				   &bench->streams[i]);
	if (result == VPNR_TABLE_OK)
		bench->n_streams++;
	return result;
}

static void
open_streams(Bench *bench, guint n)
{
	for (guint i = 0; i < n; i++)
		g_assert_cmpint(open_stream(bench), ==, VPNR_TABLE_OK);
}

static guint
streams_of(const Bench *bench, guint number)
{
	return vpnr_uplink_foreach(uplink(bench, number), NULL, NULL);
}

static void
expect_streams(const Bench *bench, guint a, guint b, guint c, guint d)
{
	const guint wanted[N] = { a, b, c, d };

	for (guint i = 0; i < N; i++)
		g_assert_cmpuint(streams_of(bench, i + 1), ==, wanted[i]);
}

static void
end_stream(Bench *bench, guint i)
{
	vpnr_table_remove(bench->tables[i], bench->streams[i]);
	vpnr_stream_unref(bench->streams[i]);
	bench->n_streams--;
	bench->tables[i] = bench->tables[bench->n_streams];
	bench->streams[i] = bench->streams[bench->n_streams];
}

static void
find_one(VpnrStream *stream, gpointer data)
{
	*(VpnrStream **)data = stream;
}

/* Those of one link. */
static void
end_streams_of(Bench *bench, guint number)
{
	VpnrStream *one;

	while (vpnr_uplink_foreach(uplink(bench, number), find_one, &one) > 0)
		for (guint i = 0; i < bench->n_streams; i++)
			if (bench->streams[i] == one) {
				end_stream(bench, i);
				break;
			}
}

static void
bench_clear(Bench *bench)
{
	gint64 begin = g_get_monotonic_time();

	while (bench->n_streams > 0)
		end_stream(bench, 0);
	vpnr_uplinks_free(bench->uplinks);
	g_assert_cmpint(g_get_monotonic_time() - begin, <, STOP_US);
	for (guint i = 1; i <= N; i++)
		party_clear(&bench->parties[i]);
	vpnr_fd_close(bench->listener);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

static gboolean
any_link(const Bench *bench)
{
	struct pollfd pfd = { .fd = vpnr_uplinks_fd(bench->uplinks), .events = POLLIN };

	return poll(&pfd, 1, 0) > 0;
}

/* --- streams ---------------------------------------------------------------------------------- */

static void
test_spread(void)
{
	g_test_summary("Streams are spread evenly, and the places of those that have ended are "
		       "taken first.");

	g_auto(Bench) bench;

	start(&bench, VPNR_PROTOCOL_V2);
	greet_all(&bench);
	open_streams(&bench, 3 * N);
	expect_streams(&bench, 3, 3, 3, 3);
	end_streams_of(&bench, 3);
	open_streams(&bench, 3);
	expect_streams(&bench, 3, 3, 3, 3);
}

static void
test_waiting_bytes(void)
{
	g_test_summary("Of links with equally many streams the one for which the fewest bytes wait "
		       "is taken.");

	g_auto(Bench) bench;

	start(&bench, VPNR_PROTOCOL_V2);
	greet_all(&bench);
	open_streams(&bench, N - 1);
	for (guint i = 0; i < bench.n_streams; i++)
		vpnr_table_take_room(bench.tables[i], bench.streams[i], 1000 * (i + 1));
	open_streams(&bench, 1); /* the one that had none */
	expect_streams(&bench, 1, 1, 1, 1);
	vpnr_table_take_room(bench.tables[N - 1], bench.streams[N - 1], 100000);
	open_streams(&bench, 1);
	g_assert_true(bench.tables[N] == bench.tables[0]);
	open_streams(&bench, 1);
	g_assert_true(bench.tables[N + 1] == bench.tables[1]);
}

static void
test_full(void)
{
	g_auto(Bench) bench;

	start(&bench, VPNR_PROTOCOL_V2);
	bench.max_streams = 1;
	greet_next(&bench, TRUE);
	bench.max_streams = 2;
	for (guint i = 1; i < N; i++)
		greet_next(&bench, TRUE);
	open_streams(&bench, 2 * N - 1);
	g_assert_cmpint(open_stream(&bench), ==, VPNR_TABLE_FULL);
	g_assert_cmpuint(vpnr_uplinks_foreach(bench.uplinks, NULL, NULL), ==, 2 * N - 1);
}

static void
test_unsupported(void)
{
	g_auto(Bench) bench;
	VpnrAddr dest = { .type = VPNR_ADDR_IPV4, .port = 53, .ip4 = { 192, 0, 2, 1 } };
	VpnrTable *table;
	VpnrStream *stream;

	start(&bench, VPNR_PROTOCOL_V2);
	greet_all(&bench); /* which takes no datagrams */
	g_assert_cmpint(vpnr_uplinks_open(bench.uplinks, VPNR_KIND_UDP, &dest, NULL, &table,
					  &stream),
			==, VPNR_TABLE_UNSUPPORTED);
}

/* --- links ------------------------------------------------------------------------------------ */

static void
test_one_lost(void)
{
	g_test_summary("A lost link keeps its streams, new ones go to the others, and when it is "
		       "there again it goes on with its session and gets new ones.");

	g_auto(Bench) bench;

	start(&bench, VPNR_PROTOCOL_V2);
	greet_all(&bench);
	open_streams(&bench, N);
	cut(&bench, 2);
	g_assert_true(any_link(&bench));
	open_streams(&bench, N - 1);
	expect_streams(&bench, 2, 1, 2, 2);
	for (guint i = 0; i < bench.n_streams; i++)
		g_assert_cmpint(vpnr_stream_reset_reason(bench.streams[i]), ==, VPNR_REASON_NONE);
	g_assert_cmpuint(greet_next(&bench, FALSE), ==, 2);
	open_streams(&bench, 1);
	expect_streams(&bench, 2, 2, 2, 2);
	g_assert_cmpuint(vpnr_stats_get(vpnr_uplinks_stats(bench.uplinks, 2), VPNR_STAT_RESUMES),
			 ==, 1);
	g_assert_cmpuint(vpnr_stats_get(vpnr_uplinks_stats(bench.uplinks, 1), VPNR_STAT_RECONNECTS),
			 ==, 0);
}

static void
test_all_lost(void)
{
	g_test_summary("There is a link as long as there is any.");

	g_auto(Bench) bench;

	start(&bench, VPNR_PROTOCOL_V2);
	g_assert_false(any_link(&bench));
	g_assert_cmpint(open_stream(&bench), ==, VPNR_TABLE_CLOSED);
	greet_all(&bench);
	for (guint i = 1; i <= N; i++) {
		g_assert_true(any_link(&bench));
		cut(&bench, i);
	}
	g_assert_false(any_link(&bench));
	g_assert_cmpint(open_stream(&bench), ==, VPNR_TABLE_CLOSED);
	greet_next(&bench, FALSE);
	g_assert_true(any_link(&bench));
	open_streams(&bench, 1);
	g_assert_cmpint(vpnr_uplinks_patience_ms(bench.uplinks), ==, 300000);
}

static void
test_origin(void)
{
	g_test_summary("One process, and a number for each link; and another process.");

	g_auto(Bench) bench;
	g_auto(Bench) other;

	start(&bench, VPNR_PROTOCOL_V2);
	greet_all(&bench);
	start(&other, VPNR_PROTOCOL_V2);
	greet_all(&other);
	for (guint i = 2; i <= N; i++)
		g_assert_true(
		    vpnr_origin_same_client(&bench.parties[1].origin, &bench.parties[i].origin));
	g_assert_false(vpnr_origin_same_client(&bench.parties[1].origin, &other.parties[1].origin));
}

/* --- reports ---------------------------------------------------------------------------------- */

static void
test_status(void)
{
	g_auto(Bench) bench;
	VpnrUplinkStatus status;
	guint last;

	start(&bench, VPNR_PROTOCOL_V2);
	g_assert_cmpuint(vpnr_uplinks_count(bench.uplinks), ==, N);
	status = vpnr_uplinks_status(bench.uplinks);
	g_assert_cmpint(status.news.state, !=, VPNR_UPLINK_CONNECTED);
	g_assert_cmpint(status.news.down_since_us, >, 0);
	g_assert_false(status.session.attached);
	g_assert_cmpint(status.session.rtt_us, ==, -1);
	last = greet_next(&bench, TRUE);
	status = vpnr_uplinks_status(bench.uplinks);
	g_assert_cmpint(status.news.state, ==, VPNR_UPLINK_CONNECTED);
	g_assert_cmpint(status.news.down_since_us, ==, 0);
	g_assert_true(status.session.attached);
	g_assert_cmpint(status.session.link_since_us, >, 0);
	cut(&bench, last);
	status = vpnr_uplinks_status(bench.uplinks);
	g_assert_cmpint(status.news.state, !=, VPNR_UPLINK_CONNECTED);
	g_assert_cmpint(status.news.down_since_us, ==,
			vpnr_uplink_status(uplink(&bench, last)).news.down_since_us);
}

static gboolean
has_thread(const char *name)
{
	g_autoptr(GDir) tasks = g_dir_open("/proc/self/task", 0, NULL);
	const char *task;

	while ((task = g_dir_read_name(tasks)) != NULL) {
		g_autofree char *path = g_strdup_printf("/proc/self/task/%s/comm", task);
		g_autofree char *comm = NULL;

		if (g_file_get_contents(path, &comm, NULL, NULL) &&
		    g_str_equal(g_strchomp(comm), name))
			return TRUE;
	}
	return FALSE;
}

static void
wait_for_thread(const char *name)
{
	for (gint64 begin = g_get_monotonic_time(); !has_thread(name); patience(begin))
		;
}

static void
test_threads(void)
{
	g_auto(Bench) bench;

	start(&bench, VPNR_PROTOCOL_V2);
	greet_all(&bench);
	wait_for_thread("vpnr-uplink 1");
	wait_for_thread("vpnr-uplink 4");
	wait_for_thread("vpnr-writer 2");
	wait_for_thread("vpnr-reader 3");
	g_assert_false(has_thread("vpnr-uplink"));
}

static void
test_v1(void)
{
	g_test_summary("VPNr/1: the connections are as independent.");

	g_auto(Bench) bench;
	VpnrFd links[N];

	start(&bench, VPNR_PROTOCOL_V1);
	for (guint i = 0; i < N; i++)
		links[i] = loopback_accept(bench.listener);
	for (guint i = 1; i <= N; i++)
		wait_until_connected(&bench, i);
	open_streams(&bench, N);
	expect_streams(&bench, 1, 1, 1, 1);
	for (guint i = 0; i < N; i++)
		g_assert_cmpuint(bench.streams[i]->id, ==, bench.streams[0]->id);
	while (bench.n_streams > 0)
		end_stream(&bench, 0);
	for (guint i = 0; i < N; i++)
		vpnr_fd_close(links[i]);
}

static void
test_free(void)
{
	vpnr_uplinks_free(NULL);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/uplinks/spread", test_spread);
	g_test_add_func("/uplinks/waiting-bytes", test_waiting_bytes);
	g_test_add_func("/uplinks/full", test_full);
	g_test_add_func("/uplinks/unsupported", test_unsupported);
	g_test_add_func("/uplinks/one-lost", test_one_lost);
	g_test_add_func("/uplinks/all-lost", test_all_lost);
	g_test_add_func("/uplinks/origin", test_origin);
	g_test_add_func("/uplinks/status", test_status);
	g_test_add_func("/uplinks/threads", test_threads);
	g_test_add_func("/uplinks/v1", test_v1);
	g_test_add_func("/uplinks/free", test_free);
	return g_test_run();
}
