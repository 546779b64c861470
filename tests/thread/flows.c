/* SPDX-License-Identifier: MIT
 *
 * Goal: hundreds of UDP flows over one link, some of which flood it, mix no bytes, outlive the cuts
 * of the link and leave nothing behind. Two sessions, two tables and their flows, without TLS.
 */
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/latch.h"
#include "stream/flow.h"
#include "tests/thread/side.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

#define N_OPENERS 12
#define N_FLOWS   12 /* of each opener, one after the other */
#define N_ASKED   20 /* questions of each flow */
#define N_CUTS    10

/* Milliseconds after which a question is asked again: a datagram may be lost. */
#define RETRY_MS 20

/* A flow on its way to its thread. */
typedef struct {
	Side *side;
	VpnrStream *stream;
	int fd;
} Task;

static void
serve_flow(gpointer data)
{
	g_autofree Task *task = data;
	VpnrFlowParams params = { .idle_ms = 10 * PATIENCE_MS, .stats = &task->side->stats };
	VpnrFlow *flow = vpnr_flow_new(task->side->table, task->stream, &params);

	vpnr_flow_run(flow, task->fd);
}

static void
start_flow(Side *side, VpnrStream *stream, int fd)
{
	Task *task = g_new0(Task, 1);

	*task = (Task){ side, stream, fd };
	g_assert_true(vpnr_pool_run(side->pool, serve_flow, task));
}

/* The server's side: every destination is the same, the address that is its data. */
static void
on_open(Side *side, const VpnrFrame *open)
{
	VpnrStream *stream = NULL;
	VpnrAddr addr;
	int fd;

	g_assert_cmpint(vpnr_table_accept(side->table, open, &stream), ==, VPNR_TABLE_OK);
	fd = loopback_udp(&addr);
	loopback_udp_connect(fd, side->data);
	loopback_set_blocking(fd, FALSE);
	start_flow(side, stream, fd);
}

/* Both ends, the destination, and those who open flows. */
typedef struct {
	Side client;
	Side server;
	VpnrFd echo;
	VpnrAddr echo_addr;
	VpnrLatch *stop; /* of the echo */
	VpnrThread *echo_thread;
	_Atomic guint n_answered;
} Bench;

typedef struct {
	Bench *bench;
	guint number;
	VpnrThread *thread;
} Opener;

static void
echo_one(int fd)
{
	guint8 bytes[2048];
	struct sockaddr_storage ss;
	socklen_t length = sizeof ss;
	gssize n = recvfrom(fd, bytes, sizeof bytes, MSG_DONTWAIT, (struct sockaddr *)&ss, &length);

	if (n >= 0)
		sendto(fd, bytes, (gsize)n, MSG_DONTWAIT, (struct sockaddr *)&ss, length);
}

static void
echo(gpointer data)
{
	Bench *bench = data;
	struct pollfd pfd[2] = {
		{ .fd = bench->echo, .events = POLLIN },
		{ .fd = vpnr_latch_fd(bench->stop), .events = POLLIN },
	};

	while (poll(pfd, G_N_ELEMENTS(pfd), -1) > 0 && pfd[1].revents == 0)
		echo_one(bench->echo);
}

/* A new link, on which each side goes on where the other has stopped receiving. */
static void
attach(Bench *bench)
{
	guint64 by_client = vpnr_session_received(bench->client.session);
	guint64 by_server = vpnr_session_received(bench->server.session);
	g_autoptr(GError) error = NULL;
	int client, server;

	loopback_pair(&client, &server);
	loopback_set_blocking(server, FALSE);
	vpnr_session_attach(bench->client.session, vpnr_transport_new_plain(client), NULL,
			    by_server, &error);
	g_assert_no_error(error);
	vpnr_session_attach(bench->server.session, vpnr_transport_new_plain(server), NULL,
			    by_client, &error);
	g_assert_no_error(error);
}

static void
detach(Bench *bench)
{
	g_assert_cmpint(vpnr_session_detach(bench->client.session), ==, VPNR_LINK_LOST);
	g_assert_cmpint(vpnr_session_detach(bench->server.session), ==, VPNR_LINK_LOST);
}

static void
bench_init(Bench *bench)
{
	memset(bench, 0, sizeof *bench);
	bench->echo = loopback_udp(&bench->echo_addr);
	bench->stop = vpnr_latch_new(NULL);
	bench->echo_thread = vpnr_thread_start("echo", echo, bench, NULL);
	side_init(&bench->client, VPNR_ROLE_CLIENT, NULL);
	side_init(&bench->server, VPNR_ROLE_SERVER, on_open);
	bench->server.data = &bench->echo_addr;
	attach(bench);
}

/* No flow is left, and no datagram has kept its room. */
static void
end_side(Side *side)
{
	g_assert_cmpuint(vpnr_stats_get(&side->stats, VPNR_STAT_VIOLATIONS), ==, 0);
	side_clear(side);
}

static void
bench_clear(Bench *bench)
{
	end_side(&bench->client);
	end_side(&bench->server);
	vpnr_latch_trip(bench->stop);
	vpnr_thread_join(bench->echo_thread);
	vpnr_latch_free(bench->stop);
	vpnr_fd_close(bench->echo);
}

/* --- applications ----------------------------------------------------------------------------- */

/* A flow (transfer full, a reference) and the application's end of it. */
static VpnrStream *
open_flow(Bench *bench, int *theirs)
{
	VpnrAddr dest = { .type = VPNR_ADDR_IPV4, .port = 7, .ip4 = { 192, 0, 2, 1 } };
	VpnrStream *stream = NULL;
	int ours;

	g_assert_cmpint(vpnr_table_open(bench->client.table, VPNR_KIND_UDP, &dest, NULL, &stream),
			==, VPNR_TABLE_OK);
	vpnr_stream_ref(stream);
	loopback_udp_pair(&ours, theirs);
	start_flow(&bench->client, stream, ours);
	return stream;
}

/* TRUE if the answer to this question, and no other flow's, has come within RETRY_MS. */
static gboolean
is_answered(int fd, const guint32 question[2])
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	guint32 answer[2];

	while (poll(&pfd, 1, RETRY_MS) > 0) {
		if (recv(fd, answer, sizeof answer, MSG_DONTWAIT) != sizeof answer)
			continue;
		g_assert_cmpuint(answer[0], ==, question[0]);
		if (answer[1] == question[1])
			return TRUE;
	}
	return FALSE;
}

/* Every third question is fed to the flow by this thread, as a listener would. */
static void
ask(Bench *bench, VpnrStream *stream, int fd, const guint32 question[2])
{
	gint64 begin = g_get_monotonic_time();

	do {
		if (question[1] % 3 == 0)
			g_assert_true(vpnr_flow_feed(stream, (const guint8 *)question,
						     2 * sizeof *question, &bench->client.stats));
		else
			loopback_udp_send(fd, question, 2 * sizeof *question);
		patience(begin);
	} while (!is_answered(fd, question));
	atomic_fetch_add(&bench->n_answered, 1);
}

/* Does not read what it is answered. */
static void
flood(int fd)
{
	guint8 bytes[1200] = { 0 };

	for (guint i = 0; i < 2000; i++)
		loopback_udp_send(fd, bytes, sizeof bytes);
}

static void
open_flows(gpointer data)
{
	Opener *opener = data;
	Bench *bench = opener->bench;

	for (guint i = 0; i < N_FLOWS; i++) {
		guint number = opener->number * N_FLOWS + i;
		int fd;
		VpnrStream *stream = open_flow(bench, &fd);

		if (number % 4 == 3)
			flood(fd);
		for (guint n = 0; number % 4 != 3 && n < N_ASKED; n++)
			ask(bench, stream, fd, (const guint32[]){ number, n });
		vpnr_flow_finish(stream);
		vpnr_stream_unref(stream);
		vpnr_fd_close(fd);
	}
}

static void
start_openers(Bench *bench, Opener openers[N_OPENERS])
{
	for (guint i = 0; i < N_OPENERS; i++) {
		openers[i] = (Opener){ .bench = bench, .number = i };
		openers[i].thread = vpnr_thread_start("opener", open_flows, &openers[i], NULL);
		g_assert_nonnull(openers[i].thread);
	}
}

static void
wait_until_answered(Bench *bench, guint n)
{
	for (gint64 begin = g_get_monotonic_time(); atomic_load(&bench->n_answered) < n;
	     patience(begin))
		;
}

static void
wait_until_empty(Side *side)
{
	for (gint64 begin = g_get_monotonic_time(); vpnr_table_size(side->table) > 0;
	     patience(begin))
		;
}

static void
test_cut(void)
{
	const guint n = N_OPENERS * N_FLOWS * 3 / 4 * N_ASKED;
	Bench bench;
	Opener openers[N_OPENERS];

	bench_init(&bench);
	start_openers(&bench, openers);
	for (guint i = 0; i < N_CUTS; i++) {
		wait_until_answered(&bench, i * n / N_CUTS);
		detach(&bench);
		attach(&bench);
	}
	for (guint i = 0; i < N_OPENERS; i++)
		vpnr_thread_join(openers[i].thread);
	g_assert_cmpuint(atomic_load(&bench.n_answered), ==, n);
	wait_until_empty(&bench.client);
	wait_until_empty(&bench.server);
	bench_clear(&bench);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/thread/flows/cut", test_cut);
	return g_test_run();
}
