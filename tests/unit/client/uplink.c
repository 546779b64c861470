/* SPDX-License-Identifier: MIT
 *
 * uplink: to a server that the test plays: how links come and go, that streams hear nothing of it
 * as long as their session lives, and that a stop is never waited for.
 *
 * Linked with --wrap for vpnr_backoff_next, vpnr_deadline_after and vpnr_greeting_receive: a test
 * can make the pauses between links short, and a server's time for its HELLO. And for vpnr_connect:
 * a test can have the session end while its next link shakes hands.
 */
#include "client/uplink.h"

#include <poll.h>
#include <stdatomic.h>
#include <string.h>

#include "app/keys.h"
#include "base/deadline.h"
#include "base/fd.h"
#include "base/latch.h"
#include "base/thread.h"
#include "client/backoff.h"
#include "client/connect.h"
#include "link/greeting.h"
#include "tests/unit/loopback.h"
#include "tests/unit/party.h"
#include "tests/unit/patience.h"

/* Microseconds in which an uplink must have stopped, whatever it does: half a second for the peer's
 * answer to GOAWAY, as much for the writer, and a margin for a busy machine; but less than any of
 * the 10 s that it may wait for a server otherwise. */
#define STOP_US 9000000

static _Atomic gboolean short_pauses;
static _Atomic gboolean short_greetings;
static _Atomic gboolean slow_handshakes; /* they take as long as the link that they replace */
static _Thread_local gboolean greets;

/* Milliseconds: the least that an uplink was ready to wait for a handshake, and for a HELLO. */
static _Atomic int least_handshake_ms;
static _Atomic int least_greeting_ms;

/* The most tries in a row that an uplink has taken for failed. */
static _Atomic guint most_failures;

/* What was counted when an uplink last said that it is connected. */
static VpnrStats *counted;
static _Atomic guint64 reconnects_by_then;

guint __real_vpnr_backoff_next(VpnrBackoff *backoff, guint32 random);
guint __wrap_vpnr_backoff_next(VpnrBackoff *backoff, guint32 random);
gint64 __real_vpnr_deadline_after(int ms);
gint64 __wrap_vpnr_deadline_after(int ms);
gboolean __real_vpnr_greeting_receive(VpnrTransport *transport, VpnrHello *hello, GByteArray *early,
				      int timeout_ms, int cancel_fd, GError **error);
gboolean __wrap_vpnr_greeting_receive(VpnrTransport *transport, VpnrHello *hello, GByteArray *early,
				      int timeout_ms, int cancel_fd, GError **error);

VpnrTransport *__real_vpnr_connect(const VpnrUplinkTarget *target, VpnrLookup *lookup, int max_ms,
				   int cancel_fd, GError **error);
VpnrTransport *__wrap_vpnr_connect(const VpnrUplinkTarget *target, VpnrLookup *lookup, int max_ms,
				   int cancel_fd, GError **error);

void __real_vpnr_bulletin_set_state(VpnrBulletin *bulletin, VpnrUplinkState state);
void __wrap_vpnr_bulletin_set_state(VpnrBulletin *bulletin, VpnrUplinkState state);

void
__wrap_vpnr_bulletin_set_state(VpnrBulletin *bulletin, VpnrUplinkState state)
{
	if (state == VPNR_UPLINK_CONNECTED)
		atomic_store(&reconnects_by_then, vpnr_stats_get(counted, VPNR_STAT_RECONNECTS));
	__real_vpnr_bulletin_set_state(bulletin, state);
}

guint
__wrap_vpnr_backoff_next(VpnrBackoff *backoff, guint32 random)
{
	guint ms = __real_vpnr_backoff_next(backoff, random);

	atomic_store(&most_failures, MAX(backoff->failures, atomic_load(&most_failures)));
	return atomic_load(&short_pauses) ? 1 : ms;
}

gint64
__wrap_vpnr_deadline_after(int ms)
{
	return __real_vpnr_deadline_after(greets && atomic_load(&short_greetings) ? 1 : ms);
}

/* -1 is for ever. */
static void
note_least(_Atomic int *least, int ms)
{
	if (ms >= 0 && ms < atomic_load(least))
		atomic_store(least, ms);
}

gboolean
__wrap_vpnr_greeting_receive(VpnrTransport *transport, VpnrHello *hello, GByteArray *early,
			     int timeout_ms, int cancel_fd, GError **error)
{
	gboolean ok;

	note_least(&least_greeting_ms, timeout_ms);
	greets = TRUE;
	ok = __real_vpnr_greeting_receive(transport, hello, early, timeout_ms, cancel_fd, error);
	greets = FALSE;
	return ok;
}

VpnrTransport *
__wrap_vpnr_connect(const VpnrUplinkTarget *target, VpnrLookup *lookup, int max_ms, int cancel_fd,
		    GError **error)
{
	VpnrTransport *transport = __real_vpnr_connect(target, lookup, max_ms, cancel_fd, error);
	struct pollfd cancel = { .fd = cancel_fd, .events = POLLIN };

	note_least(&least_handshake_ms, max_ms);
	if (transport != NULL && atomic_load(&slow_handshakes))
		g_assert_cmpint(poll(&cancel, 1, PATIENCE_MS), ==, 1);
	return transport;
}

/* An uplink, and the place where it dials. */
typedef struct {
	VpnrFd listener;
	VpnrKey server_key; /* private */
	VpnrUplinkTarget target;
	VpnrStats stats;
	VpnrUplink *uplink;
} Bench;

static void
bench_init(Bench *bench, VpnrProtocol protocol)
{
	memset(bench, 0, sizeof *bench);
	atomic_store(&short_pauses, FALSE);
	atomic_store(&short_greetings, FALSE);
	atomic_store(&slow_handshakes, FALSE);
	atomic_store(&least_handshake_ms, G_MAXINT);
	atomic_store(&least_greeting_ms, G_MAXINT);
	atomic_store(&most_failures, 0);
	counted = &bench->stats;
	bench->listener = loopback_listen(8, &bench->target.server);
	bench->target.protocol = protocol;
	bench->target.resume_timeout_s = 300;
	g_assert_true(vpnr_keys_generate(&bench->server_key, NULL));
	g_assert_true(vpnr_keys_generate(&bench->target.private_key, NULL));
	g_assert_true(
	    vpnr_keys_derive_public(&bench->server_key, &bench->target.server_public_key, NULL));
}

static void
start(Bench *bench)
{
	g_autoptr(GError) error = NULL;

	bench->uplink = vpnr_uplink_start(&(VpnrUplinkParams){ .target = &bench->target,
							       .origin = { .number = 1 },
							       .of = 1,
							       .stats = &bench->stats },
					  &error);
	g_assert_no_error(error);
}

static void
bench_clear(Bench *bench)
{
	vpnr_uplink_free(bench->uplink);
	vpnr_fd_close(bench->listener);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

static void
wait_for_state(Bench *bench, VpnrUplinkState state)
{
	for (gint64 begin = g_get_monotonic_time();
	     vpnr_uplink_status(bench->uplink).news.state != state; patience(begin))
		;
}

static guint64
stat_of(Bench *bench, VpnrStat stat)
{
	return vpnr_stats_get(&bench->stats, stat);
}

static void
wait_for_stat(Bench *bench, VpnrStat stat, guint64 n)
{
	for (gint64 begin = g_get_monotonic_time(); stat_of(bench, stat) < n; patience(begin))
		;
}

/* Plays the server up to the end of the handshake. */
static void
shake_hands(Bench *bench, Party *party)
{
	g_assert_true(party_shake_hands(party, loopback_accept(bench->listener), VPNR_ROLE_SERVER,
					&bench->server_key));
}

/* The client asks for no session and gets one. */
static void
accept_link(Bench *bench, Party *party)
{
	VpnrHello hello;

	party_begin(party, VPNR_ROLE_SERVER);
	shake_hands(bench, party);
	party_greet_client(party, &hello);
	g_assert_false(hello.has_session);
	wait_for_state(bench, VPNR_UPLINK_CONNECTED);
}

/* The client must ask for this session, and have received what was sent. */
static void
expect_question(Party *party)
{
	VpnrHello hello;

	party_take_hello(party, &hello);
	g_assert_true(hello.has_session);
	g_assert_true(vpnr_session_id_equal(&hello.session, &party->id));
	g_assert_cmpuint(hello.received, ==, party->sent);
}

/* The client comes back and gets its session again. */
static void
accept_again(Bench *bench, Party *party)
{
	party_hang_up(party);
	shake_hands(bench, party);
	expect_question(party);
	party_send(party, party_hello(party));
}

static VpnrAddr
dest_addr(void)
{
	return (VpnrAddr){ .type = VPNR_ADDR_IPV4, .port = 80, .ip4 = { 192, 0, 2, 1 } };
}

static VpnrTableResult
open_stream(Bench *bench, VpnrTable **table, VpnrStream **stream)
{
	VpnrAddr dest = dest_addr();

	return vpnr_uplink_open(bench->uplink, VPNR_KIND_TCP, &dest, NULL, table, stream);
}

/* Data must come to the stream, or have come. */
static void
expect_inbox(VpnrStream *stream, gconstpointer bytes, gsize n)
{
	g_autoptr(VpnrFrame) frame = vpnr_mailbox_pop(stream->inbox, PATIENCE_MS);

	g_assert_nonnull(frame);
	g_assert_cmpstr(vpnr_frame_type_name(frame->type), ==, "DATA");
	g_assert_cmpmem(frame->data, frame->size, bytes, n);
	g_assert_cmpint(vpnr_stream_reset_reason(stream), ==, VPNR_REASON_NONE);
}

/* What a worker does that has read n bytes. */
static void
send_data(VpnrTable *table, VpnrStream *stream, const char *bytes, gsize n)
{
	g_assert_cmpuint(vpnr_table_take_room(table, stream, n), ==, n);
	vpnr_table_push(table, peer_data(stream->id, bytes, n));
}

/* Opens the first stream, and the server says that it is open. */
static VpnrTable *
open_served(Bench *bench, Party *party, VpnrStream **stream)
{
	VpnrTable *table = NULL;

	g_assert_cmpint(open_stream(bench, &table, stream), ==, VPNR_TABLE_OK);
	atomic_store(&(*stream)->opened_is_awaited, TRUE);
	party_expect(party, VPNR_FRAME_OPEN);
	party_send(party, vpnr_frame_new(VPNR_FRAME_OPENED, 1, 0));
	g_assert_null(vpnr_mailbox_pop((*stream)->inbox, PATIENCE_MS));
	g_assert_true(atomic_load(&(*stream)->opened));
	return table;
}

static void
end_stream(VpnrTable *table, VpnrStream *stream)
{
	vpnr_table_remove(table, stream);
	vpnr_stream_unref(stream);
}

/* A worker that ends as soon as its stream is aborted. */
typedef struct {
	VpnrTable *table;
	VpnrStream *stream;
	VpnrReason reason;
	VpnrThread *thread;
} Worker;

static void
wait_for_reset(gpointer data)
{
	Worker *worker = data;

	while ((worker->reason = vpnr_stream_reset_reason(worker->stream)) == VPNR_REASON_NONE)
		vpnr_frame_free(vpnr_mailbox_pop(worker->stream->inbox, PATIENCE_MS));
	end_stream(worker->table, worker->stream);
}

static void
start_worker(Bench *bench, Worker *worker)
{
	g_assert_cmpint(open_stream(bench, &worker->table, &worker->stream), ==, VPNR_TABLE_OK);
	worker->thread = vpnr_thread_start("worker", wait_for_reset, worker, NULL);
	g_assert_nonnull(worker->thread);
}

static void
stop_in_time(Bench *bench)
{
	gint64 begin = g_get_monotonic_time();

	vpnr_uplink_stop(bench->uplink);
	g_assert_cmpint(g_get_monotonic_time() - begin, <, STOP_US);
	g_assert_cmpint(vpnr_uplink_status(bench->uplink).news.state, ==, VPNR_UPLINK_DISCONNECTED);
}

/* --- a link ----------------------------------------------------------------------------------- */

static void
test_connect(void)
{
	g_auto(Bench) bench;
	g_auto(Party) party;
	VpnrUplinkStatus status;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	accept_link(&bench, &party);
	status = vpnr_uplink_status(bench.uplink);
	g_assert_true(vpnr_addr_equal(&status.news.server, &bench.target.server));
	g_assert_cmpstr(status.news.software, ==, "peer 1.0");
	g_assert_cmpint(status.news.since_us, <=, g_get_monotonic_time());
	g_assert_true(status.session.attached);
	g_assert_cmpint(vpnr_uplink_patience_ms(bench.uplink), ==, 300000);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_RECONNECTS), ==, 0);
	g_assert_true(vpnr_gate_is_open(vpnr_uplink_gate(bench.uplink)));
}

static void
test_open(void)
{
	g_auto(Bench) bench;
	g_auto(Party) party;
	g_autoptr(VpnrFrame) open = NULL;
	VpnrAddr dest = dest_addr();
	VpnrAddr asked;
	VpnrTable *table = NULL;
	VpnrStream *stream = NULL;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	accept_link(&bench, &party);
	g_assert_cmpuint(vpnr_uplink_foreach(bench.uplink, NULL, NULL), ==, 0);
	g_assert_cmpint(open_stream(&bench, &table, &stream), ==, VPNR_TABLE_OK);
	g_assert_cmpuint(vpnr_uplink_foreach(bench.uplink, NULL, NULL), ==, 1);
	open = party_next(&party);
	g_assert_cmpint(open->type, ==, VPNR_FRAME_OPEN);
	asked = vpnr_addr_unpack(open->open.dest);
	g_assert_true(vpnr_addr_equal(&asked, &dest));
	g_assert_cmpuint(vpnr_send_credit_left(&stream->send), ==, 65536); /* of the HELLO */
	end_stream(table, stream);
}

static void
test_no_link(void)
{
	g_test_summary("Before the server's HELLO no stream can be opened.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	VpnrTable *table = NULL;
	VpnrStream *stream = NULL;
	VpnrHello hello;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	g_assert_cmpint(open_stream(&bench, &table, &stream), ==, VPNR_TABLE_CLOSED);
	party_begin(&party, VPNR_ROLE_SERVER);
	shake_hands(&bench, &party);
	party_take_hello(&party, &hello);
	g_assert_cmpint(open_stream(&bench, &table, &stream), ==, VPNR_TABLE_CLOSED);
	g_assert_cmpint(vpnr_uplink_status(bench.uplink).news.state, ==, VPNR_UPLINK_CONNECTING);
	g_assert_cmpint(vpnr_uplink_status(bench.uplink).session.rtt_us, ==, -1);
	g_assert_false(vpnr_uplink_status(bench.uplink).session.attached);
	g_assert_false(vpnr_gate_is_open(vpnr_uplink_gate(bench.uplink)));
	g_assert_cmpuint(vpnr_uplink_foreach(bench.uplink, NULL, NULL), ==, 0);
}

static void
test_v1(void)
{
	g_auto(Bench) bench;
	g_auto(VpnrFd) peer = -1;
	VpnrTable *table = NULL;
	VpnrStream *stream = NULL;
	const guint8 open[] = { 7, 0, 1, 0, 192, 0, 2, 1, 0, 80 };
	VpnrUplinkStatus status;

	bench_init(&bench, VPNR_PROTOCOL_V1);
	start(&bench);
	peer = loopback_accept(bench.listener);
	wait_for_state(&bench, VPNR_UPLINK_CONNECTED);
	status = vpnr_uplink_status(bench.uplink);
	g_assert_cmpstr(status.news.software, ==, "");
	g_assert_cmpint(open_stream(&bench, &table, &stream), ==, VPNR_TABLE_OK);
	loopback_expect(peer, open, sizeof open);
	end_stream(table, stream);
}

/* --- the session goes on ---------------------------------------------------------------------- */

static void
test_resume(void)
{
	g_test_summary(
	    "A link that breaks is followed by another, and the stream goes on: what was "
	    "on its way both ways comes once.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	VpnrTable *table;
	VpnrStream *stream = NULL;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	accept_link(&bench, &party);
	table = open_served(&bench, &party, &stream);
	party_send(&party, peer_data(1, "before", 6));
	expect_inbox(stream, "before", 6);
	send_data(table, stream, "lost", 4);
	party_expect_data(&party, 1, "lost", 4);
	party.received--; /* as if it had never come */
	accept_again(&bench, &party);
	party_expect_data(&party, 1, "lost", 4);
	send_data(table, stream, "after", 5);
	party_expect_data(&party, 1, "after", 5);
	party_send(&party, peer_data(1, "after", 5));
	expect_inbox(stream, "after", 5);
	wait_for_state(&bench, VPNR_UPLINK_CONNECTED);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_RECONNECTS), ==, 1);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_RESUMES), ==, 1);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_LINKS_FAILED), ==, 1);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_FRAMES_REPLAYED), ==, 1);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_ROTATIONS), ==, 0);
	end_stream(table, stream);
}

static gboolean
gate_is_readable(const Bench *bench)
{
	struct pollfd pfd = { .fd = vpnr_gate_fd(vpnr_uplink_gate(bench->uplink)),
			      .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

static void
test_without_a_link(void)
{
	g_test_summary("While there is no link, streams are there, the gate is closed and no "
		       "stream can be opened.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	Worker worker;
	VpnrTable *table = NULL;
	VpnrStream *stream = NULL;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	accept_link(&bench, &party);
	g_assert_true(gate_is_readable(&bench));
	start_worker(&bench, &worker);
	party_expect(&party, VPNR_FRAME_OPEN);
	party_hang_up(&party);
	wait_for_stat(&bench, VPNR_STAT_LINKS_FAILED, 1);
	shake_hands(&bench, &party);
	expect_question(&party);
	g_assert_false(gate_is_readable(&bench));
	g_assert_cmpint(open_stream(&bench, &table, &stream), ==, VPNR_TABLE_CLOSED);
	g_assert_cmpuint(vpnr_uplink_foreach(bench.uplink, NULL, NULL), ==, 1);
	g_assert_cmpint(vpnr_uplink_status(bench.uplink).news.state, ==, VPNR_UPLINK_CONNECTING);
	g_assert_false(vpnr_uplink_status(bench.uplink).session.attached);
	g_assert_cmpuint(vpnr_uplink_status(bench.uplink).session.replay_bytes, >, 0);
	party_send(&party, party_hello(&party));
	wait_for_state(&bench, VPNR_UPLINK_CONNECTED);
	for (gint64 begin = g_get_monotonic_time(); !gate_is_readable(&bench); patience(begin))
		;
	vpnr_uplink_stop(bench.uplink);
	g_assert_false(gate_is_readable(&bench));
	vpnr_thread_join(worker.thread);
}

/* The client comes, and the link ends in the phase of this number. */
static void
come_and_go(Bench *bench, Party *party, guint phase)
{
	party_hang_up(party);
	if (phase == 0) {
		vpnr_fd_close(loopback_accept(bench->listener));
		return;
	}
	shake_hands(bench, party);
	if (phase >= 2)
		expect_question(party);
	if (phase == 3)
		peer_send_bytes(&party->link, (const guint8 *)"\0\0\1\1", 4);
	if (phase == 4)
		party_send(party, party_hello(party));
	party_hang_up(party);
}

static void
test_come_and_go(void)
{
	g_test_summary("Links that end during handshake and HELLO, or right after it, again and "
		       "again, leave nothing behind, and the stream lives.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	VpnrTable *table;
	VpnrStream *stream = NULL;
	guint fds = 0, threads = 0;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	atomic_store(&short_pauses, TRUE);
	start(&bench);
	accept_link(&bench, &party);
	table = open_served(&bench, &party, &stream);
	fds = count_fds();
	threads = vpnr_thread_count();
	for (guint i = 0; i < 100; i++)
		come_and_go(&bench, &party, i % 5);
	accept_again(&bench, &party);
	party_send(&party, peer_data(1, "alive", 5));
	expect_inbox(stream, "alive", 5);
	wait_for_state(&bench, VPNR_UPLINK_CONNECTED);
	for (gint64 begin = g_get_monotonic_time(); count_fds() > fds; patience(begin))
		;
	/* The kernel counts a thread that was joined for a moment longer. */
	for (gint64 begin = g_get_monotonic_time(); vpnr_thread_count() > threads; patience(begin))
		;
	end_stream(table, stream);
}

static void
test_come_in_vain(void)
{
	g_test_summary("A link that ends right after HELLO is a try that has failed: the pauses "
		       "get longer. (docs/protocol.md, 2.10.4)");

	g_auto(Bench) bench;
	g_auto(Party) party;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	atomic_store(&short_pauses, TRUE);
	start(&bench);
	accept_link(&bench, &party);
	for (guint i = 0; i < 10; i++)
		come_and_go(&bench, &party, 4);
	accept_again(&bench, &party);
	g_assert_cmpuint(atomic_load(&most_failures), >, 1);
}

/* --- rotation --------------------------------------------------------------------------------- */

static void
test_rotate(void)
{
	g_test_summary("A link that is old enough is replaced: the next one is there before it "
		       "goes, and the stream notices nothing.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	VpnrTable *table;
	VpnrStream *stream = NULL;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	bench.target.rotate_interval_s = 1;
	start(&bench);
	accept_link(&bench, &party);
	table = open_served(&bench, &party, &stream);
	for (guint i = 1; i <= 2; i++) {
		g_auto(Party) old = party;
		int fd = loopback_accept(bench.listener);

		party_send(&old, peer_data(1, "old", 3));
		expect_inbox(stream, "old", 3);
		party.sent = old.sent;
		party.link = (Peer){ .fd = -1 };
		g_assert_true(party_shake_hands(&party, fd, VPNR_ROLE_SERVER, &bench.server_key));
		party_expect_end(&old);
		expect_question(&party);
		g_assert_cmpint(vpnr_uplink_status(bench.uplink).news.state, ==,
				VPNR_UPLINK_CONNECTED);
		party_send(&party, party_hello(&party));
		party_send(&party, peer_data(1, "new", 3));
		expect_inbox(stream, "new", 3);
		wait_for_stat(&bench, VPNR_STAT_ROTATIONS, i);
	}
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_RESUMES), ==, 2);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_RECONNECTS), ==, 0);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_LINKS_FAILED), ==, 0);
	end_stream(table, stream);
}

static void
test_rotate_in_vain(void)
{
	g_test_summary("A link that cannot be replaced goes on.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	VpnrTable *table;
	VpnrStream *stream = NULL;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	bench.target.rotate_interval_s = 1;
	start(&bench);
	accept_link(&bench, &party);
	table = open_served(&bench, &party, &stream);
	vpnr_fd_close(loopback_accept(bench.listener));
	party_send(&party, peer_data(1, "still", 5));
	expect_inbox(stream, "still", 5);
	send_data(table, stream, "here", 4);
	party_expect_data(&party, 1, "here", 4);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_ROTATIONS), ==, 0);
	end_stream(table, stream);
}

static void
test_rotate_and_lose(void)
{
	g_test_summary("The new link breaks when the old one has gone already: the next resumes.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	VpnrTable *table;
	VpnrStream *stream = NULL;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	bench.target.rotate_interval_s = 1;
	start(&bench);
	accept_link(&bench, &party);
	table = open_served(&bench, &party, &stream);
	{
		g_auto(Party) old = party;

		party.link = (Peer){ .fd = -1 };
		shake_hands(&bench, &party);
		expect_question(&party);
		party_expect_end(&old);
	}
	accept_again(&bench, &party);
	party_send(&party, peer_data(1, "alive", 5));
	expect_inbox(stream, "alive", 5);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_ROTATIONS), ==, 0);
	end_stream(table, stream);
}

/* The server breaks a rule on the link that works, and the session is over with that link. */
static void
end_by_violation(Party *party)
{
	party_send(party, vpnr_frame_new(VPNR_FRAME_OPENED, 99, 0));
	party_expect_goaway(party, VPNR_REASON_PROTOCOL);
	party_expect_end(party);
}

static void
test_rotate_cancelled(void)
{
	g_test_summary("The session ends while its next link shakes hands: the handshake is given "
		       "up, and the link after it asks for no session.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(Party) next;
	g_auto(Party) again;
	Worker worker;
	VpnrFd fd;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	bench.target.rotate_interval_s = 1;
	start(&bench);
	accept_link(&bench, &party);
	start_worker(&bench, &worker);
	party_expect(&party, VPNR_FRAME_OPEN);
	fd = loopback_accept(bench.listener);
	end_by_violation(&party);
	vpnr_thread_join(worker.thread); /* so the uplink knows */
	party_begin(&next, VPNR_ROLE_SERVER);
	g_assert_false(party_shake_hands(&next, fd, VPNR_ROLE_SERVER, &bench.server_key));
	accept_link(&bench, &again);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_ROTATIONS), ==, 0);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_VIOLATIONS), ==, 1);
}

static void
test_rotate_too_late(void)
{
	g_test_summary("The session ends when the handshake of its next link is done: that link is "
		       "not used, and the one after it asks for no session.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(Party) next;
	g_auto(Party) again;
	Worker worker;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	bench.target.rotate_interval_s = 1;
	start(&bench);
	accept_link(&bench, &party);
	start_worker(&bench, &worker);
	party_expect(&party, VPNR_FRAME_OPEN);
	atomic_store(&slow_handshakes, TRUE);
	party_begin(&next, VPNR_ROLE_SERVER);
	shake_hands(&bench, &next);
	end_by_violation(&party);
	party_expect_end(&next); /* without HELLO */
	vpnr_thread_join(worker.thread);
	atomic_store(&slow_handshakes, FALSE);
	accept_link(&bench, &again);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_ROTATIONS), ==, 0);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_VIOLATIONS), ==, 1);
}

/* --- the session ends ------------------------------------------------------------------------- */

static void
join_reset(Worker *worker)
{
	vpnr_thread_join(worker->thread);
	g_assert_cmpint(worker->reason, ==, VPNR_REASON_LINK_LOST);
}

/* A stream whose worker waits for its end, and then the loss of the link. Returns the time just
 * before that. */
static gint64
lose_link_with_stream(Bench *bench, Party *party, Worker *worker)
{
	gint64 before;

	start(bench);
	accept_link(bench, party);
	start_worker(bench, worker);
	party_expect(party, VPNR_FRAME_OPEN);
	before = g_get_monotonic_time();
	party_hang_up(party);
	return before;
}

static void
test_unknown_session(void)
{
	g_test_summary(
	    "A server that was restarted gives another session: the streams are reset at "
	    "once, and new ones can be opened.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(Party) restarted;
	Worker worker;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	lose_link_with_stream(&bench, &party, &worker);
	party_begin(&restarted, VPNR_ROLE_SERVER);
	shake_hands(&bench, &party);
	expect_question(&party);
	restarted.link = party.link;
	party.link = (Peer){ .fd = -1 };
	party_send(&restarted, party_hello(&restarted));
	join_reset(&worker);
	wait_for_state(&bench, VPNR_UPLINK_CONNECTED);
	start_worker(&bench, &worker);
	party_expect(&restarted, VPNR_FRAME_OPEN);
	g_assert_cmpuint(atomic_load(&reconnects_by_then), ==, 1);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_RECONNECTS), ==, 1);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_RESUMES), ==, 0);
	vpnr_uplink_stop(bench.uplink);
	join_reset(&worker);
}

static void
test_stays_away(void)
{
	g_test_summary(
	    "No link comes back in time: the streams are reset, and the next link is the "
	    "first of a new session.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(Party) again;
	Worker worker;
	gint64 begin;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	bench.target.resume_timeout_s = 1;
	begin = lose_link_with_stream(&bench, &party, &worker);
	while (stat_of(&bench, VPNR_STAT_SESSIONS_LOST) == 0) {
		struct pollfd pfd = { .fd = bench.listener, .events = POLLIN };

		if (poll(&pfd, 1, 1) == 1)
			vpnr_fd_close(loopback_accept(bench.listener));
	}
	join_reset(&worker);
	g_assert_cmpint(g_get_monotonic_time() - begin, >=, G_USEC_PER_SEC);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_SESSIONS_LOST), ==, 1);
	vpnr_fd_close(vpnr_fd_steal(&bench.listener)); /* with what it has not accepted */
	bench.listener = loopback_listen(8, &bench.target.server);
	vpnr_uplink_set_target(bench.uplink, &bench.target);
	accept_link(&bench, &again);
}

/* The session must end in its time, although the next link is neither there nor refused. */
static void
check_held_up(gboolean in_handshake, int seconds)
{
	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(Party) silent;
	g_auto(VpnrFd) fd = -1;
	Worker worker;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	atomic_store(&short_pauses, TRUE);
	bench.target.resume_timeout_s = (guint)seconds;
	lose_link_with_stream(&bench, &party, &worker);
	party_begin(&silent, VPNR_ROLE_SERVER);
	if (in_handshake)
		fd = loopback_accept(bench.listener);
	else
		shake_hands(&bench, &silent);
	join_reset(&worker);
	g_assert_cmpint(atomic_load(in_handshake ? &least_handshake_ms : &least_greeting_ms), <=,
			seconds * 1000);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_SESSIONS_LOST), ==, 1);
}

static void
test_held_up(void)
{
	g_test_summary("A server that takes the next connection and does not shake hands, or does "
		       "not say HELLO, does not lengthen resume-timeout.");

	check_held_up(TRUE, 1);
	check_held_up(FALSE, 3); /* time for a handshake */
}

static void
test_no_patience(void)
{
	g_test_summary("resume-timeout = 0: the streams are reset with the link.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(Party) again;
	Worker worker;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	bench.target.resume_timeout_s = 0;
	lose_link_with_stream(&bench, &party, &worker);
	join_reset(&worker);
	accept_link(&bench, &again);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_SESSIONS_LOST), ==, 1);
}

static void
test_goaway(void)
{
	g_test_summary("2.10.2: a server that stops in order is no failure; the streams are reset "
		       "at once, and it is dialled again.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(Party) again;
	Worker worker;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	accept_link(&bench, &party);
	start_worker(&bench, &worker);
	party_expect(&party, VPNR_FRAME_OPEN);
	party_send(&party, peer_goaway(VPNR_REASON_NONE));
	join_reset(&worker);
	party_hang_up(&party);
	accept_link(&bench, &again);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_RECONNECTS), ==, 1);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_LINKS_FAILED), ==, 0);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_SESSIONS_LOST), ==, 0);
}

static void
test_violation(void)
{
	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(Party) again;
	Worker worker;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	accept_link(&bench, &party);
	start_worker(&bench, &worker);
	party_expect(&party, VPNR_FRAME_OPEN);
	party_send(&party, vpnr_frame_new(VPNR_FRAME_OPENED, 99, 0));
	party_expect_goaway(&party, VPNR_REASON_PROTOCOL);
	join_reset(&worker);
	party_hang_up(&party);
	accept_link(&bench, &again);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_VIOLATIONS), ==, 1);
}

/* --- a server that lies, or says nothing ------------------------------------------------------ */

/* The server answers a client that asks for a session with this HELLO: the session is over, and the
 * next link is the first of a new one. */
static void
check_lie(const VpnrHello *lie)
{
	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(Party) again;
	VpnrFrame *frame;
	Worker worker;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	lose_link_with_stream(&bench, &party, &worker);
	shake_hands(&bench, &party);
	expect_question(&party);
	frame = party_hello(&party);
	frame->hello->has_session = lie->has_session;
	frame->hello->received = lie->received;
	frame->hello->session.bytes[0] ^= lie->session.bytes[0];
	party_send(&party, frame);
	party_expect_goaway(&party, VPNR_REASON_PROTOCOL);
	join_reset(&worker);
	party_expect_end(&party);
	accept_link(&bench, &again);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_VIOLATIONS), ==, 1);
}

static void
test_lie_received_too_much(void)
{
	check_lie(&(VpnrHello){ .has_session = TRUE, .received = 2 }); /* OPEN was the only one */
}

static void
test_lie_no_session(void)
{
	check_lie(&(VpnrHello){ .has_session = FALSE });
}

static void
test_lie_new_but_received(void)
{
	check_lie(&(VpnrHello){ .has_session = TRUE, .session = { { 1 } }, .received = 1 });
}

static void
test_goaway_for_hello(void)
{
	g_test_summary("A server that sends us away instead of saying HELLO has not ended the "
		       "session: it is asked again.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	VpnrTable *table;
	VpnrStream *stream = NULL;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	accept_link(&bench, &party);
	table = open_served(&bench, &party, &stream);
	party_hang_up(&party);
	shake_hands(&bench, &party);
	expect_question(&party);
	party_send(&party, peer_goaway(VPNR_REASON_LIMIT));
	party_expect_end(&party);
	accept_again(&bench, &party);
	party_send(&party, peer_data(1, "alive", 5));
	expect_inbox(stream, "alive", 5);
	end_stream(table, stream);
}

static void
test_never_hello(void)
{
	g_test_summary("A server that never says HELLO is left, and asked again.");

	g_auto(Bench) bench;
	g_auto(Party) silent;
	g_auto(Party) party;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	atomic_store(&short_greetings, TRUE);
	start(&bench);
	party_begin(&silent, VPNR_ROLE_SERVER);
	shake_hands(&bench, &silent);
	wait_for_stat(&bench, VPNR_STAT_LINKS_FAILED, 1);
	atomic_store(&short_greetings, FALSE);
	accept_link(&bench, &party);
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_LINKS_FAILED), ==, 1);
}

static void
test_wrong_server(void)
{
	g_test_summary("A server with another key gets no link and no frame.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	VpnrKey other;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	g_assert_true(vpnr_keys_generate(&other, NULL));
	party_begin(&party, VPNR_ROLE_SERVER);
	for (guint i = 0; i < 2; i++)
		g_assert_false(party_shake_hands(&party, loopback_accept(bench.listener),
						 VPNR_ROLE_SERVER, &other));
	g_assert_cmpuint(stat_of(&bench, VPNR_STAT_LINKS_FAILED), >=, 1);
}

static void
test_set_target(void)
{
	g_test_summary("A server that refuses is tried again, and the next dial goes to the new "
		       "target.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	VpnrUplinkTarget good;
	g_auto(VpnrFd) closed = -1;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	good = bench.target;
	good.resume_timeout_s = 86400;
	closed = loopback_listen(-1, &bench.target.server);
	start(&bench);
	wait_for_stat(&bench, VPNR_STAT_LINKS_FAILED, 1);
	vpnr_uplink_set_target(bench.uplink, &good);
	accept_link(&bench, &party);
}

/* --- stopping --------------------------------------------------------------------------------- */

static void
test_stop_connected(void)
{
	g_test_summary("A stop says GOAWAY and ends the streams.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	Worker worker;
	VpnrTable *table = NULL;
	VpnrStream *stream = NULL;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	accept_link(&bench, &party);
	start_worker(&bench, &worker);
	party_expect(&party, VPNR_FRAME_OPEN);
	stop_in_time(&bench); /* the peer does not even answer */
	vpnr_thread_join(worker.thread);
	g_assert_cmpint(worker.reason, ==, VPNR_REASON_LINK_LOST);
	party_expect_goaway(&party, VPNR_REASON_NONE);
	g_assert_cmpint(open_stream(&bench, &table, &stream), ==, VPNR_TABLE_CLOSED);
	g_assert_false(vpnr_gate_is_open(vpnr_uplink_gate(bench.uplink)));
}

static void
test_stop_dialling(void)
{
	g_test_summary("A listener whose queue is full answers nothing; a stop does not wait.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) full = -1;
	g_auto(VpnrFd) queued = -1;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	full = loopback_listen(0, &bench.target.server);
	queued = loopback_connect(&bench.target.server);
	start(&bench);
	wait_for_state(&bench, VPNR_UPLINK_CONNECTING);
	stop_in_time(&bench);
}

static void
test_stop_shaking_hands(void)
{
	g_auto(Bench) bench;
	g_auto(VpnrFd) silent = -1;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	silent = loopback_accept(bench.listener);
	stop_in_time(&bench);
}

static void
test_stop_before_hello(void)
{
	g_auto(Bench) bench;
	g_auto(Party) party;
	VpnrHello hello;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	party_begin(&party, VPNR_ROLE_SERVER);
	shake_hands(&bench, &party);
	party_take_hello(&party, &hello);
	stop_in_time(&bench);
	party_expect_end(&party);
}

static void
test_stop_resuming(void)
{
	g_test_summary("A stop while the session waits for its next link, and for its HELLO, ends "
		       "the streams at once.");

	for (guint phase = 0; phase < 3; phase++) {
		g_auto(Bench) bench;
		g_auto(Party) party;
		Worker worker;

		bench_init(&bench, VPNR_PROTOCOL_V2);
		lose_link_with_stream(&bench, &party, &worker);
		if (phase == 0)
			wait_for_stat(&bench, VPNR_STAT_LINKS_FAILED, 1);
		else
			shake_hands(&bench, &party);
		if (phase == 2)
			expect_question(&party);
		stop_in_time(&bench);
		join_reset(&worker);
	}
}

static void
test_stop_rotating(void)
{
	g_test_summary("A stop while the second link shakes hands says GOAWAY on the first.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(VpnrFd) silent = -1;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	bench.target.rotate_interval_s = 1;
	start(&bench);
	accept_link(&bench, &party);
	silent = loopback_accept(bench.listener);
	stop_in_time(&bench);
	party_expect_goaway(&party, VPNR_REASON_NONE);
}

static void
test_stop_backing_off(void)
{
	g_auto(Bench) bench;
	g_auto(VpnrFd) closed = -1;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	closed = loopback_listen(-1, &bench.target.server);
	start(&bench);
	wait_for_stat(&bench, VPNR_STAT_LINKS_FAILED, 1);
	stop_in_time(&bench);
	vpnr_uplink_stop(bench.uplink); /* twice is once */
	vpnr_uplink_free(NULL);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/uplink/connect", test_connect);
	g_test_add_func("/uplink/open", test_open);
	g_test_add_func("/uplink/no-link", test_no_link);
	g_test_add_func("/uplink/v1", test_v1);
	g_test_add_func("/uplink/resume", test_resume);
	g_test_add_func("/uplink/resume/meanwhile", test_without_a_link);
	g_test_add_func("/uplink/resume/come-and-go", test_come_and_go);
	g_test_add_func("/uplink/resume/come-in-vain", test_come_in_vain);
	g_test_add_func("/uplink/rotate", test_rotate);
	g_test_add_func("/uplink/rotate/in-vain", test_rotate_in_vain);
	g_test_add_func("/uplink/rotate/and-lose", test_rotate_and_lose);
	g_test_add_func("/uplink/rotate/cancelled", test_rotate_cancelled);
	g_test_add_func("/uplink/rotate/too-late", test_rotate_too_late);
	g_test_add_func("/uplink/end/unknown-session", test_unknown_session);
	g_test_add_func("/uplink/end/stays-away", test_stays_away);
	g_test_add_func("/uplink/end/held-up", test_held_up);
	g_test_add_func("/uplink/end/no-patience", test_no_patience);
	g_test_add_func("/uplink/end/goaway", test_goaway);
	g_test_add_func("/uplink/end/violation", test_violation);
	g_test_add_func("/uplink/lie/received-too-much", test_lie_received_too_much);
	g_test_add_func("/uplink/lie/no-session", test_lie_no_session);
	g_test_add_func("/uplink/lie/new-but-received", test_lie_new_but_received);
	g_test_add_func("/uplink/goaway-for-hello", test_goaway_for_hello);
	g_test_add_func("/uplink/never-hello", test_never_hello);
	g_test_add_func("/uplink/wrong-server", test_wrong_server);
	g_test_add_func("/uplink/set-target", test_set_target);
	g_test_add_func("/uplink/stop/connected", test_stop_connected);
	g_test_add_func("/uplink/stop/dialling", test_stop_dialling);
	g_test_add_func("/uplink/stop/shaking-hands", test_stop_shaking_hands);
	g_test_add_func("/uplink/stop/before-hello", test_stop_before_hello);
	g_test_add_func("/uplink/stop/resuming", test_stop_resuming);
	g_test_add_func("/uplink/stop/rotating", test_stop_rotating);
	g_test_add_func("/uplink/stop/backing-off", test_stop_backing_off);
	return g_test_run();
}
