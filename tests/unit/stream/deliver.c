/* SPDX-License-Identifier: MIT
 *
 * deliver: what the peer may send on a stream, and what is a violation (docs/protocol.md, 1.3 and
 * 2.6 to 2.7).
 *
 * Linked with --wrap=pthread_mutex_unlock, so that a worker can end between two steps of the
 * reader.
 */
#include "stream/table.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/latch.h"
#include "base/thread.h"
#include "tests/unit/patience.h"
#include "tests/unit/stream/rig.h"

static const guint8 bytes[VPNR_DATA_MAX];

/* What happens as soon as the test's thread, which is the reader, has let go of a lock. */
static __thread void (*after_unlock)(gpointer data);
static gpointer after_unlock_data;

int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);

int
__wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	int result = __real_pthread_mutex_unlock(mutex);
	void (*func)(gpointer data) = after_unlock;

	if (func != NULL) {
		after_unlock = NULL;
		func(after_unlock_data);
	}
	return result;
}

/* A client with one stream, which has been opened; rig_remove() ends it. */
static VpnrStream *
client_with_stream(Rig *rig)
{
	VpnrStream *stream;

	rig_init(rig, VPNR_PROTOCOL_V2, VPNR_ROLE_CLIENT, 1000);
	stream = rig_open(rig);
	g_assert_null(rig_deliver(rig, VPNR_FRAME_OPENED, stream->id));
	return stream;
}

/* The types of the frames that wait for the worker: "OPENED DATA FIN". */
static char *
inbox_of(VpnrStream *stream)
{
	GString *types = g_string_new(NULL);
	VpnrFrame *frame;

	while ((frame = vpnr_mailbox_try_pop(stream->inbox)) != NULL) {
		g_string_append_printf(types, "%s%s", types->len > 0 ? " " : "",
				       vpnr_frame_type_name(frame->type));
		vpnr_frame_free(frame);
	}
	return g_string_free(types, FALSE);
}

static void
assert_inbox(VpnrStream *stream, const char *types)
{
	g_autofree char *got = inbox_of(stream);

	g_assert_cmpstr(got, ==, types);
}

static void
test_in_order(void)
{
	g_auto(Rig) rig;
	VpnrStream *stream = client_with_stream(&rig);

	g_assert_null(rig_deliver_data(&rig, stream->id, bytes, 10));
	g_assert_null(rig_deliver_data(&rig, stream->id, bytes, 1));
	g_assert_false(atomic_load(&stream->ended));
	g_assert_null(rig_deliver(&rig, VPNR_FRAME_FIN, stream->id));
	g_assert_true(atomic_load(&stream->ended));
	assert_inbox(stream, "DATA DATA FIN");
	g_assert_cmpuint(rig_stale(&rig), ==, 0);
	rig_remove(&rig, stream);
}

static void
test_after_fin(void)
{
	g_test_summary("2.6.6: after FIN, DATA and FIN are violations; WINDOW and RESET are not.");

	g_auto(Rig) rig;
	VpnrStream *stream = client_with_stream(&rig);

	g_assert_null(rig_deliver(&rig, VPNR_FRAME_FIN, stream->id));
	g_assert_cmpstr(rig_deliver_data(&rig, stream->id, bytes, 1), ==, "DATA after FIN");
	g_assert_cmpstr(rig_deliver(&rig, VPNR_FRAME_FIN, stream->id), ==, "second FIN");
	g_assert_null(rig_deliver_window(&rig, stream->id, 2000));
	g_assert_null(rig_deliver_reset(&rig, stream->id, VPNR_REASON_ABORTED));
	assert_inbox(stream, "FIN");
	rig_remove(&rig, stream);
}

static void
test_before_opened(void)
{
	g_test_summary("2.6.4: DATA, FIN before OPENED and a second OPENED are violations.");

	g_auto(Rig) rig;
	VpnrStream *stream;

	rig_init(&rig, VPNR_PROTOCOL_V2, VPNR_ROLE_CLIENT, 1000);
	stream = rig_open(&rig);
	g_assert_cmpstr(rig_deliver_data(&rig, stream->id, bytes, 1), ==, "DATA before OPENED");
	g_assert_cmpstr(rig_deliver(&rig, VPNR_FRAME_FIN, stream->id), ==, "FIN before OPENED");
	g_assert_null(rig_deliver_window(&rig, stream->id, 2000));
	g_assert_cmpint(atomic_load(&stream->state), ==, VPNR_STREAM_OPENING);
	g_assert_null(rig_deliver(&rig, VPNR_FRAME_OPENED, stream->id));
	g_assert_cmpint(atomic_load(&stream->state), ==, VPNR_STREAM_OPEN);
	g_assert_cmpstr(rig_deliver(&rig, VPNR_FRAME_OPENED, stream->id), ==,
			"OPENED for a stream that is open");
	assert_inbox(stream, "");
	rig_remove(&rig, stream);
}

static void
test_wrong_side(void)
{
	g_test_summary("2.6.2: a server must not send OPEN, a client must not send OPENED.");

	g_auto(Rig) client;
	g_auto(Rig) server;
	VpnrAddr dest = rig_dest();
	VpnrStream *stream = client_with_stream(&client);
	guint32 id = stream->id;

	g_assert_cmpstr(vpnr_table_deliver(client.table,
					   vpnr_frame_new_open(id, VPNR_KIND_TCP, &dest)),
			==, "OPEN from the server");
	rig_remove(&client, stream);
	g_assert_cmpstr(vpnr_table_deliver(client.table,
					   vpnr_frame_new_open(id, VPNR_KIND_TCP, &dest)),
			==, "OPEN from the server");
	g_assert_cmpstr(vpnr_table_deliver(client.table,
					   vpnr_frame_new_open(99, VPNR_KIND_TCP, &dest)),
			==, "OPEN from the server");

	rig_init(&server, VPNR_PROTOCOL_V2, VPNR_ROLE_SERVER, 1000);
	g_assert_cmpint(rig_accept(&server, 1, &stream), ==, VPNR_TABLE_OK);
	g_assert_cmpstr(rig_deliver(&server, VPNR_FRAME_OPENED, 1), ==,
			"OPENED for a stream that is open");
	rig_remove(&server, stream);
}

static void
test_never_opened(void)
{
	g_test_summary("2.6.10: a frame with an id above the highest is a violation.");

	g_auto(Rig) rig;
	VpnrStream *stream = client_with_stream(&rig);
	static const char violation[] = "a frame for a stream that was never opened";

	g_assert_cmpstr(rig_deliver(&rig, VPNR_FRAME_FIN, stream->id + 1), ==, violation);
	g_assert_cmpstr(rig_deliver_data(&rig, G_MAXUINT32, bytes, 1), ==, violation);
	g_assert_cmpstr(rig_deliver_reset(&rig, stream->id + 1, VPNR_REASON_REFUSED), ==,
			violation);
	g_assert_cmpstr(rig_deliver_window(&rig, stream->id + 1, 1), ==, violation);
	g_assert_cmpstr(rig_deliver(&rig, VPNR_FRAME_OPENED, stream->id + 1), ==, violation);
	rig_remove(&rig, stream);
}

static void
test_stale(void)
{
	g_test_summary("2.6.10: frames that cross the end of their stream are dropped.");

	g_auto(Rig) rig;
	VpnrStream *stream = client_with_stream(&rig);
	guint32 id = stream->id;

	rig_remove(&rig, stream);
	g_assert_null(rig_deliver_data(&rig, id, bytes, sizeof bytes));
	g_assert_null(rig_deliver(&rig, VPNR_FRAME_FIN, id));
	g_assert_null(rig_deliver(&rig, VPNR_FRAME_FIN, id));
	g_assert_null(rig_deliver_window(&rig, id, G_MAXUINT64));
	g_assert_null(rig_deliver_reset(&rig, id, VPNR_REASON_ABORTED));
	g_assert_null(rig_deliver(&rig, VPNR_FRAME_OPENED, id));
	g_assert_cmpuint(rig_stale(&rig), ==, 6);
}

static void
test_reset(void)
{
	g_test_summary("2.6.8: after RESET the stream is over: what still comes is dropped.");

	g_auto(Rig) rig;
	VpnrStream *stream = client_with_stream(&rig);

	g_assert_null(rig_deliver_reset(&rig, stream->id, VPNR_REASON_REFUSED));
	g_assert_cmpint(vpnr_stream_reset_reason(stream), ==, VPNR_REASON_REFUSED);
	g_assert_null(rig_deliver_data(&rig, stream->id, bytes, 1));
	g_assert_null(rig_deliver_reset(&rig, stream->id, VPNR_REASON_ABORTED));
	g_assert_cmpint(vpnr_stream_reset_reason(stream), ==, VPNR_REASON_REFUSED);
	g_assert_cmpuint(rig_stale(&rig), ==, 2);
	assert_inbox(stream, "");
	rig_remove(&rig, stream);
}

static void
test_reset_when_over(void)
{
	g_test_summary("2.6.7, 2.6.10: a RESET behind FIN both ways is dropped, unless our FIN is "
		       "still behind data that waits for the link.");

	g_auto(Rig) rig;
	VpnrStream *one = client_with_stream(&rig);
	VpnrStream *two = rig_open(&rig);

	g_assert_null(rig_deliver(&rig, VPNR_FRAME_FIN, one->id));
	atomic_store(&one->fin_sent, TRUE);
	g_assert_null(rig_deliver_reset(&rig, one->id, VPNR_REASON_ABORTED));
	g_assert_cmpint(vpnr_stream_reset_reason(one), ==, VPNR_REASON_NONE);
	g_assert_cmpuint(rig_stale(&rig), ==, 1);

	g_assert_null(rig_deliver(&rig, VPNR_FRAME_OPENED, two->id));
	g_assert_null(rig_deliver(&rig, VPNR_FRAME_FIN, two->id));
	g_assert_true(rig_push_data(&rig, two, 10));
	atomic_store(&two->fin_sent, TRUE);
	g_assert_null(rig_deliver_reset(&rig, two->id, VPNR_REASON_ABORTED));
	g_assert_cmpint(vpnr_stream_reset_reason(two), ==, VPNR_REASON_ABORTED);
	g_assert_cmpuint(rig_stale(&rig), ==, 1);
	rig_expect(&rig, VPNR_FRAME_DATA, two->id);
	rig_remove(&rig, one);
	rig_remove(&rig, two);
}

static void
test_window(void)
{
	g_test_summary("2.7.3: WINDOW raises the limit and never lowers it.");

	g_auto(Rig) rig;
	VpnrStream *stream = client_with_stream(&rig);

	g_assert_null(rig_deliver_window(&rig, stream->id, 1500));
	g_assert_cmpuint(vpnr_send_credit_left(&stream->send), ==, 1500);
	g_assert_null(rig_deliver_window(&rig, stream->id, 1200));
	g_assert_null(rig_deliver_window(&rig, stream->id, 0));
	g_assert_cmpuint(vpnr_send_credit_left(&stream->send), ==, 1500);
	rig_remove(&rig, stream);
}

static void
test_beyond_the_window(void)
{
	g_test_summary("2.7.4: the last byte of the window is allowed, the next is a violation.");

	g_auto(Rig) rig;
	VpnrStream *stream = client_with_stream(&rig);
	guint64 left = VPNR_WINDOW_MIN;

	for (; left > sizeof bytes; left -= sizeof bytes)
		g_assert_null(rig_deliver_data(&rig, stream->id, bytes, sizeof bytes));
	g_assert_cmpstr(rig_deliver_data(&rig, stream->id, bytes, left + 1), ==,
			"DATA beyond the window");
	g_assert_null(rig_deliver_data(&rig, stream->id, bytes, left));
	g_assert_cmpstr(rig_deliver_data(&rig, stream->id, bytes, 1), ==, "DATA beyond the window");
	rig_remove(&rig, stream);
}

static void
test_v1_end(void)
{
	g_test_summary("1.3.7: a second FAIL, and one behind a FIN, are none.");

	g_auto(Rig) rig;
	VpnrStream *one = NULL, *two = NULL;

	rig_init(&rig, VPNR_PROTOCOL_V1, VPNR_ROLE_SERVER, G_MAXUINT64);
	g_assert_cmpint(rig_accept(&rig, 1, &one), ==, VPNR_TABLE_OK);
	g_assert_null(rig_deliver_data(&rig, 1, bytes, 1));
	g_assert_null(rig_deliver(&rig, VPNR_FRAME_END, 1));
	g_assert_null(rig_deliver(&rig, VPNR_FRAME_END, 1));
	assert_inbox(one, "DATA END");
	g_assert_cmpint(rig_accept(&rig, 2, &two), ==, VPNR_TABLE_OK);
	g_assert_null(rig_deliver(&rig, VPNR_FRAME_FIN, 2));
	g_assert_null(rig_deliver(&rig, VPNR_FRAME_END, 2));
	assert_inbox(two, "FIN END");
	g_assert_cmpstr(rig_deliver_data(&rig, 2, bytes, 1), ==, "DATA after FIN");
	rig_remove(&rig, one);
	rig_remove(&rig, two);
}

typedef struct {
	Rig rig;
	VpnrStream *stream;
} Ending;

static void
end_worker(gpointer data)
{
	Ending *ending = data;

	rig_remove(&ending->rig, ending->stream);
}

/* A server that has sent FAIL, perhaps behind FIN, gets the peer's end in the moment in which its
 * worker ends. Returns what comes of the next stream with that id. */
static VpnrTableResult
end_together(gboolean fin_sent, VpnrFrameType end)
{
	Ending ending = { .stream = NULL };
	VpnrTableResult result;

	rig_init(&ending.rig, VPNR_PROTOCOL_V1, VPNR_ROLE_SERVER, G_MAXUINT64);
	g_assert_cmpint(rig_accept(&ending.rig, 1, &ending.stream), ==, VPNR_TABLE_OK);
	atomic_store(&ending.stream->fin_sent, fin_sent);
	atomic_store(&ending.stream->reset_sent, TRUE);
	after_unlock_data = &ending;
	after_unlock = end_worker;
	g_assert_null(rig_deliver(&ending.rig, end, 1));
	g_assert_null(after_unlock);
	result = rig_accept(&ending.rig, 1, &ending.stream);
	if (result == VPNR_TABLE_OK)
		rig_remove(&ending.rig, ending.stream);
	rig_clear(&ending.rig);
	return result;
}

static void
test_v1_end_while_the_worker_ends(void)
{
	g_test_summary("1.3.7: an end that comes in the moment in which the worker ends is the "
		       "last of the stream as well as any other, and the id may come again.");

	g_assert_cmpint(end_together(FALSE, VPNR_FRAME_END), ==, VPNR_TABLE_OK);
	g_assert_cmpint(end_together(TRUE, VPNR_FRAME_END), ==, VPNR_TABLE_OK);
	g_assert_cmpint(end_together(TRUE, VPNR_FRAME_FIN), ==, VPNR_TABLE_OK);
	g_assert_cmpint(end_together(FALSE, VPNR_FRAME_FIN), ==, VPNR_TABLE_DUPLICATE);
}

static void
test_v1_unknown(void)
{
	g_test_summary("1.3.8, 1.3.10: frames for streams that are not open are ignored.");

	g_auto(Rig) rig;

	rig_init(&rig, VPNR_PROTOCOL_V1, VPNR_ROLE_CLIENT, G_MAXUINT64);
	g_assert_null(rig_deliver(&rig, VPNR_FRAME_END, 1));
	g_assert_null(rig_deliver(&rig, VPNR_FRAME_FIN, 65535));
	g_assert_null(rig_deliver_data(&rig, 0, bytes, 500));
	g_assert_cmpuint(rig_stale(&rig), ==, 3);
}

/* A reader that delivers more to a stream of VPNr/1 than its bound. */
typedef struct {
	Rig *rig;
	guint32 id;
	guint n_frames; /* of 500 bytes */
	_Atomic gint tid;
	VpnrLatch *delivered;
	VpnrThread *thread;
} Reader;

static void
read_all(gpointer data)
{
	Reader *reader = data;

	atomic_store(&reader->tid, gettid());
	for (guint i = 0; i < reader->n_frames; i++)
		g_assert_null(rig_deliver_data(reader->rig, reader->id, bytes, 500));
	vpnr_latch_trip(reader->delivered);
}

/* Starts a reader and waits until it is held up. */
static Reader *
start_reader(Rig *rig, VpnrStream *stream)
{
	Reader *reader = g_new0(Reader, 1);

	reader->rig = rig;
	reader->id = stream->id;
	reader->n_frames = VPNR_V1_WINDOW / 500 + 1;
	reader->delivered = vpnr_latch_new(NULL);
	reader->thread = vpnr_thread_start("reader", read_all, reader, NULL);
	g_assert_nonnull(reader->thread);
	for (gint64 start = g_get_monotonic_time();
	     vpnr_mailbox_length(stream->inbox) < VPNR_V1_WINDOW / 500 ||
	     !thread_sleeps(atomic_load(&reader->tid));
	     patience(start))
		;
	g_assert_false(vpnr_latch_is_tripped(reader->delivered));
	return reader;
}

static void
join_reader(Reader *reader)
{
	vpnr_thread_join(reader->thread);
	g_assert_true(vpnr_latch_is_tripped(reader->delivered));
	vpnr_latch_free(reader->delivered);
	g_free(reader);
}

static VpnrStream *
v1_server_with_stream(Rig *rig)
{
	VpnrStream *stream = NULL;

	rig_init(rig, VPNR_PROTOCOL_V1, VPNR_ROLE_SERVER, G_MAXUINT64);
	g_assert_cmpint(rig_accept(rig, 1, &stream), ==, VPNR_TABLE_OK);
	return stream;
}

static void
test_v1_room(void)
{
	g_test_summary("1.1.3: the reader waits while the stream takes nothing; nothing is lost.");

	g_auto(Rig) rig;
	VpnrStream *stream = v1_server_with_stream(&rig);
	Reader *reader = start_reader(&rig, stream);
	guint n = reader->n_frames;
	guint64 limit = atomic_load(&stream->recv.limit);

	vpnr_table_give_credit(rig.table, stream, VPNR_V1_WINDOW / 2, TRUE, g_get_monotonic_time());
	g_assert_cmpuint(atomic_load(&stream->recv.limit), >, limit);
	join_reader(reader);
	g_assert_cmpuint(vpnr_mailbox_length(stream->inbox), ==, n);
	rig_remove(&rig, stream);
}

static void
test_v1_room_at_the_end(void)
{
	g_test_summary("A reader that waits goes on when the stream ends.");

	g_auto(Rig) rig;
	VpnrStream *stream = v1_server_with_stream(&rig);
	Reader *reader = start_reader(&rig, stream);

	rig_remove(&rig, stream);
	join_reader(reader);
}

static void
test_v1_room_at_the_close(void)
{
	g_test_summary("A reader that waits goes on when the link goes.");

	g_auto(Rig) rig;
	VpnrStream *stream = v1_server_with_stream(&rig);
	Reader *reader = start_reader(&rig, stream);

	vpnr_table_close(rig.table, VPNR_REASON_LINK_LOST);
	join_reader(reader);
	rig_remove(&rig, stream);
}

static void
test_v1_room_of_a_broken_socket(void)
{
	g_test_summary("A reader that waits goes on when the socket breaks, and does not wait "
		       "again; what finds no room is dropped.");

	g_auto(Rig) rig;
	VpnrStream *stream = v1_server_with_stream(&rig);
	Reader *reader = start_reader(&rig, stream);

	vpnr_table_set_broken(rig.table, stream);
	join_reader(reader);
	for (guint i = 0; i < 10; i++)
		g_assert_null(rig_deliver_data(&rig, 1, bytes, 500));
	g_assert_cmpuint(vpnr_mailbox_length(stream->inbox), ==, VPNR_V1_WINDOW / 500);
	g_assert_null(rig_deliver(&rig, VPNR_FRAME_FIN, 1));
	g_assert_cmpuint(vpnr_mailbox_length(stream->inbox), ==, VPNR_V1_WINDOW / 500 + 1);
	rig_remove(&rig, stream);
}

/* --- flows ------------------------------------------------------------------------------------ */

static guint64
dropped(const Rig *rig)
{
	return vpnr_stats_get(&rig->stats, VPNR_STAT_DATAGRAMS_DROPPED);
}

/* Does what a flow's thread does last. */
static void
remove_flow(Rig *rig, VpnrStream *stream)
{
	VpnrFrame *frame;

	vpnr_table_forget(rig->table, stream);
	while ((frame = vpnr_mailbox_try_pop(stream->inbox)) != NULL) {
		if (frame->type == VPNR_FRAME_DATAGRAM)
			vpnr_table_took_datagram(rig->table, stream, frame);
		else
			vpnr_frame_free(frame);
	}
	g_assert_cmpint(vpnr_room_used(&stream->inbound), ==, 0);
	rig_remove(rig, stream);
}

static void
test_flow(void)
{
	g_test_summary("2.6.16: a flow is over with FIN, and so later datagrams are dropped.");

	g_auto(Rig) rig;
	VpnrStream *stream;

	rig_init(&rig, VPNR_PROTOCOL_V2, VPNR_ROLE_SERVER, 0);
	stream = rig_accept_flow(&rig, 1);
	g_assert_null(rig_deliver_datagram(&rig, 1, bytes, VPNR_DATAGRAM_MAX));
	g_assert_null(rig_deliver_datagram(&rig, 1, bytes, 0));
	g_assert_null(rig_deliver(&rig, VPNR_FRAME_FIN, 1));
	g_assert_null(rig_deliver_datagram(&rig, 1, bytes, 1));
	g_assert_null(rig_deliver(&rig, VPNR_FRAME_FIN, 1));
	g_assert_cmpuint(rig_stale(&rig), ==, 2);
	g_assert_cmpuint(dropped(&rig), ==, 1);
	g_assert_cmpuint(vpnr_mailbox_length(stream->inbox), ==, 3);
	remove_flow(&rig, stream);
}

static void
test_flow_kinds(void)
{
	g_test_summary("2.6.12: each kind has its frames; on a stream that is over none matters.");

	g_auto(Rig) rig;
	VpnrStream *tcp, *udp;

	rig_init(&rig, VPNR_PROTOCOL_V2, VPNR_ROLE_SERVER, 0);
	g_assert_cmpint(rig_accept(&rig, 1, &tcp), ==, VPNR_TABLE_OK);
	udp = rig_accept_flow(&rig, 2);
	g_assert_nonnull(rig_deliver_datagram(&rig, 1, bytes, 1));
	g_assert_nonnull(rig_deliver_data(&rig, 2, bytes, 1));
	g_assert_nonnull(rig_deliver_window(&rig, 2, 1));
	rig_remove(&rig, tcp);
	remove_flow(&rig, udp);
	g_assert_null(rig_deliver_datagram(&rig, 1, bytes, 1));
	g_assert_null(rig_deliver_data(&rig, 2, bytes, 1));
}

static void
test_flow_never_opened(void)
{
	g_test_summary("2.6.15: no DATAGRAM comes before OPEN, and none before OPENED.");

	g_auto(Rig) server;
	g_auto(Rig) client;
	VpnrStream *stream;

	rig_init(&server, VPNR_PROTOCOL_V2, VPNR_ROLE_SERVER, 0);
	g_assert_nonnull(rig_deliver_datagram(&server, 1, bytes, 1));

	rig_init(&client, VPNR_PROTOCOL_V2, VPNR_ROLE_CLIENT, 0);
	stream = rig_open_flow(&client);
	g_assert_nonnull(rig_deliver_datagram(&client, stream->id, bytes, 1));
	g_assert_null(rig_deliver(&client, VPNR_FRAME_OPENED, stream->id));
	g_assert_null(rig_deliver_datagram(&client, stream->id, bytes, 1));
	remove_flow(&client, stream);
}

static void
test_flow_room(void)
{
	g_test_summary(
	    "2.6.13: more datagrams than there is room for are dropped, and no violation; "
	    "what a flow has left is given back with it.");

	g_auto(Rig) rig;
	VpnrStream *one, *two;

	rig_init(&rig, VPNR_PROTOCOL_V2, VPNR_ROLE_SERVER, 0);
	one = rig_accept_flow(&rig, 1);
	two = rig_accept_flow(&rig, 2);
	while (dropped(&rig) == 0)
		g_assert_null(rig_deliver_datagram(&rig, 1, bytes, 1200));
	g_assert_cmpint(vpnr_room_used(&one->inbound), >=, VPNR_ROOM_FLOW);
	g_assert_cmpint(vpnr_room_used(&one->inbound), <=, VPNR_ROOM_FLOW + 1200 + VPNR_ROOM_COST);
	g_assert_null(rig_deliver_datagram(&rig, 2, bytes, 1200));
	g_assert_cmpuint(vpnr_mailbox_length(two->inbox), ==, 1);
	remove_flow(&rig, one);
	remove_flow(&rig, two);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/deliver/in-order", test_in_order);
	g_test_add_func("/deliver/after-fin", test_after_fin);
	g_test_add_func("/deliver/before-opened", test_before_opened);
	g_test_add_func("/deliver/wrong-side", test_wrong_side);
	g_test_add_func("/deliver/never-opened", test_never_opened);
	g_test_add_func("/deliver/stale", test_stale);
	g_test_add_func("/deliver/reset", test_reset);
	g_test_add_func("/deliver/reset/over", test_reset_when_over);
	g_test_add_func("/deliver/window", test_window);
	g_test_add_func("/deliver/beyond-the-window", test_beyond_the_window);
	g_test_add_func("/deliver/flow", test_flow);
	g_test_add_func("/deliver/flow/kinds", test_flow_kinds);
	g_test_add_func("/deliver/flow/never-opened", test_flow_never_opened);
	g_test_add_func("/deliver/flow/room", test_flow_room);
	g_test_add_func("/deliver/v1/end", test_v1_end);
	g_test_add_func("/deliver/v1/end/worker-ends", test_v1_end_while_the_worker_ends);
	g_test_add_func("/deliver/v1/unknown", test_v1_unknown);
	g_test_add_func("/deliver/v1/room", test_v1_room);
	g_test_add_func("/deliver/v1/room/end", test_v1_room_at_the_end);
	g_test_add_func("/deliver/v1/room/close", test_v1_room_at_the_close);
	g_test_add_func("/deliver/v1/room/broken", test_v1_room_of_a_broken_socket);
	return g_test_run();
}
