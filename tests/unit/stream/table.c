/* SPDX-License-Identifier: MIT
 *
 * table: which ids a stream may have, how many streams there may be, and how they go
 * (docs/protocol.md, 1.3, 2.6.1 and 2.9.1).
 */
#include "stream/table_private.h"

#include "base/thread.h"
#include "tests/unit/stream/rig.h"

static const VpnrProtocol v1_dialects[] = { VPNR_PROTOCOL_V1, VPNR_PROTOCOL_V1_RUST };

static VpnrTableResult
open_to(Rig *rig, const VpnrAddr *dest, VpnrStream **stream)
{
	return vpnr_table_open(rig->table, VPNR_KIND_TCP, dest, NULL, stream);
}

/* Opens a stream and ends it at once, as if both sides had sent FIN. */
static guint32
open_and_end(Rig *rig)
{
	VpnrStream *stream = rig_open(rig);
	guint32 id = stream->id;

	atomic_store(&stream->fin_sent, TRUE);
	atomic_store(&stream->ended, TRUE);
	rig_remove(rig, stream);
	return id;
}

static void
test_open(void)
{
	g_auto(Rig) rig;
	VpnrAddr dest = rig_dest();
	VpnrAddr peer = { .type = VPNR_ADDR_IPV4, .port = 9, .ip4 = { 10, 0, 0, 1 } };
	VpnrAddr unpacked;
	VpnrStream *stream = NULL;
	g_autoptr(VpnrFrame) open = NULL;

	rig_init(&rig, VPNR_PROTOCOL_V2, VPNR_ROLE_CLIENT, 5000);
	g_assert_cmpint(vpnr_table_open(rig.table, VPNR_KIND_TCP, &dest, &peer, &stream), ==,
			VPNR_TABLE_OK);
	open = rig_next(&rig);
	g_assert_cmpint(open->type, ==, VPNR_FRAME_OPEN);
	g_assert_cmpuint(open->stream, ==, stream->id);
	unpacked = vpnr_addr_unpack(open->open.dest);
	g_assert_true(vpnr_addr_equal(&unpacked, &dest));
	g_assert_cmpint(open->open.kind, ==, VPNR_KIND_TCP);
	unpacked = vpnr_addr_unpack(stream->peer);
	g_assert_true(vpnr_addr_equal(&unpacked, &peer));
	g_assert_cmpuint(vpnr_send_credit_left(&stream->send), ==, 5000);
	g_assert_cmpuint(vpnr_recv_credit_window(&stream->recv), ==, VPNR_WINDOW_MIN);
	g_assert_cmpuint(vpnr_stats_get(&rig.stats, VPNR_STAT_STREAMS_TOTAL), ==, 1);
	g_assert_cmpint(vpnr_table_protocol(rig.table), ==, VPNR_PROTOCOL_V2);
	g_assert_cmpint(vpnr_table_role(rig.table), ==, VPNR_ROLE_CLIENT);
	rig_remove(&rig, stream);
}

static void
test_far(void)
{
	g_test_summary("A stream has the path that the link has when it is opened.");

	g_auto(Rig) rig;
	VpnrStream *near, *far;

	rig_init(&rig, VPNR_PROTOCOL_V2, VPNR_ROLE_CLIENT, 5000);
	near = rig_open(&rig);
	vpnr_table_set_far(rig.table, TRUE);
	far = rig_open(&rig);
	g_assert_false(near->recv.is_far);
	g_assert_true(far->recv.is_far);
	rig_remove(&rig, near);
	rig_remove(&rig, far);
}

static void
test_frame_size(void)
{
	g_test_summary("Frames have the size of bulk until the link says another.");

	g_auto(Rig) rig;

	rig_init(&rig, VPNR_PROTOCOL_V2, VPNR_ROLE_CLIENT, 5000);
	g_assert_cmpuint(vpnr_table_frame_size(rig.table), ==, VPNR_DATA_BULK);
	vpnr_table_set_frame_size(rig.table, 16376);
	g_assert_cmpuint(vpnr_table_frame_size(rig.table), ==, 16376);
}

static void
test_ids_go_up(void)
{
	g_test_summary("2.6.1: every id is higher than all before, also when streams have ended.");

	g_auto(Rig) rig;
	guint32 last = 0;

	rig_init(&rig, VPNR_PROTOCOL_V2, VPNR_ROLE_CLIENT, 1);
	for (guint i = 0; i < 70000; i++) {
		guint32 id = open_and_end(&rig);

		g_assert_cmpuint(id, >, last);
		last = id;
	}
}

static void
test_max_streams(void)
{
	g_test_summary("2.9.1: above max-streams is refused; a stream that ends makes room.");

	g_auto(Rig) rig;
	VpnrAddr dest = rig_dest();
	VpnrStream *streams[3];
	VpnrStream *more = NULL;

	rig_init_full(&rig, &(VpnrTableParams){ .protocol = VPNR_PROTOCOL_V2, .max_streams = 3 });
	for (guint i = 0; i < 3; i++)
		streams[i] = rig_open(&rig);
	g_assert_cmpint(open_to(&rig, &dest, &more), ==, VPNR_TABLE_FULL);
	g_assert_cmpuint(vpnr_mailbox_length(rig.outbox), ==, 0);
	g_assert_cmpuint(vpnr_table_size(rig.table), ==, 3);
	rig_remove(&rig, streams[1]);
	streams[1] = rig_open(&rig);
	for (guint i = 0; i < 3; i++)
		rig_remove(&rig, streams[i]);
}

static void
test_accept(void)
{
	g_test_summary("2.6.1: an OPEN whose id is not above all earlier ones is a violation.");

	g_auto(Rig) rig;
	VpnrStream *one = NULL, *two = NULL, *none = NULL;

	rig_init(&rig, VPNR_PROTOCOL_V2, VPNR_ROLE_SERVER, 5000);
	g_assert_cmpint(rig_accept(&rig, 5, &one), ==, VPNR_TABLE_OK);
	g_assert_cmpuint(one->id, ==, 5);
	g_assert_cmpint(rig_accept(&rig, 5, &none), ==, VPNR_TABLE_VIOLATION);
	g_assert_cmpint(rig_accept(&rig, 4, &none), ==, VPNR_TABLE_VIOLATION);
	rig_remove(&rig, one);
	g_assert_cmpint(rig_accept(&rig, 5, &none), ==, VPNR_TABLE_VIOLATION);
	g_assert_cmpint(rig_accept(&rig, G_MAXUINT32, &two), ==, VPNR_TABLE_OK);
	g_assert_null(none);
	rig_remove(&rig, two);
}

static void
test_accept_full(void)
{
	g_test_summary("An OPEN above the limit uses its id up all the same.");

	g_auto(Rig) rig;
	VpnrStream *one = NULL, *none = NULL;

	rig_init_full(&rig, &(VpnrTableParams){ .protocol = VPNR_PROTOCOL_V2,
						.role = VPNR_ROLE_SERVER,
						.max_streams = 1 });
	g_assert_cmpint(rig_accept(&rig, 1, &one), ==, VPNR_TABLE_OK);
	g_assert_cmpint(rig_accept(&rig, 7, &none), ==, VPNR_TABLE_FULL);
	g_assert_cmpint(rig_accept(&rig, 7, &none), ==, VPNR_TABLE_VIOLATION);
	g_assert_null(rig_deliver(&rig, VPNR_FRAME_FIN, 7));
	g_assert_cmpuint(rig_stale(&rig), ==, 1);
	rig_remove(&rig, one);
}

static void
test_budget(void)
{
	g_test_summary("A table takes its queue from the budget, a stream what it needs; who finds "
		       "none is refused and counted.");

	VpnrBudget *budget =
	    vpnr_budget_new(VPNR_TABLE_QUEUE + VPNR_WINDOW_MIN + VPNR_STREAM_RESERVE);
	VpnrTableParams params = { .protocol = VPNR_PROTOCOL_V2,
				   .role = VPNR_ROLE_SERVER,
				   .max_streams = 10,
				   .budget = budget };
	VpnrStream *one = NULL, *none = NULL;
	g_autoptr(GError) error = NULL;
	Rig rig;

	rig_init_full(&rig, &params);
	g_assert_cmpuint(vpnr_budget_used(budget), ==, VPNR_TABLE_QUEUE);
	g_assert_null(vpnr_table_new(&params, &error));
	g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOMEM);
	g_assert_cmpint(rig_accept(&rig, 1, &one), ==, VPNR_TABLE_OK);
	g_assert_cmpint(rig_accept(&rig, 2, &none), ==, VPNR_TABLE_FULL);
	g_assert_cmpuint(vpnr_stats_get(&rig.stats, VPNR_STAT_BUDGET_REFUSED), ==, 1);
	rig_remove(&rig, one);
	g_assert_cmpint(rig_accept(&rig, 3, &one), ==, VPNR_TABLE_OK);
	rig_remove(&rig, one);
	rig_clear(&rig);
	vpnr_budget_free(budget); /* it asserts that all has been given back */
}

static void
test_flow_budget(void)
{
	g_test_summary("The first flow takes what the datagrams of all may need.");

	const guint64 each = VPNR_WINDOW_MIN + VPNR_STREAM_RESERVE;
	VpnrBudget *budget = vpnr_budget_new(VPNR_TABLE_QUEUE + 2 * VPNR_ROOM_ALL + 2 * each);
	VpnrTableParams params = {
		.protocol = VPNR_PROTOCOL_V2, .max_streams = 10, .datagrams = TRUE, .budget = budget
	};
	VpnrAddr dest = rig_dest();
	VpnrStream *one, *two, *none = NULL;
	Rig rig;

	rig_init_full(&rig, &params);
	g_assert_true(vpnr_budget_take(budget, 2 * each + 1));
	g_assert_cmpint(vpnr_table_open(rig.table, VPNR_KIND_UDP, &dest, NULL, &none), ==,
			VPNR_TABLE_FULL);
	g_assert_cmpuint(vpnr_stats_get(&rig.stats, VPNR_STAT_BUDGET_REFUSED), ==, 1);
	vpnr_budget_give(budget, 2 * each + 1);
	one = rig_open_flow(&rig);
	two = rig_open_flow(&rig);
	g_assert_cmpuint(vpnr_budget_used(budget), ==, vpnr_budget_total(budget));
	rig_remove(&rig, one);
	rig_remove(&rig, two);
	rig_clear(&rig);
	vpnr_budget_free(budget); /* it asserts that all has been given back */
}

static void
test_no_flows(void)
{
	g_test_summary("2.4.8: no flow where the peer does not know DATAGRAM, or with VPNr/1.");

	const VpnrProtocol protocols[] = { VPNR_PROTOCOL_V2, VPNR_PROTOCOL_V1 };
	VpnrAddr dest = rig_dest();
	g_autoptr(VpnrFrame) open = vpnr_frame_new_open(1, VPNR_KIND_UDP, &dest);
	VpnrStream *none = NULL;
	g_auto(Rig) server;

	for (guint i = 0; i < G_N_ELEMENTS(protocols); i++) {
		g_auto(Rig) client;

		rig_init_full(&client,
			      &(VpnrTableParams){ .protocol = protocols[i], .max_streams = 1 });
		g_assert_cmpint(vpnr_table_open(client.table, VPNR_KIND_UDP, &dest, NULL, &none),
				==, VPNR_TABLE_UNSUPPORTED);
	}
	rig_init_full(&server, &(VpnrTableParams){ .protocol = VPNR_PROTOCOL_V2,
						   .role = VPNR_ROLE_SERVER,
						   .max_streams = 1 });
	g_assert_cmpint(vpnr_table_accept(server.table, open, &none), ==, VPNR_TABLE_UNSUPPORTED);
	g_assert_null(rig_deliver_datagram(&server, 1, "x", 1)); /* it has crossed the refusal */
}

static void
test_flood(void)
{
	g_test_summary("A client that does not read its answers may not open without end.");

	g_auto(Rig) rig;
	VpnrStream *one = NULL, *two = NULL, *none = NULL;
	guint n = 0;

	rig_init_full(&rig, &(VpnrTableParams){ .protocol = VPNR_PROTOCOL_V2,
						.role = VPNR_ROLE_SERVER,
						.max_streams = 2 });
	g_assert_cmpint(rig_accept(&rig, 1, &one), ==, VPNR_TABLE_OK);
	for (; n < 2 * VPNR_CONTROL_PER_STREAM; n++)
		vpnr_table_push(rig.table, vpnr_frame_new_window(1, n));
	g_assert_cmpint(rig_accept(&rig, 2, &two), ==, VPNR_TABLE_OK);
	vpnr_table_push(rig.table, vpnr_frame_new_window(1, n++));
	g_assert_cmpint(rig_accept(&rig, 3, &none), ==, VPNR_TABLE_FLOOD);
	for (; n > 0; n--)
		rig_expect(&rig, VPNR_FRAME_WINDOW, 1);
	rig_remove(&rig, two);
	g_assert_cmpint(rig_accept(&rig, 3, &two), ==, VPNR_TABLE_OK);
	rig_remove(&rig, one);
	rig_remove(&rig, two);
}

static void
test_data_is_no_flood(void)
{
	g_test_summary("DATA counts against its stream, until it leaves the writer.");

	g_auto(Rig) rig;
	VpnrStream *one = NULL, *two = NULL;

	rig_init_full(&rig, &(VpnrTableParams){ .protocol = VPNR_PROTOCOL_V2,
						.role = VPNR_ROLE_SERVER,
						.max_streams = 2 });
	g_assert_cmpint(rig_accept(&rig, 1, &one), ==, VPNR_TABLE_OK);
	for (guint i = 0; i < 100; i++)
		g_assert_true(rig_push_data(&rig, one, 10));
	g_assert_cmpint(vpnr_share_queued(&one->share), ==, 100 * (10 + VPNR_STREAM_FRAME_COST));
	g_assert_cmpint(rig_accept(&rig, 2, &two), ==, VPNR_TABLE_OK);
	for (guint i = 0; i < 100; i++)
		rig_expect(&rig, VPNR_FRAME_DATA, 1);
	g_assert_cmpint(vpnr_share_queued(&one->share), ==, 0);
	rig_remove(&rig, one);
	rig_remove(&rig, two);
}

static void
test_data_of_ended_streams(void)
{
	g_test_summary("2.9.3: streams that end may not leave DATA behind without end.");

	g_auto(Rig) rig;
	VpnrStream *stream = NULL;
	guint32 id = 1;

	rig_init_full(&rig, &(VpnrTableParams){ .protocol = VPNR_PROTOCOL_V2,
						.role = VPNR_ROLE_SERVER,
						.max_streams = 2 });
	for (; rig_accept(&rig, id, &stream) == VPNR_TABLE_OK; id++) {
		while (rig_push_data(&rig, stream, VPNR_DATA_MAX))
			;
		rig_remove(&rig, stream);
	}
	g_assert_cmpint(atomic_load(&rig.table->queued.total), >,
			VPNR_TABLE_QUEUE + 2 * VPNR_STREAM_RESERVE);
	g_assert_cmpint(atomic_load(&rig.table->queued.total), <=,
			VPNR_TABLE_QUEUE + 3 * VPNR_STREAM_RESERVE);
	g_assert_cmpint(rig_accept(&rig, ++id, &stream), ==, VPNR_TABLE_FULL);
	while (vpnr_mailbox_length(rig.outbox) > 0)
		vpnr_frame_free(rig_next(&rig));
	g_assert_cmpint(rig_accept(&rig, ++id, &stream), ==, VPNR_TABLE_OK);
	rig_remove(&rig, stream);
}

static void
test_server_does_not_read(void)
{
	g_test_summary("Applications that come and go do not fill the memory of a client.");

	g_auto(Rig) rig;
	VpnrAddr dest = rig_dest();
	VpnrStream *stream;
	guint n = 0;

	rig_init_full(&rig, &(VpnrTableParams){ .protocol = VPNR_PROTOCOL_V2,
						.role = VPNR_ROLE_CLIENT,
						.max_streams = 2 });
	for (; open_to(&rig, &dest, &stream) == VPNR_TABLE_OK; n++)
		rig_remove(&rig, stream);
	g_assert_cmpuint(n, ==, 2 * VPNR_CONTROL_PER_STREAM + 1);
	vpnr_frame_free(rig_next(&rig));
	g_assert_cmpint(open_to(&rig, &dest, &stream), ==, VPNR_TABLE_OK);
	rig_remove(&rig, stream);
	while (vpnr_mailbox_length(rig.outbox) > 0)
		vpnr_frame_free(rig_next(&rig));
}

static void
test_released_after_the_end(void)
{
	g_test_summary("The writer may still hold frames of a stream that has ended.");

	g_auto(Rig) rig;
	VpnrStream *stream;
	guint32 id;

	rig_init(&rig, VPNR_PROTOCOL_V2, VPNR_ROLE_CLIENT, 1);
	stream = rig_open(&rig);
	id = stream->id;
	g_assert_true(rig_push_data(&rig, stream, 10));
	vpnr_table_push(rig.table, vpnr_frame_new(VPNR_FRAME_FIN, id, 0));
	rig_remove(&rig, stream);
	rig_expect(&rig, VPNR_FRAME_DATA, id);
	rig_expect(&rig, VPNR_FRAME_FIN, id);
}

static void
test_close(void)
{
	g_auto(Rig) rig;
	VpnrAddr dest = rig_dest();
	VpnrStream *one, *two, *none = NULL;

	rig_init(&rig, VPNR_PROTOCOL_V2, VPNR_ROLE_CLIENT, 1);
	one = rig_open(&rig);
	two = rig_open(&rig);
	g_assert_null(rig_deliver_reset(&rig, two->id, VPNR_REASON_REFUSED));
	vpnr_table_close(rig.table, VPNR_REASON_LINK_LOST);
	g_assert_cmpint(vpnr_stream_reset_reason(one), ==, VPNR_REASON_LINK_LOST);
	g_assert_cmpint(vpnr_stream_reset_reason(two), ==, VPNR_REASON_REFUSED);
	g_assert_cmpint(open_to(&rig, &dest, &none), ==, VPNR_TABLE_CLOSED);
	rig_remove(&rig, one);
	rig_remove(&rig, two);
	vpnr_table_wait_empty(rig.table);
}

typedef struct {
	Rig *rig;
	VpnrStream *streams[3];
} Removal;

static void
remove_all(gpointer data)
{
	Removal *removal = data;

	for (guint i = 0; i < G_N_ELEMENTS(removal->streams); i++)
		rig_remove(removal->rig, removal->streams[i]);
}

static void
test_wait_empty(void)
{
	g_auto(Rig) rig;
	Removal removal = { .rig = &rig };
	VpnrThread *thread;

	rig_init(&rig, VPNR_PROTOCOL_V2, VPNR_ROLE_CLIENT, 1);
	for (guint i = 0; i < G_N_ELEMENTS(removal.streams); i++)
		removal.streams[i] = rig_open(&rig);
	thread = vpnr_thread_start("remover", remove_all, &removal, NULL);
	g_assert_nonnull(thread);
	vpnr_table_wait_empty(rig.table);
	g_assert_cmpuint(vpnr_table_size(rig.table), ==, 0);
	vpnr_thread_join(thread);
}

static void
add_id(VpnrStream *stream, gpointer data)
{
	guint32 *sum = data;

	*sum += stream->id;
}

static void
test_foreach(void)
{
	g_auto(Rig) rig;
	VpnrStream *streams[3];
	guint32 sum = 0;

	rig_init(&rig, VPNR_PROTOCOL_V2, VPNR_ROLE_CLIENT, 1);
	vpnr_table_foreach(rig.table, add_id, &sum);
	g_assert_cmpuint(sum, ==, 0);
	for (guint i = 0; i < 3; i++)
		streams[i] = rig_open(&rig);
	vpnr_table_foreach(rig.table, add_id, &sum);
	g_assert_cmpuint(sum, ==, streams[0]->id + streams[1]->id + streams[2]->id);
	sum = 0;
	rig_remove(&rig, streams[1]);
	vpnr_table_foreach(rig.table, add_id, &sum);
	g_assert_cmpuint(sum, ==, streams[0]->id + streams[2]->id);
	rig_remove(&rig, streams[0]);
	rig_remove(&rig, streams[2]);
}

static void
test_in_bulk(void)
{
	g_auto(Rig) rig;

	rig_init(&rig, VPNR_PROTOCOL_V2, VPNR_ROLE_CLIENT, 1);
	g_assert_cmpuint(vpnr_table_in_bulk(rig.table), ==, 0);
	vpnr_table_count_bulk(rig.table, TRUE);
	vpnr_table_count_bulk(rig.table, TRUE);
	vpnr_table_count_bulk(rig.table, FALSE);
	g_assert_cmpuint(vpnr_table_in_bulk(rig.table), ==, 1);
}

static void
test_v1_destinations(void)
{
	g_test_summary("1.1.4: VPNr/1 carries IPv4 only.");

	VpnrAddr ip6 = { .type = VPNR_ADDR_IPV6, .port = 80, .ip6 = { 0x20, 1 } };
	VpnrAddr name = { .type = VPNR_ADDR_NAME, .port = 80, .name = "example.org" };
	VpnrStream *none = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(v1_dialects); i++) {
		g_auto(Rig) rig;

		rig_init(&rig, v1_dialects[i], VPNR_ROLE_CLIENT, G_MAXUINT64);
		g_assert_cmpint(open_to(&rig, &ip6, &none), ==, VPNR_TABLE_UNSUPPORTED);
		g_assert_cmpint(open_to(&rig, &name, &none), ==, VPNR_TABLE_UNSUPPORTED);
		rig_remove(&rig, rig_open(&rig));
	}
}

static void
test_v1_ids_go_round(void)
{
	g_test_summary("1.3.9: ids go up and round, and leave out those that are in use.");

	g_auto(Rig) rig;
	VpnrStream *open;

	rig_init(&rig, VPNR_PROTOCOL_V1, VPNR_ROLE_CLIENT, G_MAXUINT64);
	g_assert_cmpuint(open_and_end(&rig), ==, 1);
	open = rig_open(&rig);
	g_assert_cmpuint(open->id, ==, 2);
	for (guint32 id = 3; id <= 65535; id++)
		g_assert_cmpuint(open_and_end(&rig), ==, id);
	g_assert_cmpuint(open_and_end(&rig), ==, 1);
	g_assert_cmpuint(open_and_end(&rig), ==, 3);
	rig_remove(&rig, open);
}

static void
test_v1_client_waits_for_the_end(void)
{
	g_test_summary("1.3.9: an id that only we have ended is not given out until the server's "
		       "FAIL has come.");

	g_auto(Rig) rig;
	VpnrAddr dest = rig_dest();
	VpnrStream *stream = NULL;

	rig_init(&rig, VPNR_PROTOCOL_V1, VPNR_ROLE_CLIENT, G_MAXUINT64);
	for (guint i = 0; i < 65535; i++)
		rig_remove(&rig, rig_open(&rig));
	g_assert_cmpint(open_to(&rig, &dest, &stream), ==, VPNR_TABLE_FULL);
	g_assert_null(rig_deliver_data(&rig, 77, "late", 4));
	g_assert_cmpint(open_to(&rig, &dest, &stream), ==, VPNR_TABLE_FULL);
	g_assert_null(rig_deliver(&rig, VPNR_FRAME_END, 77));
	stream = rig_open(&rig);
	g_assert_cmpuint(stream->id, ==, 77);
	rig_remove(&rig, stream);
}

static void
test_v1_client_waits_behind_fin(void)
{
	g_test_summary("1.3.7: the server's FIN before our FAIL does not end the stream: its "
		       "FAIL is still to come.");

	g_auto(Rig) rig;
	VpnrAddr dest = rig_dest();
	VpnrStream *stream = NULL;

	rig_init(&rig, VPNR_PROTOCOL_V1, VPNR_ROLE_CLIENT, G_MAXUINT64);
	for (guint i = 0; i < 65535; i++) {
		stream = rig_open(&rig);
		g_assert_null(rig_deliver(&rig, VPNR_FRAME_FIN, stream->id));
		atomic_store(&stream->reset_sent, TRUE);
		rig_remove(&rig, stream);
	}
	g_assert_cmpint(open_to(&rig, &dest, &stream), ==, VPNR_TABLE_FULL);
	g_assert_null(rig_deliver(&rig, VPNR_FRAME_END, 77));
	stream = rig_open(&rig);
	g_assert_cmpuint(stream->id, ==, 77);
	rig_remove(&rig, stream);
}

static void
test_v1_repeated_destination(void)
{
	g_test_summary("1.3.3: the destination in later frames of a stream is no news.");

	g_auto(Rig) rig;
	VpnrStream *stream = NULL, *none = NULL;

	rig_init(&rig, VPNR_PROTOCOL_V1, VPNR_ROLE_SERVER, G_MAXUINT64);
	g_assert_cmpint(rig_accept(&rig, 0, &stream), ==, VPNR_TABLE_OK);
	g_assert_cmpint(rig_accept(&rig, 0, &none), ==, VPNR_TABLE_DUPLICATE);
	g_assert_null(rig_deliver(&rig, VPNR_FRAME_FIN, 0));
	g_assert_cmpint(rig_accept(&rig, 0, &none), ==, VPNR_TABLE_DUPLICATE);
	g_assert_null(none);
	rig_remove(&rig, stream);
}

static void
test_v1_reuse(void)
{
	g_test_summary("An id may come again when FIN has gone both ways, even before our worker "
		       "has gone.");

	g_auto(Rig) rig;
	VpnrStream *old = NULL, *new = NULL;

	rig_init(&rig, VPNR_PROTOCOL_V1, VPNR_ROLE_SERVER, G_MAXUINT64);
	g_assert_cmpint(rig_accept(&rig, 9, &old), ==, VPNR_TABLE_OK);
	g_assert_null(rig_deliver(&rig, VPNR_FRAME_FIN, 9));
	atomic_store(&old->fin_sent, TRUE);
	g_assert_cmpint(rig_accept(&rig, 9, &new), ==, VPNR_TABLE_OK);
	g_assert_true(new != old);
	g_assert_null(rig_deliver_data(&rig, 9, "new", 3));
	g_assert_cmpuint(vpnr_mailbox_length(new->inbox), ==, 1);
	rig_remove(&rig, old);
	g_assert_null(rig_deliver_data(&rig, 9, "new", 3));
	g_assert_cmpuint(vpnr_mailbox_length(new->inbox), ==, 2);
	g_assert_cmpuint(rig_stale(&rig), ==, 0);
	rig_remove(&rig, new);
}

static void
test_v1_retired(void)
{
	g_test_summary("1.3.7: after our FAIL the stream's frames are dropped, up to and including "
		       "the peer's FAIL.");

	g_auto(Rig) rig;
	VpnrStream *stream = NULL;

	rig_init(&rig, VPNR_PROTOCOL_V1, VPNR_ROLE_SERVER, G_MAXUINT64);
	g_assert_cmpint(rig_accept(&rig, 9, &stream), ==, VPNR_TABLE_OK);
	rig_remove(&rig, stream);
	g_assert_cmpint(rig_accept(&rig, 9, &stream), ==, VPNR_TABLE_DUPLICATE);
	g_assert_null(rig_deliver_data(&rig, 9, "late", 4));
	g_assert_null(rig_deliver(&rig, VPNR_FRAME_FIN, 9));
	g_assert_cmpint(rig_accept(&rig, 9, &stream), ==, VPNR_TABLE_DUPLICATE);
	g_assert_null(rig_deliver(&rig, VPNR_FRAME_END, 9));
	g_assert_cmpuint(rig_stale(&rig), ==, 3);
	g_assert_cmpint(rig_accept(&rig, 9, &stream), ==, VPNR_TABLE_OK);
	rig_remove(&rig, stream);
}

static void
test_v1_retired_behind_fin(void)
{
	g_test_summary("1.3.7: the same after our FIN and FAIL, but the peer's FIN is enough: it "
		       "has crossed our FAIL, which the peer does not answer.");

	const VpnrFrameType ends[] = { VPNR_FRAME_FIN, VPNR_FRAME_END };
	g_auto(Rig) rig;
	VpnrStream *stream = NULL;

	rig_init(&rig, VPNR_PROTOCOL_V1, VPNR_ROLE_SERVER, G_MAXUINT64);
	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
		g_assert_cmpint(rig_accept(&rig, 9, &stream), ==, VPNR_TABLE_OK);
		atomic_store(&stream->fin_sent, TRUE);
		atomic_store(&stream->reset_sent, TRUE);
		rig_remove(&rig, stream);
		g_assert_null(rig_deliver_data(&rig, 9, "late", 4));
		g_assert_cmpint(rig_accept(&rig, 9, &stream), ==, VPNR_TABLE_DUPLICATE);
		g_assert_null(rig_deliver(&rig, ends[i], 9));
	}
	g_assert_cmpint(rig_accept(&rig, 9, &stream), ==, VPNR_TABLE_OK);
	rig_remove(&rig, stream);
}

static void
test_rust_retired(void)
{
	g_test_summary("1.4.7: a server remembers the last 4096 ids that it has ended.");

	g_auto(Rig) rig;
	VpnrStream *stream = NULL;

	rig_init(&rig, VPNR_PROTOCOL_V1_RUST, VPNR_ROLE_SERVER, G_MAXUINT64);
	for (guint32 id = 1; id <= 4097; id++) {
		g_assert_cmpint(rig_accept(&rig, id, &stream), ==, VPNR_TABLE_OK);
		rig_remove(&rig, stream);
	}
	g_assert_cmpint(rig_accept(&rig, 2, &stream), ==, VPNR_TABLE_DUPLICATE);
	g_assert_cmpint(rig_accept(&rig, 4097, &stream), ==, VPNR_TABLE_DUPLICATE);
	g_assert_cmpint(rig_accept(&rig, 1, &stream), ==, VPNR_TABLE_OK);
	rig_remove(&rig, stream);
}

static void
test_v1_full(void)
{
	g_test_summary("A stream above the limit is refused once; its later frames are no news.");

	g_auto(Rig) rig;
	VpnrStream *one = NULL, *none = NULL;

	rig_init_full(&rig, &(VpnrTableParams){ .protocol = VPNR_PROTOCOL_V1,
						.role = VPNR_ROLE_SERVER,
						.max_streams = 1 });
	g_assert_cmpint(rig_accept(&rig, 1, &one), ==, VPNR_TABLE_OK);
	g_assert_cmpint(rig_accept(&rig, 2, &none), ==, VPNR_TABLE_FULL);
	g_assert_cmpint(rig_accept(&rig, 2, &none), ==, VPNR_TABLE_DUPLICATE);
	rig_remove(&rig, one);
	g_assert_cmpint(rig_accept(&rig, 2, &none), ==, VPNR_TABLE_DUPLICATE);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/table/open", test_open);
	g_test_add_func("/table/open/far", test_far);
	g_test_add_func("/table/frame-size", test_frame_size);
	g_test_add_func("/table/ids-go-up", test_ids_go_up);
	g_test_add_func("/table/max-streams", test_max_streams);
	g_test_add_func("/table/flow/budget", test_flow_budget);
	g_test_add_func("/table/flow/none", test_no_flows);
	g_test_add_func("/table/accept", test_accept);
	g_test_add_func("/table/accept/full", test_accept_full);
	g_test_add_func("/table/budget", test_budget);
	g_test_add_func("/table/flood", test_flood);
	g_test_add_func("/table/flood/data", test_data_is_no_flood);
	g_test_add_func("/table/flood/data-of-ended-streams", test_data_of_ended_streams);
	g_test_add_func("/table/flood/server-does-not-read", test_server_does_not_read);
	g_test_add_func("/table/released-after-the-end", test_released_after_the_end);
	g_test_add_func("/table/close", test_close);
	g_test_add_func("/table/wait-empty", test_wait_empty);
	g_test_add_func("/table/foreach", test_foreach);
	g_test_add_func("/table/in-bulk", test_in_bulk);
	g_test_add_func("/table/v1/destinations", test_v1_destinations);
	g_test_add_func("/table/v1/ids-go-round", test_v1_ids_go_round);
	g_test_add_func("/table/v1/client-waits", test_v1_client_waits_for_the_end);
	g_test_add_func("/table/v1/client-waits/behind-fin", test_v1_client_waits_behind_fin);
	g_test_add_func("/table/v1/repeated-destination", test_v1_repeated_destination);
	g_test_add_func("/table/v1/reuse", test_v1_reuse);
	g_test_add_func("/table/v1/retired", test_v1_retired);
	g_test_add_func("/table/v1/retired/behind-fin", test_v1_retired_behind_fin);
	g_test_add_func("/table/v1/full", test_v1_full);
	g_test_add_func("/table/rust/retired", test_rust_retired);
	return g_test_run();
}
