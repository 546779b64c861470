/* SPDX-License-Identifier: MIT
 *
 * Goal: hundreds of streams over one link, half of them given up in the middle, mix no bytes and
 * leave nothing behind; and a session that is taken down under them ends them all. Two sessions,
 * two tables and their workers, without TLS.
 */
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "stream/worker.h"
#include "tests/thread/echo.h"
#include "tests/thread/side.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

#define N_OPENERS 12
#define N_STREAMS 30 /* of each opener, one after the other */

/* A stream on its way to its worker. */
typedef struct {
	VpnrTable *table;
	VpnrStream *stream;
	int fd;
} Task;

static void
serve_stream(gpointer data)
{
	g_autofree Task *task = data;
	VpnrWorker worker;

	vpnr_worker_init(&worker, task->table, task->stream);
	vpnr_worker_run(&worker, task->fd);
}

static void
answer(gpointer data)
{
	echo_answer(GPOINTER_TO_INT(data));
}

static void
start_worker(Side *side, VpnrStream *stream, int fd)
{
	Task *task = g_new0(Task, 1);

	task->table = side->table;
	task->stream = stream;
	task->fd = fd;
	g_assert_true(vpnr_pool_run(side->pool, serve_stream, task));
}

/* The server's side: every destination echoes. */
static void
on_open(Side *side, const VpnrFrame *open)
{
	VpnrStream *stream = NULL;
	int ours, theirs;

	g_assert_cmpint(vpnr_table_accept(side->table, open, &stream), !=, VPNR_TABLE_VIOLATION);
	if (stream == NULL)
		return; /* the link is being taken down */
	loopback_pair(&ours, &theirs);
	start_worker(side, stream, ours);
	g_assert_true(vpnr_pool_run(side->pool, answer, GINT_TO_POINTER(theirs)));
}

/* Both ends, and those who open streams. */
typedef struct {
	Side client;
	Side server;
	_Atomic guint n_echoed;
	_Atomic gboolean cutting; /* streams may end at any moment */
} Bench;

typedef struct {
	Bench *bench;
	guint number;
	VpnrThread *thread;
} Opener;

static void
attach(Side *side, int fd)
{
	g_autoptr(GError) error = NULL;

	vpnr_session_attach(side->session, vpnr_transport_new_plain(fd), NULL, 0, &error);
	g_assert_no_error(error);
}

static void
bench_init(Bench *bench)
{
	int client, server;

	memset(bench, 0, sizeof *bench);
	loopback_pair(&client, &server);
	loopback_set_blocking(server, FALSE);
	side_init(&bench->client, VPNR_ROLE_CLIENT, NULL);
	side_init(&bench->server, VPNR_ROLE_SERVER, on_open);
	attach(&bench->client, client);
	attach(&bench->server, server);
	atomic_init(&bench->n_echoed, 0);
	atomic_init(&bench->cutting, FALSE);
}

/* The application's end of a new stream, or -1. */
static int
open_stream(Bench *bench)
{
	VpnrAddr dest = { .type = VPNR_ADDR_IPV4, .port = 7, .ip4 = { 192, 0, 2, 1 } };
	VpnrStream *stream = NULL;
	int ours, theirs;

	if (vpnr_table_open(bench->client.table, VPNR_KIND_TCP, &dest, NULL, &stream) !=
	    VPNR_TABLE_OK)
		return -1;
	loopback_pair(&ours, &theirs);
	start_worker(&bench->client, stream, ours);
	return theirs;
}

/* An application that says that much will come, sends less, and goes away. */
static void
give_up(int fd, guint number)
{
	guint32 n = 1000000;

	loopback_send(fd, &n, sizeof n);
	for (guint i = 0; i < number % 7; i++)
		loopback_send(fd, &n, sizeof n);
	if (number % 2 == 0)
		vpnr_fd_abort(fd);
	else
		vpnr_fd_close(fd);
}

static void
open_streams(gpointer data)
{
	Opener *opener = data;
	Bench *bench = opener->bench;

	for (guint i = 0; i < N_STREAMS; i++) {
		guint number = opener->number * N_STREAMS + i;
		int fd = open_stream(bench);

		if (fd < 0) {
			g_assert_true(atomic_load(&bench->cutting));
			return;
		}
		if (number % 3 == 0 && !atomic_load(&bench->cutting)) {
			give_up(fd, number);
			continue;
		}
		if (echo_ask(fd, number * 997 % 300000, number % 2 == 0))
			atomic_fetch_add(&bench->n_echoed, 1);
		else
			g_assert_true(atomic_load(&bench->cutting));
		vpnr_fd_close(fd);
	}
}

static void
start_openers(Bench *bench, Opener openers[N_OPENERS])
{
	for (guint i = 0; i < N_OPENERS; i++) {
		openers[i] = (Opener){ .bench = bench, .number = i };
		openers[i].thread = vpnr_thread_start("opener", open_streams, &openers[i], NULL);
		g_assert_nonnull(openers[i].thread);
	}
}

static void
join_openers(Opener openers[N_OPENERS])
{
	for (guint i = 0; i < N_OPENERS; i++)
		vpnr_thread_join(openers[i].thread);
}

static void
wait_until_empty(Side *side)
{
	for (gint64 begin = g_get_monotonic_time(); vpnr_table_size(side->table) > 0;
	     patience(begin))
		;
}

static void
assert_clean(Side *side)
{
	g_assert_cmpuint(vpnr_stats_get(&side->stats, VPNR_STAT_VIOLATIONS), ==, 0);
}

static void
test_many(void)
{
	Bench bench;
	Opener openers[N_OPENERS];

	bench_init(&bench);
	start_openers(&bench, openers);
	join_openers(openers);
	g_assert_cmpuint(atomic_load(&bench.n_echoed), ==, N_OPENERS * N_STREAMS * 2 / 3);
	wait_until_empty(&bench.client);
	wait_until_empty(&bench.server);
	g_assert_cmpuint(vpnr_stats_get(&bench.client.stats, VPNR_STAT_STREAMS_TOTAL), ==,
			 N_OPENERS * N_STREAMS);
	assert_clean(&bench.client);
	assert_clean(&bench.server);
	side_clear(&bench.client);
	side_clear(&bench.server);
}

static void
wait_for_end(const VpnrSession *session)
{
	struct pollfd fds[VPNR_SESSION_FDS];

	do {
		vpnr_session_prepare_poll(session, fds);
		poll(fds, G_N_ELEMENTS(fds), -1);
	} while (vpnr_session_link_end(session, fds) == VPNR_LINK_OPEN);
}

static void
test_cut(void)
{
	g_test_summary("Both ends are taken down under busy streams, at another moment each time.");

	for (guint round = 0; round < 5; round++) {
		Bench bench;
		Opener openers[N_OPENERS];

		bench_init(&bench);
		atomic_store(&bench.cutting, TRUE);
		start_openers(&bench, openers);
		for (gint64 begin = g_get_monotonic_time();
		     atomic_load(&bench.n_echoed) < 1 + round * 20; patience(begin))
			;
		if (round % 2 == 0) {
			side_clear(&bench.server);
			wait_for_end(bench.client.session);
		}
		vpnr_table_close(bench.client.table, VPNR_REASON_LINK_LOST);
		join_openers(openers);
		side_clear(&bench.client);
		if (round % 2 != 0)
			side_clear(&bench.server);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/thread/streams/many", test_many);
	g_test_add_func("/thread/streams/cut", test_cut);
	return g_test_run();
}
