/* SPDX-License-Identifier: MIT
 *
 * schedule: see schedule.h.
 */
#include "link/schedule.h"

/* What a frame costs beside its data: its header, and a share of the record that carries it. It
 * keeps a stream of one-byte frames from sending 64 Ki of them in a round. */
#define FRAME_COST 32

/* What a stream may send per round. One frame of the largest size, so that each visit of a stream
 * sends at least one frame and a round costs no more than the streams in it. */
#define QUANTUM (VPNR_DATA_MAX + FRAME_COST)

/* The queue of one stream that has something to send. */
typedef struct {
	guint32 stream;
	gsize deficit; /* bytes that it may still send in this round */
	GQueue frames;
	GList link; /* in active */
} Flow;

struct VpnrSchedule {
	gboolean in_order;
	GQueue control;
	GQueue active;     /* of Flow, the head has the turn */
	GHashTable *flows; /* stream id to Flow (owned) */
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
	g_queue_init(&schedule->control);
	g_queue_init(&schedule->active);
	g_queue_init(&schedule->dropped);
	schedule->flows = g_hash_table_new_full(NULL, NULL, NULL, flow_free);
	return schedule;
}

void
vpnr_schedule_free(VpnrSchedule *schedule)
{
	if (schedule == NULL)
		return;
	g_queue_clear_full(&schedule->control, (GDestroyNotify)vpnr_frame_free);
	g_queue_clear_full(&schedule->dropped, (GDestroyNotify)vpnr_frame_free);
	g_hash_table_unref(schedule->flows);
	g_free(schedule);
}

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
	flow->link.data = flow;
	g_hash_table_insert(schedule->flows, GUINT_TO_POINTER(stream), flow);
	g_queue_push_tail_link(&schedule->active, &flow->link);
	return flow;
}

static void
flow_end(VpnrSchedule *schedule, Flow *flow)
{
	g_queue_unlink(&schedule->active, &flow->link);
	g_hash_table_remove(schedule->flows, GUINT_TO_POINTER(flow->stream));
}

static void
flow_drop(VpnrSchedule *schedule, Flow *flow)
{
	while (!g_queue_is_empty(&flow->frames))
		g_queue_push_tail_link(&schedule->dropped, g_queue_pop_head_link(&flow->frames));
	flow_end(schedule, flow);
}

void
vpnr_schedule_push(VpnrSchedule *schedule, VpnrFrame *frame)
{
	Flow *flow = flow_find(schedule, frame->stream);

	if (!schedule->in_order &&
	    (frame->type == VPNR_FRAME_DATA || frame->type == VPNR_FRAME_FIN)) {
		if (flow == NULL)
			flow = flow_start(schedule, frame->stream);
		g_queue_push_tail(&flow->frames, frame);
		return;
	}
	if (frame->type == VPNR_FRAME_RESET && flow != NULL)
		flow_drop(schedule, flow);
	g_queue_push_tail(&schedule->control, frame);
}

static gsize
cost(const VpnrFrame *frame)
{
	return frame->size + FRAME_COST;
}

VpnrFrame *
vpnr_schedule_pop(VpnrSchedule *schedule)
{
	VpnrFrame *frame = g_queue_pop_head(&schedule->control);
	Flow *flow = g_queue_peek_head(&schedule->active);

	if (frame != NULL || flow == NULL)
		return frame;
	while (cost(g_queue_peek_head(&flow->frames)) > flow->deficit) {
		flow->deficit += QUANTUM;
		g_queue_unlink(&schedule->active, &flow->link);
		g_queue_push_tail_link(&schedule->active, &flow->link);
		flow = g_queue_peek_head(&schedule->active);
	}
	frame = g_queue_pop_head(&flow->frames);
	flow->deficit -= cost(frame);
	if (g_queue_is_empty(&flow->frames))
		flow_end(schedule, flow);
	return frame;
}

VpnrFrame *
vpnr_schedule_pop_dropped(VpnrSchedule *schedule)
{
	return g_queue_pop_head(&schedule->dropped);
}
