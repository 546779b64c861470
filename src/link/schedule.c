/* SPDX-License-Identifier: MIT
 *
 * schedule: see schedule.h.
 */
#include "link/schedule.h"

/* What a frame costs beside its data: its header, and a share of the record that carries it. It
 * keeps a stream of one-byte frames from sending 64 Ki of them in a round. */
#define FRAME_COST 32

/* What a stream may send per round. One frame of the largest size, so that a stream is passed over
 * at most once between two of its frames and a round costs no more than the streams in it. */
#define QUANTUM (VPNR_DATA_MAX + FRAME_COST)

/* How much of that may go ahead of its turn: a stream that needs less than half of its share never
 * waits for the round. A bulk transfer, whose frames have the largest size when they wait, does. */
#define AHEAD (QUANTUM / 2)

/* What all streams together may send ahead before one sends in its turn: as much as it sends then,
 * so that turns get half of the bytes, whatever comes. */
#define AHEAD_IN_A_ROW QUANTUM

/* The queue of one stream that has something to send, or had before its last turn. */
typedef struct {
	guint32 stream;
	gsize deficit;    /* bytes that it may still send in this round */
	gssize datagrams; /* bytes of them that wait, with their cost */
	GQueue frames;
	GList turn;  /* in turns, always */
	GList ahead; /* in fresh */
	gboolean is_fresh;
} Flow;

struct VpnrSchedule {
	gboolean in_order;
	GQueue link;
	GQueue control;    /* everything, if in_order */
	GQueue fresh;      /* of Flow with frames: what may go ahead of its turn */
	GQueue turns;      /* of Flow, the head has the turn */
	GHashTable *flows; /* stream id to Flow (owned) */
	gsize ahead;       /* bytes sent ahead that turns have not made up for */
	gssize datagrams;  /* bytes of them in all flows, with their cost */
	GQueue dropped;
};

static void
flow_free(gpointer data)
{
	Flow *flow = data;

	g_queue_clear_full(&flow->frames, (GDestroyNotify)vpnr_frame_free);
	g_free(flow);
}

VpnrSchedule *
vpnr_schedule_new(gboolean in_order)
{
	VpnrSchedule *schedule = g_new0(VpnrSchedule, 1);

	schedule->in_order = in_order;
	g_queue_init(&schedule->link);
	g_queue_init(&schedule->control);
	g_queue_init(&schedule->fresh);
	g_queue_init(&schedule->turns);
	g_queue_init(&schedule->dropped);
	schedule->flows = g_hash_table_new_full(NULL, NULL, NULL, flow_free);
	return schedule;
}

void
vpnr_schedule_free(VpnrSchedule *schedule)
{
	if (schedule == NULL)
		return;
	g_queue_clear_full(&schedule->link, (GDestroyNotify)vpnr_frame_free);
	g_queue_clear_full(&schedule->control, (GDestroyNotify)vpnr_frame_free);
	g_queue_clear_full(&schedule->dropped, (GDestroyNotify)vpnr_frame_free);
	g_hash_table_unref(schedule->flows);
	g_free(schedule);
}

/* --- one stream's queue ----------------------------------------------------------------------- */

static Flow *
flow_find(VpnrSchedule *schedule, guint32 stream)
{
	return g_hash_table_lookup(schedule->flows, GUINT_TO_POINTER(stream));
}

static Flow *
flow_start(VpnrSchedule *schedule, guint32 stream)
{
	Flow *flow = g_new0(Flow, 1);

	flow->stream = stream;
	flow->deficit = QUANTUM;
	g_queue_init(&flow->frames);
	flow->turn.data = flow;
	flow->ahead.data = flow;
	g_hash_table_insert(schedule->flows, GUINT_TO_POINTER(stream), flow);
	g_queue_push_tail_link(&schedule->turns, &flow->turn);
	return flow;
}

static void
flow_leave_fresh(VpnrSchedule *schedule, Flow *flow)
{
	if (flow->is_fresh)
		g_queue_unlink(&schedule->fresh, &flow->ahead);
	flow->is_fresh = FALSE;
}

/* What had nothing to send and now has: it may go ahead. */
static void
flow_push(VpnrSchedule *schedule, Flow *flow, VpnrFrame *frame)
{
	if (g_queue_is_empty(&flow->frames)) {
		flow->is_fresh = TRUE;
		g_queue_push_tail_link(&schedule->fresh, &flow->ahead);
	}
	g_queue_push_tail(&flow->frames, frame);
}

static gsize
cost(const VpnrFrame *frame)
{
	return frame->size + FRAME_COST;
}

static gssize
datagram_cost(const VpnrFrame *frame)
{
	return (gssize)frame->size + VPNR_SCHEDULE_COST;
}

static void
flow_count_datagram(VpnrSchedule *schedule, Flow *flow, gssize bytes)
{
	flow->datagrams += bytes;
	schedule->datagrams += bytes;
}

static VpnrFrame *
flow_take(VpnrSchedule *schedule, Flow *flow)
{
	VpnrFrame *frame = g_queue_pop_head(&flow->frames);

	if (frame->type == VPNR_FRAME_DATAGRAM)
		flow_count_datagram(schedule, flow, -datagram_cost(frame));
	if (g_queue_is_empty(&flow->frames))
		flow_leave_fresh(schedule, flow);
	return frame;
}

static VpnrFrame *
flow_pop(VpnrSchedule *schedule, Flow *flow)
{
	VpnrFrame *frame = flow_take(schedule, flow);

	flow->deficit -= cost(frame);
	return frame;
}

static void
flow_end_turn(VpnrSchedule *schedule, Flow *flow)
{
	g_queue_unlink(&schedule->turns, &flow->turn);
	g_queue_push_tail_link(&schedule->turns, &flow->turn);
}

static void
flow_end(VpnrSchedule *schedule, Flow *flow)
{
	flow_leave_fresh(schedule, flow);
	g_queue_unlink(&schedule->turns, &flow->turn);
	g_hash_table_remove(schedule->flows, GUINT_TO_POINTER(flow->stream));
}

static void
flow_drop_oldest(VpnrSchedule *schedule, Flow *flow)
{
	g_queue_push_tail(&schedule->dropped, flow_take(schedule, flow));
}

static void
flow_drop(VpnrSchedule *schedule, Flow *flow)
{
	while (!g_queue_is_empty(&flow->frames))
		flow_drop_oldest(schedule, flow);
	flow_end(schedule, flow);
}

/* --- in --------------------------------------------------------------------------------------- */

static Flow *
push_data(VpnrSchedule *schedule, VpnrFrame *frame)
{
	Flow *flow = flow_find(schedule, frame->stream);

	if (flow == NULL)
		flow = flow_start(schedule, frame->stream);
	flow_push(schedule, flow, frame);
	return flow;
}

/* The newest stays unless there is no room at all. */
static gboolean
has_too_many(const VpnrSchedule *schedule, const Flow *flow)
{
	gssize left = VPNR_SCHEDULE_DATAGRAMS - schedule->datagrams;

	if (flow->frames.length > VPNR_SCHEDULE_FLOW_DATAGRAMS || left < 0)
		return TRUE;
	return flow->frames.length > 1 && flow->datagrams > MIN(left / 4, VPNR_SCHEDULE_FLOW);
}

/* Nothing but datagrams waits in front of a datagram. */
static void
push_datagram(VpnrSchedule *schedule, VpnrFrame *frame)
{
	Flow *flow = push_data(schedule, frame);

	flow_count_datagram(schedule, flow, datagram_cost(frame));
	while (has_too_many(schedule, flow))
		flow_drop_oldest(schedule, flow);
}

/* RESET and PURGE: the stream is over. */
static void
push_end(VpnrSchedule *schedule, VpnrFrame *frame)
{
	Flow *flow = flow_find(schedule, frame->stream);

	if (frame->behind_data && flow != NULL && !g_queue_is_empty(&flow->frames)) {
		flow_push(schedule, flow, frame);
		return;
	}
	if (flow != NULL)
		flow_drop(schedule, flow);
	if (frame->type == VPNR_FRAME_PURGE)
		g_queue_push_tail(&schedule->dropped, frame);
	else
		g_queue_push_tail(&schedule->control, frame);
}

void
vpnr_schedule_push(VpnrSchedule *schedule, VpnrFrame *frame)
{
	if (schedule->in_order && frame->type == VPNR_FRAME_PURGE)
		g_queue_push_tail(&schedule->dropped, frame);
	else if (schedule->in_order)
		g_queue_push_tail(&schedule->control, frame);
	else if (frame->type == VPNR_FRAME_DATA || frame->type == VPNR_FRAME_FIN)
		push_data(schedule, frame);
	else if (frame->type == VPNR_FRAME_DATAGRAM)
		push_datagram(schedule, frame);
	else if (frame->type == VPNR_FRAME_RESET || frame->type == VPNR_FRAME_PURGE)
		push_end(schedule, frame);
	else if (vpnr_frame_is_sequenced(frame))
		g_queue_push_tail(&schedule->control, frame);
	else
		g_queue_push_tail(&schedule->link, frame);
}

void
vpnr_schedule_purge_link(VpnrSchedule *schedule)
{
	for (GList *node = schedule->link.head, *next; node != NULL; node = next) {
		const VpnrFrame *frame = node->data;

		next = node->next;
		if (frame->type == VPNR_FRAME_GOAWAY)
			continue;
		g_queue_unlink(&schedule->link, node);
		g_queue_push_tail_link(&schedule->dropped, node);
	}
}

/* --- out -------------------------------------------------------------------------------------- */

static VpnrFrame *
pop_ahead(VpnrSchedule *schedule)
{
	Flow *flow;

	if (schedule->ahead >= AHEAD_IN_A_ROW)
		return NULL;
	while ((flow = g_queue_peek_head(&schedule->fresh)) != NULL) {
		gsize bytes = cost(g_queue_peek_head(&flow->frames));

		if (bytes + QUANTUM - AHEAD <= flow->deficit) {
			schedule->ahead += bytes;
			return flow_pop(schedule, flow);
		}
		flow_leave_fresh(schedule, flow);
	}
	return NULL;
}

/* A flow that has sent all keeps its place in the round until its turn has come once more. If it
 * were forgotten at once, whoever sends a little again and again would always go ahead. */
static VpnrFrame *
pop_in_turn(VpnrSchedule *schedule)
{
	Flow *flow;

	while ((flow = g_queue_peek_head(&schedule->turns)) != NULL) {
		VpnrFrame *frame = g_queue_peek_head(&flow->frames);

		if (frame == NULL) {
			flow_end(schedule, flow);
		} else if (cost(frame) > flow->deficit) {
			flow->deficit += QUANTUM;
			flow_end_turn(schedule, flow);
		} else {
			schedule->ahead -= MIN(schedule->ahead, cost(frame));
			flow_pop(schedule, flow);
			if (g_queue_is_empty(&flow->frames)) {
				flow->deficit = QUANTUM;
				flow_end_turn(schedule, flow);
			}
			return frame;
		}
	}
	return NULL;
}

VpnrFrame *
vpnr_schedule_pop(VpnrSchedule *schedule)
{
	VpnrFrame *frame = g_queue_pop_head(&schedule->link);

	if (frame == NULL)
		frame = g_queue_pop_head(&schedule->control);
	if (frame == NULL)
		frame = pop_ahead(schedule);
	if (frame == NULL)
		frame = pop_in_turn(schedule);
	return frame;
}

VpnrFrame *
vpnr_schedule_pop_link(VpnrSchedule *schedule)
{
	return g_queue_pop_head(&schedule->link);
}

VpnrFrame *
vpnr_schedule_pop_dropped(VpnrSchedule *schedule)
{
	return g_queue_pop_head(&schedule->dropped);
}
