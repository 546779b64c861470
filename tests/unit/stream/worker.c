/* SPDX-License-Identifier: MIT
 *
 * worker: one stream's socket against a link that the test plays: what travels each way, how each
 * direction ends, what waits when the other side does not take it.
 *
 * Linked with the wraps of alive.h, with --wrap=recvmsg and --wrap=send, with --wrap=poll, so that
 * no test takes as long as the worker's patience, and with --wrap=vpnr_patience_hears_talk and
 * --wrap=vpnr_patience_keep_watch, so that nothing depends on what else this machine does.
 */
#include "stream/worker.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/patience.h"
#include "base/thread.h"
#include "proto/v1.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"
#include "tests/unit/stream/alive.h"
#include "tests/unit/stream/rig.h"

/* Bytes of which neither side's bounds are a multiple. */
#define LARGE 3000001

/* Bytes of a long frame. */
#define LONG 20000

/* Frames that one read could fill, at the most, since this was last reset. */
static _Atomic guint frames_per_read;

/* What happens once the next send() to that socket is done, before it returns. */
static struct {
	int fd;
	void (*func)(gpointer data);
	gpointer data;
} after_send;

/* What workers are told. */
static _Atomic gboolean somebody_talks;

/* What becomes of a worker that waits for a WINDOW while both directions are stuck. */
typedef enum {
	STUCK_WAITS, /* without an end */
	STUCK_TIME_IS_UP,
	STUCK_TIME_FLIES,   /* it is up again and again */
	STUCK_WINDOW_COMES, /* at the moment when the time is up */
	STUCK_APPLICATION_READS,
} Stuck;

static _Atomic Stuck stuck;
static Rig *stuck_rig; /* of which stream 1 gets WINDOW: */
static guint64 stuck_limit;
static int stuck_app; /* that reads so many of the bytes which wait in the worker's socket: */
static int stuck_fd;
static gsize stuck_bytes;

/* Waits since these were last reset: those of such workers, and those without an end. */
static _Atomic guint stuck_waits;
static _Atomic guint endless_waits;

int __real_poll(struct pollfd *pollfds, nfds_t n, int timeout_ms);
int __wrap_poll(struct pollfd *pollfds, nfds_t n, int timeout_ms);
ssize_t __real_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __real_send(int fd, gconstpointer bytes, gsize n, int flags);
ssize_t __wrap_send(int fd, gconstpointer bytes, gsize n, int flags);
gboolean __wrap_vpnr_patience_hears_talk(void);
void __wrap_vpnr_patience_keep_watch(VpnrPatienceWatch *watch, VpnrPatienceWork work);

/* As many bytes leave the worker's socket, if not at once. */
static void
read_while_stuck(void)
{
	g_autofree guint8 *bytes = g_malloc(stuck_bytes);
	gsize under_way = vpnr_fd_under_way(stuck_fd);

	g_assert_cmpint(recv(stuck_app, bytes, stuck_bytes, MSG_WAITALL), ==, stuck_bytes);
	for (gint64 start = g_get_monotonic_time(); vpnr_fd_under_way(stuck_fd) == under_way;
	     patience(start))
		;
}

int
__wrap_poll(struct pollfd *pollfds, nfds_t n, int timeout_ms)
{
	if (timeout_ms == -1)
		atomic_fetch_add(&endless_waits, 1);
	if (timeout_ms != VPNR_WORKER_STUCK_MS)
		return __real_poll(pollfds, n, timeout_ms);
	atomic_fetch_add(&stuck_waits, 1);
	if (atomic_load(&stuck) == STUCK_WAITS)
		return __real_poll(pollfds, n, -1);
	if (atomic_load(&stuck) == STUCK_TIME_FLIES)
		return 0;
	switch (atomic_exchange(&stuck, STUCK_WAITS)) {
	case STUCK_WINDOW_COMES:
		g_assert_null(rig_deliver_window(stuck_rig, 1, stuck_limit));
		break;
	case STUCK_APPLICATION_READS:
		read_while_stuck();
		break;
	default:
		break;
	}
	return 0;
}

ssize_t
__wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
	guint n = (guint)message->msg_iovlen;

	if (n > atomic_load(&frames_per_read)) /* one worker at a time */
		atomic_store(&frames_per_read, n);
	return __real_recvmsg(fd, message, flags);
}

/* On the test's thread, which is the reader. */
ssize_t
__wrap_send(int fd, gconstpointer bytes, gsize n, int flags)
{
	ssize_t sent = __real_send(fd, bytes, n, flags);
	void (*func)(gpointer data) = after_send.func;

	if (func != NULL && fd == after_send.fd) {
		after_send.func = NULL;
		func(after_send.data);
	}
	return sent;
}

gboolean
__wrap_vpnr_patience_hears_talk(void)
{
	return atomic_load(&somebody_talks);
}

void
__wrap_vpnr_patience_keep_watch(VpnrPatienceWatch *watch, VpnrPatienceWork work)
{
	(void)watch;
	vpnr_patience_adopt(work);
}

/* A stream with its worker, which owns one end of a TCP connection; the test has the other, app,
 * and a view of the worker's end. */
typedef struct {
	Rig rig;
	VpnrStream *stream;
	guint32 id;
	VpnrFd app;
	int fd; /* the worker's: for poll() only */
	VpnrThread *thread;
} Bench;

static void
serve(gpointer data)
{
	Bench *bench = data;
	VpnrWorker worker;

	vpnr_worker_init(&worker, bench->rig.table, bench->stream);
	vpnr_worker_run(&worker, bench->fd);
}

static gboolean stalls_soon;

/* The next connection's sockets have less room together than the smallest window. */
static void
stall_soon(void)
{
	stalls_soon = TRUE;
}

static void
connect_small(Bench *bench)
{
	int tiny = 4096;

	loopback_small_pair(&bench->fd, &bench->app);
	g_assert_cmpint(setsockopt(bench->fd, SOL_SOCKET, SO_SNDBUF, &tiny, sizeof tiny), ==, 0);
	stalls_soon = FALSE;
}

static void
make_connection(Bench *bench)
{
	bench->id = bench->stream->id;
	vpnr_stream_ref(bench->stream); /* for the test */
	if (stalls_soon)
		connect_small(bench);
	else
		loopback_pair(&bench->fd, &bench->app);
}

static void
start_thread(Bench *bench)
{
	bench->thread = vpnr_thread_start("worker", serve, bench, NULL);
	g_assert_nonnull(bench->thread);
}

static void
start_worker(Bench *bench)
{
	make_connection(bench);
	start_thread(bench);
}

static void
open_client_stream(Bench *bench, guint64 send_limit)
{
	rig_init(&bench->rig, VPNR_PROTOCOL_V2, VPNR_ROLE_CLIENT, send_limit);
	bench->stream = rig_open(&bench->rig);
	g_assert_null(rig_deliver(&bench->rig, VPNR_FRAME_OPENED, bench->stream->id));
}

/* VPNr/2, client: the stream has been opened. */
static void
start_client(Bench *bench, guint64 send_limit)
{
	open_client_stream(bench, send_limit);
	start_worker(bench);
}

/* The same, and the application has reset the connection before the worker starts, and that has
 * been seen: the socket does not tell it again. */
static void
start_client_after_reset(Bench *bench)
{
	struct pollfd pollfd = { .events = POLLIN };
	int error = 0;
	socklen_t size = sizeof error;

	open_client_stream(bench, 1000);
	make_connection(bench);
	pollfd.fd = bench->fd;
	vpnr_fd_abort(vpnr_fd_steal(&bench->app));
	g_assert_cmpint(poll(&pollfd, 1, PATIENCE_MS), ==, 1);
	g_assert_cmpint(getsockopt(bench->fd, SOL_SOCKET, SO_ERROR, &error, &size), ==, 0);
	g_assert_cmpint(error, ==, ECONNRESET);
	start_thread(bench);
}

/* A server; VPNr/2: its OPENED has been sent. */
static void
start_server(Bench *bench, VpnrProtocol protocol, guint64 send_limit)
{
	rig_init(&bench->rig, protocol, VPNR_ROLE_SERVER, send_limit);
	g_assert_cmpint(rig_accept(&bench->rig, 1, &bench->stream), ==, VPNR_TABLE_OK);
	start_worker(bench);
	if (protocol == VPNR_PROTOCOL_V2)
		rig_expect(&bench->rig, VPNR_FRAME_OPENED, 1);
}

/* The stream must be over by itself, with nothing left to say. */
static void
finish(Bench *bench)
{
	vpnr_table_wait_empty(bench->rig.table);
	vpnr_thread_join(bench->thread);
	g_assert_cmpint(atomic_load(&bench->stream->state), ==, VPNR_STREAM_CLOSED);
	g_assert_cmpuint(vpnr_table_in_bulk(bench->rig.table), ==, 0);
	vpnr_stream_unref(bench->stream);
	vpnr_fd_close(bench->app);
	rig_clear(&bench->rig);
}

static void
close_app(Bench *bench)
{
	vpnr_fd_close(vpnr_fd_steal(&bench->app));
}

/* The application ends its side, and then the peer does. */
static void
end_application_first(Bench *bench)
{
	close_app(bench);
	rig_expect(&bench->rig, VPNR_FRAME_FIN, bench->id);
	g_assert_null(rig_deliver(&bench->rig, VPNR_FRAME_FIN, bench->id));
	finish(bench);
}

/* Waits until the worker sleeps and has nothing to do. */
static void
wait_until_asleep(const Bench *bench)
{
	const VpnrStream *stream = bench->stream;

	for (gint64 start = g_get_monotonic_time();
	     atomic_load(&stream->tid) == 0 || vpnr_mailbox_length(stream->inbox) > 0 ||
	     !thread_sleeps(atomic_load(&stream->tid));
	     patience(start))
		;
}

/* The worker has sent so many bytes, and sleeps. */
static void
wait_until_sent(const Bench *bench, guint64 n)
{
	for (gint64 start = g_get_monotonic_time(); atomic_load(&bench->stream->bytes_out) < n;
	     patience(start))
		;
	wait_until_asleep(bench);
	g_assert_cmpuint(atomic_load(&bench->stream->bytes_out), ==, n);
}

static guint8 *
make_pattern(gsize n)
{
	guint8 *bytes = g_malloc(n);

	pattern_fill(bytes, 0, n);
	return bytes;
}

/* --- both ways -------------------------------------------------------------------------------- */

static void
test_echo(void)
{
	Bench bench;

	start_client(&bench, 1000);
	for (guint i = 0; i < 100; i++) {
		loopback_send(bench.app, "ping", 4);
		rig_expect_data(&bench.rig, bench.id, "ping", 4);
		g_assert_null(rig_deliver_data(&bench.rig, bench.id, "pong!", 5));
		loopback_expect(bench.app, "pong!", 5);
	}
	g_assert_cmpuint(atomic_load(&bench.stream->bytes_out), ==, 400);
	for (gint64 start = g_get_monotonic_time(); atomic_load(&bench.stream->bytes_in) < 500;
	     patience(start))
		;
	end_application_first(&bench);
}

typedef struct {
	int fd;
	const guint8 *bytes;
	VpnrThread *thread;
} Sending;

static void
send_large(gpointer data)
{
	const Sending *sending = data;

	loopback_send(sending->fd, sending->bytes, LARGE);
	g_assert_cmpint(shutdown(sending->fd, SHUT_WR), ==, 0);
}

/* The application sends all of these and shuts its side. */
static void
start_sending(Bench *bench, Sending *sending, const guint8 *bytes)
{
	sending->fd = bench->app;
	sending->bytes = bytes;
	sending->thread = vpnr_thread_start("sender", send_large, sending, NULL);
}

/* The same, of a new client. */
static void
start_sender(Bench *bench, Sending *sending, const guint8 *bytes)
{
	start_client(bench, G_MAXUINT64);
	start_sending(bench, sending, bytes);
}

/* The next n bytes of DATA must be these, in frames as they should be in bulk. */
static void
expect_bulk(Bench *bench, const guint8 *bytes, gsize n)
{
	while (n > 0) {
		g_autoptr(VpnrFrame) frame = rig_next(&bench->rig);

		g_assert_cmpstr(vpnr_frame_type_name(frame->type), ==, "DATA");
		g_assert_cmpuint(frame->size, <=, MIN(n, vpnr_table_frame_size(bench->rig.table)));
		g_assert_cmpmem(frame->data, frame->size, bytes, frame->size);
		bytes += frame->size;
		n -= frame->size;
	}
}

/* All bytes and their end have been taken. */
static void
end_transfer(Bench *bench, Sending *sending)
{
	vpnr_thread_join(sending->thread);
	g_assert_null(rig_deliver(&bench->rig, VPNR_FRAME_FIN, bench->id));
	finish(bench);
}

/* A transfer beside so many others of its session, in frames of that size. Returns how many of them
 * one read could fill. */
static guint
transfer_beside(const guint8 *bytes, guint others, gsize frame_size)
{
	Bench bench;
	Sending sending;

	atomic_store(&frames_per_read, 0);
	start_client(&bench, G_MAXUINT64);
	vpnr_table_set_frame_size(bench.rig.table, frame_size);
	for (guint i = 0; i < others; i++)
		vpnr_table_count_bulk(bench.rig.table, TRUE);
	start_sending(&bench, &sending, bytes);
	expect_bulk(&bench, bytes, LARGE);
	rig_expect(&bench.rig, VPNR_FRAME_FIN, bench.id);
	for (guint i = 0; i < others; i++)
		vpnr_table_count_bulk(bench.rig.table, FALSE);
	end_transfer(&bench, &sending);
	return atomic_load(&frames_per_read);
}

/* How soon reads grow is for the kernel to say, too. */
static void
test_large_out(void)
{
	g_test_summary("No frame is longer than what the kernel sends as one packet, though one "
		       "read fills several.");

	g_autofree guint8 *bytes = make_pattern(LARGE);

	for (gint64 start = g_get_monotonic_time(); transfer_beside(bytes, 0, VPNR_DATA_BULK) < 4;
	     patience(start))
		;
	g_assert_cmpuint(atomic_load(&frames_per_read), ==, 4);
}

static void
test_large_out_slow_link(void)
{
	g_test_summary("Where the link is slow frames are as small as they should be, and one read "
		       "fills as many of them.");

	g_autofree guint8 *bytes = make_pattern(LARGE);

	for (gint64 start = g_get_monotonic_time(); transfer_beside(bytes, 0, 16376) < 4;
	     patience(start))
		;
	g_assert_cmpuint(atomic_load(&frames_per_read), ==, 4);
}

static void
test_large_out_beside_talk(void)
{
	g_test_summary("Where others talk one read fills one frame.");

	g_autofree guint8 *bytes = make_pattern(LARGE);

	atomic_store(&somebody_talks, TRUE);
	g_assert_cmpuint(transfer_beside(bytes, 0, VPNR_DATA_BULK), ==, 1);
	atomic_store(&somebody_talks, FALSE);
}

static void
test_large_out_beside_many(void)
{
	g_test_summary("Where transfers have little of the queue each, one read fills one frame.");

	g_autofree guint8 *bytes = make_pattern(LARGE);

	g_assert_cmpuint(transfer_beside(bytes, 17, VPNR_DATA_BULK), ==, 1);
	for (gint64 start = g_get_monotonic_time(); transfer_beside(bytes, 15, VPNR_DATA_BULK) < 4;
	     patience(start))
		;
}

static gsize
random_size(gsize most)
{
	return (gsize)g_test_rand_int_range(1, (gint32)most + 1);
}

/* Takes WINDOWs out of the outbox; the last is the limit. */
static void
take_windows(Bench *bench, guint64 *limit, guint64 sent)
{
	const VpnrRecvCredit *credit = &bench->stream->recv;
	VpnrFrame *frame;

	while ((frame = vpnr_mailbox_try_pop(bench->rig.outbox)) != NULL) {
		vpnr_table_released(bench->rig.table, frame);
		g_assert_cmpstr(vpnr_frame_type_name(frame->type), ==, "WINDOW");
		g_assert_cmpuint(frame->limit, >, *limit);
		g_assert_cmpuint(frame->limit, <, sent + vpnr_recv_credit_window(credit));
		*limit = frame->limit;
		vpnr_frame_free(frame);
	}
}

static void
test_large_in(void)
{
	g_test_summary("As long as the application reads there is always a window to send in.");

	g_autofree guint8 *bytes = make_pattern(LARGE);
	guint64 sent = 0, received = 0, limit = VPNR_WINDOW_MIN;
	gint64 start = g_get_monotonic_time();
	Bench bench;

	start_client(&bench, 1);
	while (received < LARGE) {
		gsize n = random_size(VPNR_DATA_MAX);

		n = MIN(n, MIN(limit, LARGE) - sent);
		if (n > 0)
			g_assert_null(rig_deliver_data(&bench.rig, bench.id, bytes + sent, n));
		sent += n;
		if (sent > received) {
			n = random_size((gsize)(sent - received));
			loopback_expect(bench.app, bytes + received, n);
			received += n;
		}
		take_windows(&bench, &limit, sent);
		patience(start);
	}
	wait_until_asleep(&bench);
	take_windows(&bench, &limit, sent);
	g_assert_cmpuint(limit, >, LARGE);
	end_application_first(&bench);
}

static guint64
worker_turn(const Bench *bench)
{
	return thread_turn(atomic_load(&bench->stream->tid));
}

/* The worker has carried n bytes of the application's to the link, and sleeps. */
static void
carry(Bench *bench, const guint8 *bytes, gsize n)
{
	loopback_send(bench->app, bytes, n);
	expect_bulk(bench, bytes, n);
	wait_until_asleep(bench);
}

/* A client's worker that carries a transfer. Returns what its turns were before. */
static guint64
start_transfer(Bench *bench, const guint8 *bytes)
{
	guint64 usual;

	start_client(bench, G_MAXUINT64);
	carry(bench, bytes, 1);
	usual = worker_turn(bench);
	for (gint64 start = g_get_monotonic_time(); worker_turn(bench) == usual && usual > 0;
	     patience(start))
		carry(bench, bytes, 100000);
	if (usual == 0)
		g_test_skip("the kernel's turns have one length");
	return usual;
}

static void
test_turns(void)
{
	g_test_summary("A worker has long turns during a transfer, and some sleeps longer.");

	g_autofree guint8 *bytes = make_pattern(LARGE);
	Bench bench;
	guint64 usual;

	usual = start_transfer(&bench, bytes);
	for (guint n = 0; n < 16; n++)
		carry(&bench, bytes, 1);
	g_assert_cmpuint(worker_turn(&bench), ==, usual);
	end_application_first(&bench);
}

static void
test_turns_of_stalled(void)
{
	g_test_summary("A worker whose transfer stalls does not stand back for long.");

	g_autofree guint8 *bytes = make_pattern(LARGE);
	Bench bench;
	guint64 usual;

	usual = start_transfer(&bench, bytes);
	for (gint64 start = g_get_monotonic_time(); worker_turn(&bench) != usual; patience(start))
		;
	end_application_first(&bench);
}

/* What the reader writes is written when it has delivered it. */
static void
test_lent(void)
{
	g_test_summary("Short DATA for a worker that rests is written by the reader, and so is "
		       "long DATA, unless others talk.");

	g_autofree guint8 *bytes = make_pattern(LONG);
	Bench bench;

	start_client(&bench, 1000);
	for (gint64 start = g_get_monotonic_time();
	     atomic_load(&bench.stream->lend.state) != VPNR_LEND_OFFERED; patience(start))
		;
	g_assert_null(rig_deliver_data(&bench.rig, bench.id, bytes, LONG));
	g_assert_cmpuint(atomic_load(&bench.stream->bytes_in), ==, LONG);
	loopback_expect(bench.app, bytes, LONG);
	rig_expect(&bench.rig, VPNR_FRAME_WINDOW, bench.id);
	for (guint i = 0; i < 100; i++) {
		g_assert_null(rig_deliver_data(&bench.rig, bench.id, "ping", 4));
		g_assert_cmpuint(atomic_load(&bench.stream->bytes_in), ==, LONG + 4 * (i + 1));
		loopback_expect(bench.app, "ping", 4);
	}
	g_assert_null(rig_deliver_reset(&bench.rig, bench.id, VPNR_REASON_ABORTED));
	finish(&bench);
}

/* Frames of all sizes, of which some are the reader's and some the worker's. */
static void
test_lent_in_order(void)
{
	g_test_summary("Whoever writes, bytes stay in order, also when the socket takes only part; "
		       "and all of them are credited.");

	g_autofree guint8 *bytes = make_pattern(LARGE);
	guint64 limit = VPNR_WINDOW_MIN;
	Bench bench;
	gsize sent = 0;
	gsize got = 0;

	stall_soon();
	start_server(&bench, VPNR_PROTOCOL_V2, 0);
	for (guint i = 0; sent < 400000; i++) {
		gsize n = i % 7 == 0 ? 20000 : 1 + i * 331 % 3000;

		for (gint64 start = g_get_monotonic_time(); sent + n > limit; patience(start)) {
			loopback_expect(bench.app, bytes + got, sent - got);
			got = sent;
			take_windows(&bench, &limit, sent);
		}
		g_assert_null(rig_deliver_data(&bench.rig, 1, bytes + sent, n));
		sent += n;
	}
	loopback_expect(bench.app, bytes + got, sent - got);
	g_assert_null(rig_deliver_reset(&bench.rig, 1, VPNR_REASON_ABORTED));
	loopback_expect_reset(bench.app);
	while (vpnr_mailbox_length(bench.rig.outbox) > 0)
		rig_expect(&bench.rig, VPNR_FRAME_WINDOW, 1);
	finish(&bench);
}

/* --- ends ------------------------------------------------------------------------------------- */

static void
test_application_ends_first(void)
{
	g_test_summary("Half-close: a request whose end is sent gets its whole answer.");

	Bench bench;

	start_client(&bench, 1000);
	loopback_send(bench.app, "request", 7);
	g_assert_cmpint(shutdown(bench.app, SHUT_WR), ==, 0);
	rig_expect_data(&bench.rig, bench.id, "request", 7);
	rig_expect(&bench.rig, VPNR_FRAME_FIN, bench.id);
	for (gint64 start = g_get_monotonic_time();
	     atomic_load(&bench.stream->state) != VPNR_STREAM_LOCAL_CLOSED; patience(start))
		;
	g_assert_null(rig_deliver_data(&bench.rig, bench.id, "answer", 6));
	loopback_expect(bench.app, "answer", 6);
	g_assert_null(rig_deliver_data(&bench.rig, bench.id, "more", 4));
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_FIN, bench.id));
	loopback_expect(bench.app, "more", 4);
	loopback_expect_end(bench.app);
	finish(&bench);
}

static void
test_peer_ends_first(void)
{
	g_test_summary("Half-close: after the peer's end the application may go on sending.");

	Bench bench;

	start_client(&bench, 1000);
	g_assert_null(rig_deliver_data(&bench.rig, bench.id, "banner", 6));
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_FIN, bench.id));
	loopback_expect(bench.app, "banner", 6);
	loopback_expect_end(bench.app);
	g_assert_cmpint(atomic_load(&bench.stream->state), ==, VPNR_STREAM_REMOTE_CLOSED);
	loopback_send(bench.app, "upload", 6);
	rig_expect_data(&bench.rig, bench.id, "upload", 6);
	close_app(&bench);
	rig_expect(&bench.rig, VPNR_FRAME_FIN, bench.id);
	finish(&bench);
}

static void
test_peer_resets(void)
{
	g_test_summary("2.6.8: RESET becomes a TCP reset and is not answered.");

	Bench bench;

	start_client(&bench, 1000);
	loopback_send(bench.app, "x", 1);
	rig_expect_data(&bench.rig, bench.id, "x", 1);
	g_assert_null(rig_deliver_reset(&bench.rig, bench.id, VPNR_REASON_REFUSED));
	loopback_expect_reset(bench.app);
	finish(&bench);
}

static void
test_link_lost(void)
{
	Bench bench;

	start_client(&bench, 1000);
	vpnr_table_close(bench.rig.table, VPNR_REASON_LINK_LOST);
	loopback_expect_reset(bench.app);
	finish(&bench);
}

static void
test_application_resets(void)
{
	Bench bench;

	start_client(&bench, 1000);
	loopback_send(bench.app, "x", 1);
	rig_expect_data(&bench.rig, bench.id, "x", 1);
	vpnr_fd_abort(vpnr_fd_steal(&bench.app));
	rig_expect_reset(&bench.rig, bench.id, VPNR_REASON_ABORTED);
	finish(&bench);
}

/* A RESET that does not overtake the stream's DATA. */
static void
expect_last_reset(Bench *bench)
{
	g_autoptr(VpnrFrame) frame = rig_next(&bench->rig);

	g_assert_cmpstr(vpnr_frame_type_name(frame->type), ==, "RESET");
	g_assert_cmpint(frame->reason, ==, VPNR_REASON_ABORTED);
	g_assert_true(frame->behind_data);
}

static void
test_reset_that_was_seen(void)
{
	g_test_summary("A reset is told as one although the reader, who wrote to the socket, has "
		       "got its error.");

	Bench bench;

	start_client_after_reset(&bench);
	rig_expect_reset(&bench.rig, bench.id, VPNR_REASON_ABORTED);
	finish(&bench);
}

static void
test_application_resets_while_stalled(void)
{
	g_test_summary("A reset is noticed although the window is closed.");

	Bench bench;

	start_client(&bench, 0);
	wait_until_asleep(&bench);
	vpnr_fd_abort(vpnr_fd_steal(&bench.app));
	expect_last_reset(&bench);
	finish(&bench);
}

static void
break_destination(Bench *bench)
{
	vpnr_fd_abort(vpnr_fd_steal(&bench->app));
	for (gint64 start = g_get_monotonic_time();
	     atomic_load(&bench->stream->state) != VPNR_STREAM_CLOSING; patience(start))
		;
}

static void
test_reset_behind_data(void)
{
	g_test_summary("What was sent before a reset is read as the window allows, and only then "
		       "the reset told; what was to be written is dropped.");

	g_autofree guint8 *bytes = make_pattern(30000);
	Bench bench;

	start_server(&bench, VPNR_PROTOCOL_V2, 10000);
	loopback_send(bench.app, bytes, 30000);
	rig_expect_data(&bench.rig, 1, bytes, 10000);
	break_destination(&bench);
	g_assert_null(rig_deliver_data(&bench.rig, 1, "for nobody", 10));
	wait_until_asleep(&bench);
	g_assert_cmpuint(vpnr_mailbox_length(bench.rig.outbox), ==, 0);
	g_assert_null(rig_deliver_window(&bench.rig, 1, 20000));
	rig_expect_data(&bench.rig, 1, bytes + 10000, 10000);
	g_assert_null(rig_deliver_window(&bench.rig, 1, 30000));
	rig_expect_data(&bench.rig, 1, bytes + 20000, 10000);
	expect_last_reset(&bench);
	finish(&bench);
}

/* The destination has sent 30000 bytes, of which the window lets 10000 through, and resets. */
static void
start_server_that_breaks(Bench *bench, const guint8 *bytes)
{
	start_server(bench, VPNR_PROTOCOL_V2, 10000);
	loopback_send(bench->app, bytes, 30000);
	rig_expect_data(&bench->rig, 1, bytes, 10000);
	break_destination(bench);
}

/* The peer sends what it may, but for so many bytes. Waits are counted from here. */
static void
use_up_credit(Bench *bench, gsize but)
{
	g_autofree guint8 *bytes = g_malloc0(VPNR_WINDOW_MIN);
	const gsize half = VPNR_WINDOW_MIN / 2;

	atomic_store(&stuck_waits, 0);
	atomic_store(&endless_waits, 0);
	g_assert_null(rig_deliver_data(&bench->rig, 1, bytes, half));
	g_assert_null(rig_deliver_data(&bench->rig, 1, bytes, half - but));
}

static void
wait_for_waits_of(const _Atomic guint *kind, guint n)
{
	for (gint64 start = g_get_monotonic_time(); atomic_load(kind) < n; patience(start))
		;
}

/* The rest of the answer goes when the peer lets it, and then the reset. */
static void
expect_whole_answer(Bench *bench, const guint8 *bytes)
{
	g_assert_cmpuint(vpnr_mailbox_length(bench->rig.outbox), ==, 0);
	g_assert_null(rig_deliver_window(&bench->rig, 1, 30000));
	rig_expect_data(&bench->rig, 1, bytes + 10000, 20000);
	expect_last_reset(bench);
	finish(bench);
}

static void
test_reset_while_both_are_stuck(void)
{
	g_test_summary("An application that has used up its credit and does not read is told that "
		       "its destination has reset, when its WINDOW has been waited for.");

	g_autofree guint8 *bytes = make_pattern(30000);

	for (gsize left = 0; left <= 1; left++) {
		Bench bench;

		start_server_that_breaks(&bench, bytes);
		atomic_store(&stuck, STUCK_TIME_IS_UP);
		use_up_credit(&bench, left);
		expect_last_reset(&bench);
		finish(&bench);
		g_assert_cmpint(atomic_load(&stuck), ==, STUCK_WAITS);
	}
}

static void
test_reset_while_one_is_stuck(void)
{
	g_test_summary("An application that may still send, or has sent its end, reads when it "
		       "likes, and gets the whole answer.");

	g_autofree guint8 *bytes = make_pattern(30000);

	for (guint is_ended = 0; is_ended <= 1; is_ended++) {
		Bench bench;

		start_server_that_breaks(&bench, bytes);
		use_up_credit(&bench, is_ended ? 0 : 2);
		if (is_ended)
			g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_FIN, 1));
		wait_for_waits_of(&endless_waits, 1);
		expect_whole_answer(&bench, bytes);
	}
}

static void
test_window_while_both_are_stuck(void)
{
	g_test_summary("An application that has used up its credit but reads in time gets the "
		       "whole answer.");

	g_autofree guint8 *bytes = make_pattern(30000);
	Bench bench;

	start_server_that_breaks(&bench, bytes);
	use_up_credit(&bench, 0);
	wait_for_waits_of(&stuck_waits, 1);
	expect_whole_answer(&bench, bytes);
}

static void
test_window_in_the_last_moment(void)
{
	g_test_summary("A WINDOW that comes when the time is up counts, and the next one is waited "
		       "for as long.");

	g_autofree guint8 *bytes = make_pattern(30000);
	Bench bench;

	start_server_that_breaks(&bench, bytes);
	stuck_rig = &bench.rig;
	stuck_limit = 20000;
	atomic_store(&stuck, STUCK_WINDOW_COMES);
	use_up_credit(&bench, 0);
	rig_expect_data(&bench.rig, 1, bytes + 10000, 10000);
	wait_for_waits_of(&stuck_waits, 2);
	g_assert_cmpuint(vpnr_mailbox_length(bench.rig.outbox), ==, 0);
	g_assert_null(rig_deliver_window(&bench.rig, 1, 30000));
	rig_expect_data(&bench.rig, 1, bytes + 20000, 10000);
	expect_last_reset(&bench);
	finish(&bench);
}

static void
test_stuck_behind_the_writer(void)
{
	g_test_summary("The time in which a WINDOW should come begins when the writer has sent all "
		       "of the stream that it may.");

	g_autofree guint8 *bytes = make_pattern(30000);
	Bench bench;

	start_server(&bench, VPNR_PROTOCOL_V2, 10000);
	loopback_send(bench.app, bytes, 30000);
	wait_until_sent(&bench, 9999); /* the last byte waits for the writer */
	break_destination(&bench);
	use_up_credit(&bench, 0);
	wait_for_waits_of(&endless_waits, 1);
	g_assert_cmpuint(atomic_load(&stuck_waits), ==, 0);
	atomic_store(&stuck, STUCK_TIME_IS_UP);
	rig_expect_data(&bench.rig, 1, bytes, 10000);
	expect_last_reset(&bench);
	finish(&bench);
}

static void
test_application_resets_behind_data(void)
{
	g_test_summary(
	    "What an application sent before its reset goes as far as the window allows; "
	    "nobody waits for a destination that does not read.");

	g_autofree guint8 *bytes = make_pattern(30000);
	Bench bench;

	start_client(&bench, 10000);
	loopback_send(bench.app, bytes, 30000);
	rig_expect_data(&bench.rig, bench.id, bytes, 10000);
	vpnr_fd_abort(vpnr_fd_steal(&bench.app));
	expect_last_reset(&bench);
	finish(&bench);
}

static void
test_write_fails_behind_data(void)
{
	g_test_summary("The same when it is a write that finds out: its error hides the reset, and "
		       "what is read then ends like an ordinary end.");

	Bench bench;

	start_server(&bench, VPNR_PROTOCOL_V2, 4);
	loopback_send(bench.app, "answer", 6);
	rig_expect_data(&bench.rig, 1, "answ", 4);
	g_assert_null(rig_deliver_data(&bench.rig, 1, "unread", 6));
	wait_until_asleep(&bench);
	close_app(&bench); /* with bytes that nobody has read: a reset */
	g_assert_null(rig_deliver_data(&bench.rig, 1, "more", 4));
	wait_until_asleep(&bench);
	g_assert_cmpuint(vpnr_mailbox_length(bench.rig.outbox), ==, 0);
	g_assert_null(rig_deliver_window(&bench.rig, 1, 100));
	rig_expect_data(&bench.rig, 1, "er", 2);
	expect_last_reset(&bench);
	finish(&bench);
}

/* The worker, which learns of the reset, waits for the reader, or else says so at once. */
static void
reset_by_application(gpointer data)
{
	Bench *bench = data;

	vpnr_fd_abort(vpnr_fd_steal(&bench->app));
	for (gint64 start = g_get_monotonic_time();
	     atomic_load(&bench->stream->lend.state) != VPNR_LEND_CALLED &&
	     vpnr_mailbox_length(bench->rig.outbox) == 0;
	     patience(start))
		;
}

static void
test_reset_while_lent(void)
{
	g_test_summary("2.6.9: no WINDOW follows our RESET, not even from a reader that was just "
		       "writing.");

	g_autofree guint8 *bytes = make_pattern(LONG);
	Bench bench;

	start_client(&bench, 1000);
	g_assert_cmpint(shutdown(bench.app, SHUT_WR), ==, 0);
	rig_expect(&bench.rig, VPNR_FRAME_FIN, bench.id);
	for (gint64 start = g_get_monotonic_time();
	     atomic_load(&bench.stream->lend.state) != VPNR_LEND_OFFERED; patience(start))
		;
	after_send.fd = bench.fd;
	after_send.data = &bench;
	after_send.func = reset_by_application;
	g_assert_null(rig_deliver_data(&bench.rig, bench.id, bytes, LONG));
	g_assert_null(after_send.func);
	rig_expect(&bench.rig, VPNR_FRAME_WINDOW, bench.id);
	rig_expect_reset(&bench.rig, bench.id, VPNR_REASON_ABORTED);
	finish(&bench);
}

static void
test_peer_resets_behind_data(void)
{
	g_test_summary("What came before a RESET still goes to the socket; nothing is said any "
		       "more.");

	g_autofree guint8 *bytes = make_pattern(3 * 20000);
	Bench bench;

	start_client(&bench, 0);
	for (guint i = 0; i < 3; i++)
		g_assert_null(rig_deliver_data(&bench.rig, bench.id, bytes + i * 20000, 20000));
	g_assert_null(rig_deliver_reset(&bench.rig, bench.id, VPNR_REASON_ABORTED));
	loopback_expect(bench.app, bytes, 3 * 20000);
	loopback_expect_reset(bench.app);
	while (vpnr_mailbox_length(bench.rig.outbox) > 0) /* of before the RESET was seen */
		rig_expect(&bench.rig, VPNR_FRAME_WINDOW, bench.id);
	finish(&bench);
}

static void
test_purge(void)
{
	g_test_summary("A stream that the peer has aborted takes back what waits in the writer.");

	Bench bench;

	start_client(&bench, 1000);
	loopback_send(bench.app, "late", 4);
	for (gint64 start = g_get_monotonic_time(); vpnr_mailbox_length(bench.rig.outbox) == 0;
	     patience(start))
		;
	g_assert_null(rig_deliver_reset(&bench.rig, bench.id, VPNR_REASON_ABORTED));
	loopback_expect_reset(bench.app);
	rig_expect_data(&bench.rig, bench.id, "late", 4);
	rig_expect(&bench.rig, VPNR_FRAME_PURGE, bench.id);
	finish(&bench);
}

static void
test_end_while_stalled(void)
{
	g_test_summary("The end of an application needs no credit; data in front of it does.");

	Bench bench;

	start_client(&bench, 0);
	wait_until_asleep(&bench);
	g_assert_cmpint(shutdown(bench.app, SHUT_WR), ==, 0);
	rig_expect(&bench.rig, VPNR_FRAME_FIN, bench.id);
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_FIN, bench.id));
	finish(&bench);

	start_client(&bench, 0);
	loopback_send(bench.app, "last", 4);
	g_assert_cmpint(shutdown(bench.app, SHUT_WR), ==, 0);
	wait_until_asleep(&bench); /* never, if it spins */
	g_assert_cmpint(atomic_load(&bench.stream->state), ==, VPNR_STREAM_OPEN);
	g_assert_null(rig_deliver_window(&bench.rig, bench.id, 4));
	rig_expect_data(&bench.rig, bench.id, "last", 4);
	rig_expect(&bench.rig, VPNR_FRAME_FIN, bench.id);
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_FIN, bench.id));
	finish(&bench);
}

static void
test_application_gone(void)
{
	g_test_summary("An application that has closed resets what is sent to it, and so the "
		       "stream.");

	Bench bench;

	start_client(&bench, 1000);
	close_app(&bench);
	rig_expect(&bench.rig, VPNR_FRAME_FIN, bench.id);
	g_assert_null(rig_deliver_data(&bench.rig, bench.id, "answer", 6));
	rig_expect_reset(&bench.rig, bench.id, VPNR_REASON_ABORTED);
	finish(&bench);
}

/* --- bounds ----------------------------------------------------------------------------------- */

static void
test_window_of_the_peer(void)
{
	g_test_summary("2.7.4: not a byte is sent beyond the limit, and all when it is raised.");

	g_autofree guint8 *bytes = make_pattern(100000);
	Bench bench;
	guint64 sent = 0;

	start_client(&bench, 10000);
	loopback_send(bench.app, bytes, 100000);
	for (guint64 limit = 10000; limit <= 90000; limit += 20000) {
		g_assert_null(rig_deliver_window(&bench.rig, bench.id, limit));
		rig_expect_data(&bench.rig, bench.id, bytes + sent, limit - sent);
		sent = limit;
		wait_until_asleep(&bench);
		g_assert_cmpuint(vpnr_mailbox_length(bench.rig.outbox), ==, 0);
	}
	g_assert_cmpuint(atomic_load(&bench.stream->bytes_out), ==, 90000);
	g_assert_null(rig_deliver_window(&bench.rig, bench.id, G_MAXUINT64));
	rig_expect_data(&bench.rig, bench.id, bytes + sent, 100000 - sent);
	g_assert_null(rig_deliver_reset(&bench.rig, bench.id, VPNR_REASON_ABORTED));
	finish(&bench);
}

/* The worker sleeps, and waits for the writer, who has so much of it. While it reads it has room
 * for more than comes. */
static void
wait_until_queued(const Bench *bench, gint64 n)
{
	gint64 start = g_get_monotonic_time();

	for (wait_until_asleep(bench); vpnr_share_queued(&bench->stream->share) < n ||
				       atomic_load(&bench->stream->waits) != VPNR_WAITS_LINK;
	     wait_until_asleep(bench))
		patience(start);
}

static void
test_depth_of_the_queue(void)
{
	g_test_summary("After a long wait for room the queue is half as deep.");

	g_autofree guint8 *bytes = make_pattern(LARGE);
	g_autoptr(VpnrFrame) first = NULL;
	Bench bench;
	Sending sending;

	start_sender(&bench, &sending, bytes);
	wait_until_queued(&bench, VPNR_STREAM_QUEUE);
	atomic_store(&bench.stream->share.doublings, 3);
	for (gint64 start = g_get_monotonic_time();
	     g_get_monotonic_time() <= start + VPNR_SHARE_WAIT_US;)
		;
	first = rig_next(&bench.rig);
	wait_until_queued(&bench, 4 * VPNR_STREAM_QUEUE);
	g_assert_cmpuint(atomic_load(&bench.stream->share.doublings), ==, 2);
	rig_expect_data(&bench.rig, bench.id, bytes + first->size, LARGE - first->size);
	rig_expect(&bench.rig, VPNR_FRAME_FIN, bench.id);
	vpnr_thread_join(sending.thread);
	g_assert_null(rig_deliver_reset(&bench.rig, bench.id, VPNR_REASON_ABORTED));
	finish(&bench);
}

static void
test_queue_of_the_writer(void)
{
	g_test_summary("While the writer sends nothing, a stream does not fill it without bound.");

	g_autofree guint8 *bytes = make_pattern(LARGE);
	Bench bench;
	Sending sending;

	start_sender(&bench, &sending, bytes);
	wait_until_queued(&bench, VPNR_STREAM_QUEUE);
	g_assert_cmpint(vpnr_share_queued(&bench.stream->share), <,
			VPNR_STREAM_QUEUE + VPNR_DATA_MAX + VPNR_STREAM_FRAME_COST);
	g_assert_cmpuint(vpnr_mailbox_length(bench.rig.outbox), <,
			 VPNR_STREAM_QUEUE / VPNR_STREAM_FRAME_COST + 1);
	rig_expect_data(&bench.rig, bench.id, bytes, LARGE);
	rig_expect(&bench.rig, VPNR_FRAME_FIN, bench.id);
	vpnr_thread_join(sending.thread);
	g_assert_null(rig_deliver_reset(&bench.rig, bench.id, VPNR_REASON_ABORTED));
	finish(&bench);
}

static void
test_last_byte_of_the_window(void)
{
	g_test_summary("A sender takes the last byte of its credit when the writer has sent what "
		       "came before it, and not earlier.");

	Bench bench;
	g_autofree guint8 *bytes = make_pattern(2000);
	VpnrFrame *frame;

	start_client(&bench, 1000);
	loopback_send(bench.app, bytes, 500);
	for (gint64 start = g_get_monotonic_time(); vpnr_mailbox_length(bench.rig.outbox) == 0;
	     patience(start))
		;
	loopback_send(bench.app, bytes + 500, 1500);
	wait_until_sent(&bench, 999);
	g_assert_cmpint(atomic_load(&bench.stream->waits), ==, VPNR_WAITS_WINDOW);
	rig_expect_data(&bench.rig, bench.id, bytes, 999);
	frame = rig_next(&bench.rig);
	g_assert_cmpuint(frame->size, ==, 1);
	vpnr_frame_free(frame);
	g_assert_null(rig_deliver_reset(&bench.rig, bench.id, VPNR_REASON_ABORTED));
	finish(&bench);
}

/* A transfer of which the window lets so many bytes through, and then so many more. Returns how
 * many frames one read could fill of the latter. */
static guint
transfer_in_two(const guint8 *bytes, gsize n, gsize more)
{
	Bench bench;
	Sending sending;
	guint frames;

	start_client(&bench, n);
	start_sending(&bench, &sending, bytes);
	expect_bulk(&bench, bytes, n);
	wait_until_sent(&bench, n);
	atomic_store(&frames_per_read, 0);
	g_assert_null(rig_deliver_window(&bench.rig, bench.id, n + more));
	wait_until_sent(&bench, n + more - 1);
	expect_bulk(&bench, bytes + n, more - 1);
	frames = atomic_load(&frames_per_read);
	g_assert_null(rig_deliver_window(&bench.rig, bench.id, G_MAXUINT64));
	expect_bulk(&bench, bytes + n + more - 1, LARGE - (n + more - 1));
	rig_expect(&bench.rig, VPNR_FRAME_FIN, bench.id);
	end_transfer(&bench, &sending);
	return frames;
}

static void
test_last_byte_of_several_frames(void)
{
	g_test_summary("Where the writer has nothing of a stream, a read of several frames leaves "
		       "the last byte of its credit until it has nothing again.");

	g_autofree guint8 *bytes = make_pattern(LARGE);

	for (gint64 start = g_get_monotonic_time(); transfer_in_two(bytes, 1000000, 100000) != 2;
	     patience(start))
		;
}

/* Sends whatever the window allows to an application that does not read, until no more does. */
static gsize
fill(Bench *bench, const guint8 *bytes)
{
	const gsize piece = 16384;
	guint64 limit = VPNR_WINDOW_MIN;
	gsize sent = 0;

	for (gint64 start = g_get_monotonic_time();
	     sent + piece <= limit || atomic_load(&bench->stream->waits) != VPNR_WAITS_SOCKET;
	     patience(start)) {
		take_windows(bench, &limit, sent);
		if (sent + piece <= limit) {
			g_assert_null(
			    rig_deliver_data(&bench->rig, bench->id, bytes + sent, piece));
			sent += piece;
		}
	}
	return sent;
}

static void
test_peer_resets_behind_both_ends(void)
{
	g_test_summary("2.6.10: when FIN has gone both ways a RESET takes nothing from an "
		       "application that is slow to read its answer.");

	g_autofree guint8 *bytes = make_pattern(LARGE);
	Bench bench;
	gsize sent;

	stall_soon();
	start_client(&bench, 1000);
	loopback_send(bench.app, "request", 7);
	g_assert_cmpint(shutdown(bench.app, SHUT_WR), ==, 0);
	rig_expect_data(&bench.rig, bench.id, "request", 7);
	rig_expect(&bench.rig, VPNR_FRAME_FIN, bench.id);
	sent = fill(&bench, bytes);
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_FIN, bench.id));
	g_assert_null(rig_deliver_reset(&bench.rig, bench.id, VPNR_REASON_ABORTED));
	loopback_expect(bench.app, bytes, sent);
	loopback_expect_end(bench.app);
	vpnr_table_wait_empty(bench.rig.table);
	while (vpnr_mailbox_length(bench.rig.outbox) > 0) /* of before the peer's FIN was seen */
		rig_expect(&bench.rig, VPNR_FRAME_WINDOW, bench.id);
	g_assert_cmpuint(rig_stale(&bench.rig), ==, 1);
	finish(&bench);
}

static void
test_no_window_after_the_end(void)
{
	g_test_summary("2.7.6: a peer that has sent its end gets no WINDOW.");

	g_autofree guint8 *bytes = make_pattern(LARGE);
	Bench bench;
	gsize sent;
	guint windows = 0;

	stall_soon();
	start_server(&bench, VPNR_PROTOCOL_V2, 0);
	sent = fill(&bench, bytes);
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_FIN, 1));
	for (guint n = vpnr_mailbox_length(bench.rig.outbox); n > 0; n--)
		rig_expect(&bench.rig, VPNR_FRAME_WINDOW, 1);
	loopback_expect(bench.app, bytes, sent);
	loopback_expect_end(bench.app);
	close_app(&bench);
	for (;;) {
		g_autoptr(VpnrFrame) frame = rig_next(&bench.rig);

		if (frame->type == VPNR_FRAME_FIN)
			break;
		g_assert_cmpstr(vpnr_frame_type_name(frame->type), ==, "WINDOW");
		windows++;
	}
	g_assert_cmpuint(windows, <=, 1); /* on its way when the end came */
	finish(&bench);
}

/* The application gets what the peer has sent, and then its end. What the stream still has of the
 * budget is seen before the stream is freed. */
static void
end_with_budget(VpnrProtocol protocol, VpnrFrameType end)
{
	g_autoptr(VpnrBudget) budget = vpnr_budget_new(1 << 30);
	Bench bench;
	guint64 before;

	rig_init_full(&bench.rig, &(VpnrTableParams){ .protocol = protocol,
						      .role = VPNR_ROLE_SERVER,
						      .max_streams = 1,
						      .send_limit = 1000,
						      .budget = budget });
	before = vpnr_budget_used(budget);
	g_assert_cmpint(rig_accept(&bench.rig, 1, &bench.stream), ==, VPNR_TABLE_OK);
	start_worker(&bench);
	if (protocol == VPNR_PROTOCOL_V2)
		rig_expect(&bench.rig, VPNR_FRAME_OPENED, 1);
	g_assert_null(rig_deliver_data(&bench.rig, 1, "request", 7));
	loopback_expect(bench.app, "request", 7);
	wait_until_asleep(&bench);
	g_assert_cmpuint(vpnr_budget_used(budget), >, before + VPNR_STREAM_RESERVE);
	g_assert_null(rig_deliver(&bench.rig, end, 1));
	loopback_expect_end(bench.app);
	g_assert_cmpuint(vpnr_budget_used(budget), ==, before + VPNR_STREAM_RESERVE);
	close_app(&bench);
	rig_expect(&bench.rig, end == VPNR_FRAME_FIN ? VPNR_FRAME_FIN : VPNR_FRAME_RESET, 1);
	finish(&bench);
}

static void
test_budget_at_the_end(void)
{
	g_test_summary("A peer that has sent its end keeps no window, although nothing is left to "
		       "be consumed.");

	end_with_budget(VPNR_PROTOCOL_V2, VPNR_FRAME_FIN);
	end_with_budget(VPNR_PROTOCOL_V1, VPNR_FRAME_FIN);
	end_with_budget(VPNR_PROTOCOL_V1, VPNR_FRAME_END);
}

static void
wait_for_waits(const Bench *bench, VpnrStreamWaits waits)
{
	for (gint64 start = g_get_monotonic_time(); atomic_load(&bench->stream->waits) != waits;
	     patience(start))
		;
}

static void
test_waits(void)
{
	g_test_summary("What a stream waits for: data, then room in the window, then data again, "
		       "then an application that reads.");

	Bench bench;
	static const guint8 bytes[4096];
	gint64 start = g_get_monotonic_time();
	guint64 limit = VPNR_WINDOW_MIN, sent = 0;

	stall_soon();
	start_client(&bench, 2);
	wait_for_waits(&bench, VPNR_WAITS_DATA);
	loopback_send(bench.app, "abcd", 4);
	rig_expect_data(&bench.rig, bench.id, "ab", 2);
	wait_for_waits(&bench, VPNR_WAITS_WINDOW);
	g_assert_null(rig_deliver_window(&bench.rig, bench.id, G_MAXUINT64));
	rig_expect_data(&bench.rig, bench.id, "cd", 2);
	wait_for_waits(&bench, VPNR_WAITS_DATA);
	while (atomic_load(&bench.stream->waits) != VPNR_WAITS_SOCKET) {
		take_windows(&bench, &limit, sent);
		if (limit - sent >= sizeof bytes) {
			g_assert_null(rig_deliver_data(&bench.rig, bench.id, bytes, sizeof bytes));
			sent += sizeof bytes;
		}
		patience(start);
	}
	g_assert_null(rig_deliver_reset(&bench.rig, bench.id, VPNR_REASON_ABORTED));
	vpnr_table_wait_empty(bench.rig.table);
	while (vpnr_mailbox_length(bench.rig.outbox) > 0)
		rig_expect(&bench.rig, VPNR_FRAME_WINDOW, bench.id);
	finish(&bench);
}

/* Delivers byte by byte what the window allows, until the application's socket is full and the
 * window used up. Returns how many. */
static gsize
fill_with_bytes(Bench *bench, const guint8 *bytes, gsize n)
{
	guint64 limit = VPNR_WINDOW_MIN;
	gsize sent = 0;

	do {
		for (; sent < limit; sent++) {
			g_assert_cmpuint(sent, <, n);
			g_assert_null(rig_deliver_data(&bench->rig, bench->id, bytes + sent, 1));
		}
		wait_until_asleep(bench);
		take_windows(bench, &limit, sent);
	} while (sent < limit);
	return sent;
}

static void
test_stalled_application(void)
{
	g_test_summary("Small frames for an application that reads nothing cost what their bytes "
		       "cost, and none is lost.");

	g_autofree guint8 *bytes = make_pattern(LARGE);
	Bench bench;
	gsize sent, kept;

	stall_soon();
	start_client(&bench, 0);
	sent = fill_with_bytes(&bench, bytes, LARGE);
	kept = sent - atomic_load(&bench.stream->bytes_in);
	g_assert_cmpint(atomic_load(&bench.stream->waits), ==, VPNR_WAITS_SOCKET);
	g_assert_cmpuint(kept, >, vpnr_recv_credit_window(&bench.stream->recv) / 2);
	g_assert_cmpint(alive_frames(), <=, kept / 16384 + 2);
	loopback_expect(bench.app, bytes, sent);
	g_assert_null(rig_deliver_reset(&bench.rig, bench.id, VPNR_REASON_ABORTED));
	vpnr_table_wait_empty(bench.rig.table);
	while (vpnr_mailbox_length(bench.rig.outbox) > 0)
		rig_expect(&bench.rig, VPNR_FRAME_WINDOW, bench.id);
	finish(&bench);
}

static void
test_hang_up(void)
{
	g_test_summary("A socket that is shut both ways while the window is closed: its worker "
		       "sleeps instead of being told again and again.");

	Bench bench;
	struct pollfd pfd = { .events = 0 };

	start_client(&bench, 0);
	loopback_send(bench.app, "last words", 10);
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_FIN, bench.id));
	loopback_expect_end(bench.app);
	g_assert_cmpint(shutdown(bench.app, SHUT_WR), ==, 0);
	pfd.fd = bench.fd;
	g_assert_cmpint(poll(&pfd, 1, PATIENCE_MS), ==, 1);
	g_assert_cmpint(pfd.revents, ==, POLLHUP);
	wait_until_asleep(&bench); /* never, if it spins */

	g_assert_null(rig_deliver_window(&bench.rig, bench.id, 4));
	rig_expect_data(&bench.rig, bench.id, "last", 4);
	g_assert_null(rig_deliver_window(&bench.rig, bench.id, 100));
	rig_expect_data(&bench.rig, bench.id, " words", 6);
	rig_expect(&bench.rig, VPNR_FRAME_FIN, bench.id);
	finish(&bench);
}

/* --- before there is a socket ----------------------------------------------------------------- */

typedef struct {
	Bench bench;
	VpnrReason reason;
} Opening;

static void
wait_opened(gpointer data)
{
	Opening *opening = data;
	Bench *bench = &opening->bench;
	VpnrWorker worker;

	vpnr_worker_init(&worker, bench->rig.table, bench->stream);
	opening->reason = vpnr_worker_wait_opened(&worker, bench->fd);
	if (opening->reason == VPNR_REASON_NONE)
		vpnr_worker_run(&worker, vpnr_fd_steal(&bench->fd));
	else
		vpnr_worker_fail(&worker, opening->reason);
}

static void
start_opening(Opening *opening, VpnrProtocol protocol)
{
	Bench *bench = &opening->bench;

	rig_init(&bench->rig, protocol, VPNR_ROLE_CLIENT, 1000);
	bench->stream = vpnr_stream_ref(rig_open(&bench->rig));
	bench->id = bench->stream->id;
	loopback_pair(&bench->fd, &bench->app);
	bench->thread = vpnr_thread_start("opening", wait_opened, opening, NULL);
	g_assert_nonnull(bench->thread);
}

static void
test_opened(void)
{
	Opening opening;
	Bench *bench = &opening.bench;

	start_opening(&opening, VPNR_PROTOCOL_V2);
	wait_until_asleep(bench);
	g_assert_null(rig_deliver_window(&bench->rig, bench->id, 2000));
	loopback_send(bench->app, "early", 5);
	wait_until_asleep(bench);
	g_assert_cmpuint(vpnr_mailbox_length(bench->rig.outbox), ==, 0);
	g_assert_null(rig_deliver(&bench->rig, VPNR_FRAME_OPENED, bench->id));
	g_assert_null(rig_deliver_data(&bench->rig, bench->id, "hi", 2));
	rig_expect_data(&bench->rig, bench->id, "early", 5);
	loopback_expect(bench->app, "hi", 2);
	g_assert_null(rig_deliver_reset(&bench->rig, bench->id, VPNR_REASON_ABORTED));
	finish(bench);
	g_assert_cmpint(opening.reason, ==, VPNR_REASON_NONE);
}

static void
test_not_yet_opened(void)
{
	g_test_summary("Who does not wait for OPENED carries data before, but the stream is not "
		       "open yet, and that is what it waits for.");

	Bench bench;

	rig_init(&bench.rig, VPNR_PROTOCOL_V2, VPNR_ROLE_CLIENT, 5);
	bench.stream = rig_open(&bench.rig);
	start_worker(&bench);
	loopback_send(bench.app, "early", 5);
	rig_expect_data(&bench.rig, bench.id, "early", 5);
	wait_until_asleep(&bench);
	g_assert_cmpint(atomic_load(&bench.stream->state), ==, VPNR_STREAM_OPENING);
	g_assert_cmpint(vpnr_stream_get_waits(bench.stream), ==, VPNR_WAITS_OPENING);
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_OPENED, bench.id));
	g_assert_cmpint(atomic_load(&bench.stream->state), ==, VPNR_STREAM_OPEN);
	g_assert_cmpint(vpnr_stream_get_waits(bench.stream), ==, VPNR_WAITS_WINDOW);
	end_application_first(&bench);
}

static void
test_application_ends_before_opened(void)
{
	g_test_summary("What has ended before OPENED has still ended behind it.");

	Bench bench;

	rig_init(&bench.rig, VPNR_PROTOCOL_V2, VPNR_ROLE_CLIENT, 1000);
	bench.stream = rig_open(&bench.rig);
	start_worker(&bench);
	close_app(&bench);
	rig_expect(&bench.rig, VPNR_FRAME_FIN, bench.id);
	wait_until_asleep(&bench);
	g_assert_cmpint(atomic_load(&bench.stream->state), ==, VPNR_STREAM_LOCAL_CLOSED);
	g_assert_cmpint(vpnr_stream_get_waits(bench.stream), ==, VPNR_WAITS_OPENING);
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_OPENED, bench.id));
	g_assert_cmpint(atomic_load(&bench.stream->state), ==, VPNR_STREAM_LOCAL_CLOSED);
	g_assert_cmpint(vpnr_stream_get_waits(bench.stream), ==, VPNR_WAITS_DATA);
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_FIN, bench.id));
	finish(&bench);
}

static void
test_v1_is_open(void)
{
	g_test_summary("VPNr/1 has no OPENED: a stream is open at once.");

	Bench bench;

	rig_init(&bench.rig, VPNR_PROTOCOL_V1, VPNR_ROLE_CLIENT, G_MAXUINT64);
	bench.stream = rig_open(&bench.rig);
	start_worker(&bench);
	wait_until_asleep(&bench);
	g_assert_cmpint(atomic_load(&bench.stream->state), ==, VPNR_STREAM_OPEN);
	g_assert_cmpint(vpnr_stream_get_waits(bench.stream), ==, VPNR_WAITS_DATA);
	end_application_first(&bench);
}

static void
test_refused(void)
{
	Opening opening;
	Bench *bench = &opening.bench;

	start_opening(&opening, VPNR_PROTOCOL_V2);
	wait_until_asleep(bench);
	g_assert_null(rig_deliver_reset(&bench->rig, bench->id, VPNR_REASON_NOT_FOUND));
	finish(bench);
	g_assert_cmpint(opening.reason, ==, VPNR_REASON_NOT_FOUND);
	vpnr_fd_close(bench->fd);
}

static void
test_application_leaves_while_opening(void)
{
	Opening opening;
	Bench *bench = &opening.bench;

	start_opening(&opening, VPNR_PROTOCOL_V2);
	wait_until_asleep(bench);
	vpnr_fd_abort(vpnr_fd_steal(&bench->app));
	rig_expect_reset(&bench->rig, bench->id, VPNR_REASON_ABORTED);
	finish(bench);
	g_assert_cmpint(opening.reason, ==, VPNR_REASON_ABORTED);
	vpnr_fd_close(bench->fd);
}

static void
test_v1_does_not_wait(void)
{
	g_test_summary("1.3.4: VPNr/1 never says that a destination is connected.");

	Opening opening;
	Bench *bench = &opening.bench;

	start_opening(&opening, VPNR_PROTOCOL_V1);
	loopback_send(bench->app, "x", 1);
	rig_expect_data(&bench->rig, bench->id, "x", 1);
	vpnr_table_close(bench->rig.table, VPNR_REASON_LINK_LOST);
	finish(bench);
	g_assert_cmpint(opening.reason, ==, VPNR_REASON_NONE);
}

static gboolean
is_due(const VpnrCancel *cancel)
{
	struct pollfd pfd = { .fd = cancel->fd, .events = POLLIN };

	g_assert_cmpint(poll(&pfd, 1, 0), >=, 0);
	return vpnr_cancel_is_due(cancel, pfd.revents);
}

static void
test_dial(void)
{
	g_test_summary("What comes while the server dials is kept, and does not end the dial.");

	Bench bench;
	VpnrCancel cancel;
	VpnrWorker worker;

	rig_init(&bench.rig, VPNR_PROTOCOL_V2, VPNR_ROLE_SERVER, 1000);
	g_assert_cmpint(rig_accept(&bench.rig, 1, &bench.stream), ==, VPNR_TABLE_OK);
	g_assert_null(rig_deliver_data(&bench.rig, 1, "ear", 3));
	vpnr_worker_init(&worker, bench.rig.table, bench.stream);
	g_assert_true(vpnr_worker_prepare_cancel(&worker, &cancel));
	g_assert_false(is_due(&cancel));
	g_assert_null(rig_deliver_data(&bench.rig, 1, "ly", 2));
	g_assert_false(is_due(&cancel));
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_FIN, 1));
	g_assert_false(is_due(&cancel));

	loopback_pair(&bench.fd, &bench.app);
	close_app(&bench); /* its end and FIN let the worker return */
	vpnr_worker_run(&worker, bench.fd);
	rig_expect(&bench.rig, VPNR_FRAME_OPENED, 1);
	rig_expect(&bench.rig, VPNR_FRAME_FIN, 1);
	rig_clear(&bench.rig);
}

static void
test_dial_with_data(void)
{
	g_test_summary("The destination gets what came before it was connected.");

	Bench bench;

	rig_init(&bench.rig, VPNR_PROTOCOL_V2, VPNR_ROLE_SERVER, 1000);
	g_assert_cmpint(rig_accept(&bench.rig, 1, &bench.stream), ==, VPNR_TABLE_OK);
	g_assert_null(rig_deliver_data(&bench.rig, 1, "early", 5));
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_FIN, 1));
	start_worker(&bench);
	loopback_expect(bench.app, "early", 5);
	loopback_expect_end(bench.app);
	close_app(&bench);
	rig_expect(&bench.rig, VPNR_FRAME_OPENED, 1);
	rig_expect(&bench.rig, VPNR_FRAME_FIN, 1);
	finish(&bench);
}

static void
test_dial_aborted(void)
{
	Rig rig;
	VpnrStream *stream = NULL;
	VpnrCancel cancel;
	VpnrWorker worker;

	rig_init(&rig, VPNR_PROTOCOL_V2, VPNR_ROLE_SERVER, 1000);
	g_assert_cmpint(rig_accept(&rig, 1, &stream), ==, VPNR_TABLE_OK);
	vpnr_worker_init(&worker, rig.table, stream);
	g_assert_true(vpnr_worker_prepare_cancel(&worker, &cancel));
	g_assert_null(rig_deliver_reset(&rig, 1, VPNR_REASON_ABORTED));
	g_assert_true(is_due(&cancel));
	vpnr_worker_fail(&worker, VPNR_REASON_ABORTED); /* 2.6.8: nothing to answer */
	rig_clear(&rig);
}

static void
test_dial_aborted_before(void)
{
	Rig rig;
	VpnrStream *stream = NULL;
	VpnrCancel cancel;
	VpnrWorker worker;

	rig_init(&rig, VPNR_PROTOCOL_V2, VPNR_ROLE_SERVER, 1000);
	g_assert_cmpint(rig_accept(&rig, 1, &stream), ==, VPNR_TABLE_OK);
	g_assert_null(rig_deliver_reset(&rig, 1, VPNR_REASON_ABORTED));
	vpnr_worker_init(&worker, rig.table, stream);
	g_assert_false(vpnr_worker_prepare_cancel(&worker, &cancel));
	vpnr_worker_fail(&worker, VPNR_REASON_ABORTED);
	rig_clear(&rig);
}

static void
test_dial_failed(void)
{
	Rig rig;
	VpnrStream *stream = NULL;
	VpnrWorker worker;

	rig_init(&rig, VPNR_PROTOCOL_V2, VPNR_ROLE_SERVER, 1000);
	g_assert_cmpint(rig_accept(&rig, 1, &stream), ==, VPNR_TABLE_OK);
	vpnr_worker_init(&worker, rig.table, stream);
	vpnr_worker_fail(&worker, VPNR_REASON_TIMED_OUT);
	rig_expect_reset(&rig, 1, VPNR_REASON_TIMED_OUT);
	rig_clear(&rig);
}

/* --- VPNr/1 ----------------------------------------------------------------------------------- */

static void
start_v1_client(Bench *bench)
{
	rig_init(&bench->rig, VPNR_PROTOCOL_V1, VPNR_ROLE_CLIENT, G_MAXUINT64);
	bench->stream = rig_open(&bench->rig);
	start_worker(bench);
}

static void
test_v1_refused(void)
{
	g_test_summary("A FAIL before any byte is a refusal: the application sees a reset.");

	Bench bench;

	start_v1_client(&bench);
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_END, bench.id));
	loopback_expect_reset(bench.app);
	rig_expect_reset(&bench.rig, bench.id, VPNR_REASON_ABORTED);
	finish(&bench);
}

static void
test_v1_end(void)
{
	g_test_summary("1.3.6: bytes before the FAIL are delivered; 1.3.7: it is answered once.");

	Bench bench;

	start_v1_client(&bench);
	g_assert_null(rig_deliver_data(&bench.rig, bench.id, "answer", 6));
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_END, bench.id));
	loopback_expect(bench.app, "answer", 6);
	loopback_expect_end(bench.app);
	rig_expect_reset(&bench.rig, bench.id, VPNR_REASON_ABORTED);
	loopback_send(bench.app, "for nobody", 10);
	close_app(&bench);
	finish(&bench);
}

static void
start_v1(Bench *bench, VpnrRole role)
{
	if (role == VPNR_ROLE_CLIENT)
		start_v1_client(bench);
	else
		start_server(bench, VPNR_PROTOCOL_V1, G_MAXUINT64);
}

/* Bytes, in whole frames: more than sockets take that are to stall soon, less than stops the
 * reader. */
#define MUCH (260 * VPNR_V1_MSG_MAX)

/* The peer sends more than the socket takes, and its end. */
static void
end_behind_much(Bench *bench, VpnrFrameType end)
{
	static const guint8 bytes[VPNR_V1_MSG_MAX];

	for (gsize n = 0; n < MUCH; n += sizeof bytes)
		g_assert_null(rig_deliver_data(&bench->rig, bench->id, bytes, sizeof bytes));
	g_assert_null(rig_deliver(&bench->rig, end, bench->id));
	wait_for_waits(bench, VPNR_WAITS_SOCKET);
}

static void
test_v1_reset_after_the_answer(void)
{
	g_test_summary("1.3.7: FAIL is answered once, although the socket breaks before it has "
		       "taken everything: a second would be for another stream of that id.");

	for (VpnrRole role = VPNR_ROLE_CLIENT; role <= VPNR_ROLE_SERVER; role++) {
		Bench bench;

		stall_soon();
		start_v1(&bench, role);
		end_behind_much(&bench, VPNR_FRAME_END);
		rig_expect_reset(&bench.rig, bench.id, VPNR_REASON_ABORTED);
		vpnr_fd_abort(vpnr_fd_steal(&bench.app));
		finish(&bench);
	}
}

static void
test_v1_reset_behind_both_ends(void)
{
	g_test_summary("1.3.5: when FIN has gone both ways no FAIL is sent, neither when the "
		       "socket breaks nor in answer to the peer's, which has crossed our FIN.");

	for (VpnrRole role = VPNR_ROLE_CLIENT; role <= VPNR_ROLE_SERVER; role++) {
		Bench bench;

		stall_soon();
		start_v1(&bench, role);
		g_assert_cmpint(shutdown(bench.app, SHUT_WR), ==, 0);
		rig_expect(&bench.rig, VPNR_FRAME_FIN, bench.id);
		end_behind_much(&bench, VPNR_FRAME_FIN);
		g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_END, bench.id));
		wait_until_asleep(&bench);
		g_assert_cmpuint(vpnr_mailbox_length(bench.rig.outbox), ==, 0);
		vpnr_fd_abort(vpnr_fd_steal(&bench.app));
		finish(&bench);
	}
}

/* The application sends as long as the other end takes it, which must not be for ever. */
static void
send_until_reset(const Bench *bench)
{
	static const guint8 bytes[VPNR_V1_WINDOW];
	gssize sent = 0;

	for (gsize n = 0; sent >= 0; n += (gsize)sent) {
		g_assert_cmpuint(n, <, 100 * sizeof bytes);
		sent = send(bench->app, bytes, sizeof bytes, MSG_NOSIGNAL);
	}
	g_assert_true(errno == ECONNRESET || errno == EPIPE);
}

static void
test_v1_upload_for_nobody(void)
{
	g_test_summary("An application that goes on sending after FAIL, and takes nothing, is told "
		       "by a reset.");

	Bench bench;

	start_v1_client(&bench);
	g_assert_null(rig_deliver_data(&bench.rig, bench.id, "answer", 6));
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_END, bench.id));
	rig_expect_reset(&bench.rig, bench.id, VPNR_REASON_ABORTED);
	/* What a socket has in flight may be acknowledged while the worker waits, as if read. */
	atomic_store(&stuck, STUCK_TIME_FLIES);
	send_until_reset(&bench);
	finish(&bench);

	stall_soon();
	start_v1_client(&bench);
	end_behind_much(&bench, VPNR_FRAME_END);
	rig_expect_reset(&bench.rig, bench.id, VPNR_REASON_ABORTED);
	send_until_reset(&bench);
	finish(&bench);
	atomic_store(&stuck, STUCK_WAITS);
}

/* The application sends until the worker waits for it to read, n times in all. */
static void
send_until_stuck(const Bench *bench, guint n)
{
	static const guint8 bytes[VPNR_V1_WINDOW];

	for (gint64 start = g_get_monotonic_time(); atomic_load(&stuck_waits) < n; patience(start))
		send(bench->app, bytes, sizeof bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
expect_zeros(const Bench *bench, gsize n)
{
	g_autofree guint8 *zeros = g_malloc0(n);

	loopback_expect(bench->app, zeros, n);
}

/* The server has sent much, and FAIL; the application does not read, but sends. */
static void
start_upload_for_nobody(Bench *bench)
{
	stall_soon();
	start_v1_client(bench);
	end_behind_much(bench, VPNR_FRAME_END);
	rig_expect_reset(&bench->rig, bench->id, VPNR_REASON_ABORTED);
	atomic_store(&stuck_waits, 0);
	send_until_stuck(bench, 1);
}

static void
test_v1_upload_before_reading(void)
{
	g_test_summary("An application that has sent much after FAIL gets the whole answer when it "
		       "reads in time.");

	Bench bench;

	start_upload_for_nobody(&bench);
	expect_zeros(&bench, MUCH);
	loopback_expect_end(bench.app);
	close_app(&bench);
	finish(&bench);
}

static void
test_v1_upload_while_reading(void)
{
	g_test_summary("The same when it reads slowly, and the socket has long taken all.");

	static const guint8 bytes[VPNR_V1_MSG_MAX];
	const gsize n = 200 * sizeof bytes;
	const int large = 4 * (int)n;
	Bench bench;

	stall_soon();
	start_v1_client(&bench);
	g_assert_cmpint(setsockopt(bench.fd, SOL_SOCKET, SO_SNDBUF, &large, sizeof large), ==, 0);
	for (gsize i = 0; i < n; i += sizeof bytes)
		g_assert_null(rig_deliver_data(&bench.rig, bench.id, bytes, sizeof bytes));
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_END, bench.id));
	rig_expect_reset(&bench.rig, bench.id, VPNR_REASON_ABORTED);
	stuck_app = bench.app;
	stuck_fd = bench.fd;
	stuck_bytes = n / 2;
	atomic_store(&stuck_waits, 0);
	atomic_store(&stuck, STUCK_APPLICATION_READS);
	send_until_stuck(&bench, 2);
	expect_zeros(&bench, n - stuck_bytes);
	loopback_expect_end(bench.app);
	vpnr_fd_abort(vpnr_fd_steal(&bench.app)); /* its end would stand behind what nobody reads */
	finish(&bench);
}

static void
test_v1_end_of_an_upload(void)
{
	g_test_summary("An application that has sent its end may read when it likes.");

	g_autofree guint8 *bytes = make_pattern(VPNR_V1_WINDOW + 50000);
	Bench bench;
	int unread = 1;

	stall_soon();
	start_v1_client(&bench);
	end_behind_much(&bench, VPNR_FRAME_END);
	rig_expect_reset(&bench.rig, bench.id, VPNR_REASON_ABORTED);
	loopback_send(bench.app, bytes, VPNR_V1_WINDOW + 50000);
	g_assert_cmpint(shutdown(bench.app, SHUT_WR), ==, 0);
	for (gint64 start = g_get_monotonic_time(); vpnr_fd_under_way(bench.app) > 0 || unread > 0;
	     patience(start))
		g_assert_cmpint(ioctl(bench.fd, FIONREAD, &unread), ==, 0);
	expect_zeros(&bench, MUCH);
	loopback_expect_end(bench.app);
	finish(&bench);
}

static void
test_v1_dial_failed_after_the_answer(void)
{
	g_test_summary("1.3.7: an application that has sent something and gone has its FAIL while "
		       "the server dials: none follows when that fails.");

	Rig rig;
	VpnrStream *stream = NULL;
	VpnrCancel cancel;
	VpnrWorker worker;

	rig_init(&rig, VPNR_PROTOCOL_V1, VPNR_ROLE_SERVER, G_MAXUINT64);
	g_assert_cmpint(rig_accept(&rig, 1, &stream), ==, VPNR_TABLE_OK);
	g_assert_null(rig_deliver_data(&rig, 1, "bye", 3));
	g_assert_null(rig_deliver(&rig, VPNR_FRAME_END, 1));
	vpnr_worker_init(&worker, rig.table, stream);
	g_assert_true(vpnr_worker_prepare_cancel(&worker, &cancel));
	rig_expect_reset(&rig, 1, VPNR_REASON_ABORTED);
	vpnr_worker_fail(&worker, VPNR_REASON_REFUSED);
	rig_clear(&rig);
}

static void
test_v1_server_end(void)
{
	g_test_summary("An application that is gone closes its destination, which gets what was "
		       "sent before.");

	Bench bench;

	start_server(&bench, VPNR_PROTOCOL_V1, G_MAXUINT64);
	g_assert_null(rig_deliver_data(&bench.rig, 1, "bye", 3));
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_END, 1));
	loopback_expect(bench.app, "bye", 3);
	loopback_expect_end(bench.app);
	rig_expect_reset(&bench.rig, 1, VPNR_REASON_ABORTED);
	finish(&bench);
}

static void
test_v1_server_end_after_fin(void)
{
	g_test_summary("The same when the application had ended its own side long before.");

	Bench bench;

	start_server(&bench, VPNR_PROTOCOL_V1, G_MAXUINT64);
	g_assert_null(rig_deliver_data(&bench.rig, 1, "request", 7));
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_FIN, 1));
	loopback_expect(bench.app, "request", 7);
	loopback_expect_end(bench.app);
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_END, 1));
	rig_expect_reset(&bench.rig, 1, VPNR_REASON_ABORTED);
	finish(&bench);
}

static void
test_v1_id_is_free_again(void)
{
	g_test_summary("1.3.7: a destination that has ended its side and then resets, while the "
		       "application's FIN is under way: that one is the last of the stream, and "
		       "the id may come again.");

	Bench bench;
	VpnrStream *next = NULL;

	start_server(&bench, VPNR_PROTOCOL_V1, G_MAXUINT64);
	g_assert_cmpint(shutdown(bench.app, SHUT_WR), ==, 0);
	rig_expect(&bench.rig, VPNR_FRAME_FIN, 1);
	vpnr_fd_abort(vpnr_fd_steal(&bench.app));
	rig_expect_reset(&bench.rig, 1, VPNR_REASON_ABORTED);
	vpnr_table_wait_empty(bench.rig.table);
	g_assert_cmpint(rig_accept(&bench.rig, 1, &next), ==, VPNR_TABLE_DUPLICATE);
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_FIN, 1));
	g_assert_cmpint(rig_accept(&bench.rig, 1, &next), ==, VPNR_TABLE_OK);
	rig_remove(&bench.rig, next);
	finish(&bench);
}

static void
test_rust_server_eof(void)
{
	g_test_summary("1.4.6: the end of the destination ends the stream, in one frame.");

	Bench bench;

	start_server(&bench, VPNR_PROTOCOL_V1_RUST, G_MAXUINT64);
	loopback_send(bench.app, "answer", 6);
	g_assert_cmpint(shutdown(bench.app, SHUT_WR), ==, 0);
	rig_expect_data(&bench.rig, 1, "answer", 6);
	rig_expect(&bench.rig, VPNR_FRAME_FIN, 1); /* the encoder makes FAIL of it */
	finish(&bench);
}

/* A reader that delivers more to a stream of VPNr/1 than its bound and the sockets take. */
typedef struct {
	Bench *bench;
	_Atomic gint tid;
	_Atomic gboolean is_done;
	VpnrThread *thread;
} Reader;

static void
deliver_much(gpointer data)
{
	static const guint8 bytes[VPNR_V1_MSG_MAX];
	Reader *reader = data;
	Bench *bench = reader->bench;

	atomic_store(&reader->tid, gettid());
	for (gsize n = 0; n < 2 * VPNR_V1_WINDOW; n += sizeof bytes)
		g_assert_null(rig_deliver_data(&bench->rig, bench->id, bytes, sizeof bytes));
	atomic_store(&reader->is_done, TRUE);
}

/* Starts it and waits until it is held up. */
static void
start_reader(Reader *reader, Bench *bench)
{
	*reader = (Reader){ .bench = bench };
	reader->thread = vpnr_thread_start("reader", deliver_much, reader, NULL);
	g_assert_nonnull(reader->thread);
	wait_for_waits(bench, VPNR_WAITS_SOCKET);
	for (gint64 start = g_get_monotonic_time(); !thread_sleeps(atomic_load(&reader->tid));
	     patience(start))
		wait_until_asleep(bench);
	g_assert_false(atomic_load(&reader->is_done));
}

static void
join_reader(Reader *reader)
{
	for (gint64 start = g_get_monotonic_time(); !atomic_load(&reader->is_done); patience(start))
		;
	vpnr_thread_join(reader->thread);
}

/* The link's writer gets DATA, which must be these bytes or the first of them, and then RESET.
 * Returns how many are missing. */
static gsize
expect_data_and_reset(Bench *bench, const guint8 *bytes, gsize n)
{
	for (;;) {
		g_autoptr(VpnrFrame) frame = rig_next(&bench->rig);

		if (frame->type == VPNR_FRAME_RESET)
			return n;
		g_assert_cmpstr(vpnr_frame_type_name(frame->type), ==, "DATA");
		g_assert_cmpuint(frame->size, <=, n);
		g_assert_cmpmem(frame->data, frame->size, bytes, frame->size);
		bytes += frame->size;
		n -= frame->size;
	}
}

/* The application sends more than the worker may queue: first what fills the queue, and when that
 * has been read, the rest. */
static void
send_more_than_the_link_takes(Bench *bench, const guint8 *bytes, gsize n)
{
	loopback_send(bench->app, bytes, VPNR_STREAM_QUEUE);
	for (gint64 start = g_get_monotonic_time();
	     atomic_load(&bench->stream->bytes_out) < VPNR_STREAM_QUEUE &&
	     atomic_load(&bench->stream->waits) != VPNR_WAITS_LINK;
	     patience(start))
		;
	loopback_send(bench->app, bytes + VPNR_STREAM_QUEUE, n - VPNR_STREAM_QUEUE);
	wait_for_waits(bench, VPNR_WAITS_LINK);
}

/* All n bytes of the application's have been sent to the link, or wait in the worker's socket. */
static void
wait_until_received(const Bench *bench, gsize n)
{
	gsize sum = 0;

	for (gint64 start = g_get_monotonic_time(); sum < n; patience(start)) {
		int unread = 0;

		g_assert_cmpint(ioctl(bench->fd, FIONREAD, &unread), ==, 0);
		sum = atomic_load(&bench->stream->bytes_out) + (gsize)unread;
	}
}

/* The connection is reset while the reader waits until its socket takes something, and the worker
 * until the link carries away what it has read. */
static void
reset_while_held_up(Bench *bench)
{
	const gsize n = VPNR_STREAM_QUEUE + 1000;
	g_autofree guint8 *bytes = make_pattern(n);
	Reader reader;

	send_more_than_the_link_takes(bench, bytes, n);
	wait_until_received(bench, n);
	start_reader(&reader, bench);
	vpnr_fd_abort(vpnr_fd_steal(&bench->app));
	join_reader(&reader);
	g_assert_cmpint(atomic_load(&bench->stream->state), !=, VPNR_STREAM_CLOSED);
	g_assert_cmpuint(expect_data_and_reset(bench, bytes, n), ==, 0);
	finish(bench);
}

static void
test_v1_application_resets_while_held_up(void)
{
	g_test_summary("A reader that an application holds up goes on when that is gone, although "
		       "its stream is not over before the link has carried away all that it sent.");

	Bench bench;

	stall_soon();
	start_v1_client(&bench);
	reset_while_held_up(&bench);
}

static void
test_v1_destination_resets_while_held_up(void)
{
	Bench bench;

	stall_soon();
	start_server(&bench, VPNR_PROTOCOL_V1, G_MAXUINT64);
	reset_while_held_up(&bench);
}

/* The application sends this, perhaps FIN, and then FAIL, while the link does not take all of the
 * destination's answer. So the worker has not read all of it. */
static void
end_before_the_answer_is_read(const guint8 *bytes, gsize n, gboolean sends_fin)
{
	const gsize answer = VPNR_STREAM_QUEUE + 1000;
	g_autofree guint8 *answer_bytes = make_pattern(answer);
	const int large = 4 * (int)n;
	Bench bench;

	stall_soon();
	start_server(&bench, VPNR_PROTOCOL_V1, G_MAXUINT64);
	g_assert_cmpint(setsockopt(bench.fd, SOL_SOCKET, SO_SNDBUF, &large, sizeof large), ==, 0);
	send_more_than_the_link_takes(&bench, answer_bytes, answer);
	wait_until_received(&bench, answer);
	for (gsize i = 0; i < n; i += VPNR_V1_MSG_MAX)
		g_assert_null(rig_deliver_data(&bench.rig, 1, bytes + i, VPNR_V1_MSG_MAX));
	if (sends_fin) {
		g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_FIN, 1));
		for (gint64 start = g_get_monotonic_time();
		     atomic_load(&bench.stream->state) != VPNR_STREAM_REMOTE_CLOSED;
		     patience(start))
			;
		wait_until_asleep(&bench); /* its socket is shut */
	}
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_END, 1));
	vpnr_table_wait_empty(bench.rig.table);
	loopback_expect(bench.app, bytes, n);
	loopback_expect_end(bench.app);
	expect_data_and_reset(&bench, answer_bytes, answer);
	finish(&bench);
}

static void
test_v1_server_end_before_the_answer_is_read(void)
{
	g_test_summary("1.3.6: a destination gets all that was sent before the FAIL, although "
		       "nobody has read what it answers.");

	const gsize n = 200 * VPNR_V1_MSG_MAX;
	g_autofree guint8 *bytes = make_pattern(n);

	end_before_the_answer_is_read(bytes, n, FALSE);
	end_before_the_answer_is_read(bytes, n, TRUE);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/worker/echo", test_echo);
	g_test_add_func("/worker/large/out", test_large_out);
	g_test_add_func("/worker/large/out/slow-link", test_large_out_slow_link);
	g_test_add_func("/worker/large/out/beside-talk", test_large_out_beside_talk);
	g_test_add_func("/worker/large/out/beside-many", test_large_out_beside_many);
	g_test_add_func("/worker/large/in", test_large_in);
	g_test_add_func("/worker/turns", test_turns);
	g_test_add_func("/worker/turns/stalled", test_turns_of_stalled);
	g_test_add_func("/worker/lent", test_lent);
	g_test_add_func("/worker/lent/in-order", test_lent_in_order);
	g_test_add_func("/worker/end/application-first", test_application_ends_first);
	g_test_add_func("/worker/end/peer-first", test_peer_ends_first);
	g_test_add_func("/worker/reset/peer", test_peer_resets);
	g_test_add_func("/worker/reset/link-lost", test_link_lost);
	g_test_add_func("/worker/reset/application", test_application_resets);
	g_test_add_func("/worker/reset/seen", test_reset_that_was_seen);
	g_test_add_func("/worker/reset/stalled", test_application_resets_while_stalled);
	g_test_add_func("/worker/reset/behind-data", test_reset_behind_data);
	g_test_add_func("/worker/reset/both-stuck", test_reset_while_both_are_stuck);
	g_test_add_func("/worker/reset/one-stuck", test_reset_while_one_is_stuck);
	g_test_add_func("/worker/reset/both-stuck/window", test_window_while_both_are_stuck);
	g_test_add_func("/worker/reset/both-stuck/last-moment", test_window_in_the_last_moment);
	g_test_add_func("/worker/reset/both-stuck/writer", test_stuck_behind_the_writer);
	g_test_add_func("/worker/reset/write-fails", test_write_fails_behind_data);
	g_test_add_func("/worker/reset/lent", test_reset_while_lent);
	g_test_add_func("/worker/reset/peer-behind-data", test_peer_resets_behind_data);
	g_test_add_func("/worker/reset/behind-both-ends", test_peer_resets_behind_both_ends);
	g_test_add_func("/worker/reset/purge", test_purge);
	g_test_add_func("/worker/reset/application-gone", test_application_gone);
	g_test_add_func("/worker/reset/of-the-application", test_application_resets_behind_data);
	g_test_add_func("/worker/bound/window", test_window_of_the_peer);
	g_test_add_func("/worker/bound/last-byte", test_last_byte_of_the_window);
	g_test_add_func("/worker/bound/last-byte/several-frames", test_last_byte_of_several_frames);
	g_test_add_func("/worker/bound/no-window", test_no_window_after_the_end);
	g_test_add_func("/worker/bound/no-window/budget", test_budget_at_the_end);
	g_test_add_func("/worker/bound/queue", test_queue_of_the_writer);
	g_test_add_func("/worker/bound/queue/depth", test_depth_of_the_queue);
	g_test_add_func("/worker/bound/stalled-application", test_stalled_application);
	g_test_add_func("/worker/hang-up", test_hang_up);
	g_test_add_func("/worker/end/stalled", test_end_while_stalled);
	g_test_add_func("/worker/waits", test_waits);
	g_test_add_func("/worker/opening/opened", test_opened);
	g_test_add_func("/worker/opening/not-yet-opened", test_not_yet_opened);
	g_test_add_func("/worker/opening/ended-before", test_application_ends_before_opened);
	g_test_add_func("/worker/opening/v1-open", test_v1_is_open);
	g_test_add_func("/worker/opening/refused", test_refused);
	g_test_add_func("/worker/opening/left", test_application_leaves_while_opening);
	g_test_add_func("/worker/opening/v1", test_v1_does_not_wait);
	g_test_add_func("/worker/dial/kept", test_dial);
	g_test_add_func("/worker/dial/with-data", test_dial_with_data);
	g_test_add_func("/worker/dial/aborted", test_dial_aborted);
	g_test_add_func("/worker/dial/aborted-before", test_dial_aborted_before);
	g_test_add_func("/worker/dial/failed", test_dial_failed);
	g_test_add_func("/worker/v1/refused", test_v1_refused);
	g_test_add_func("/worker/v1/end", test_v1_end);
	g_test_add_func("/worker/v1/reset-after-answer", test_v1_reset_after_the_answer);
	g_test_add_func("/worker/v1/reset-behind-both-ends", test_v1_reset_behind_both_ends);
	g_test_add_func("/worker/v1/upload-for-nobody", test_v1_upload_for_nobody);
	g_test_add_func("/worker/v1/upload-before-reading", test_v1_upload_before_reading);
	g_test_add_func("/worker/v1/upload-while-reading", test_v1_upload_while_reading);
	g_test_add_func("/worker/v1/end-of-upload", test_v1_end_of_an_upload);
	g_test_add_func("/worker/v1/dial-failed-after-answer",
			test_v1_dial_failed_after_the_answer);
	g_test_add_func("/worker/v1/server-end", test_v1_server_end);
	g_test_add_func("/worker/v1/server-end-after-fin", test_v1_server_end_after_fin);
	g_test_add_func("/worker/v1/server-end-before-answer",
			test_v1_server_end_before_the_answer_is_read);
	g_test_add_func("/worker/v1/id-is-free-again", test_v1_id_is_free_again);
	g_test_add_func("/worker/v1/rust-server-eof", test_rust_server_eof);
	g_test_add_func("/worker/v1/held-up/application", test_v1_application_resets_while_held_up);
	g_test_add_func("/worker/v1/held-up/destination", test_v1_destination_resets_while_held_up);
	return g_test_run();
}
