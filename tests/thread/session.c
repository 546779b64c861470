/* SPDX-License-Identifier: MIT
 *
 * Goal: two sessions whose links are taken away at any moment, while many threads push on both
 * sides: all that was pushed comes, in the order of its pusher.
 */
#include "link/session.h"

#include <stdatomic.h>
#include <string.h>

#include "base/thread.h"
#include "tests/unit/link/meeting.h"
#include "tests/unit/patience.h"

#define N_PUSHERS  3
#define N_FRAMES   40000 /* of each */
#define MAX_QUEUED 50    /* frames that a pusher has waiting, as a worker's are bounded */
#define MAX_STAY   300   /* frames that a link carries at the most before it is taken away */

typedef struct Side Side;

typedef struct {
	Side *side;
	guint32 stream; /* from 1 */
	VpnrThread *thread;
	_Atomic guint n_released;
} Pusher;

struct Side {
	VpnrSession *session;
	VpnrStats stats;
	Pusher pushers[N_PUSHERS];
	/* reader thread */
	guint32 next[N_PUSHERS]; /* of the other side's pushers: the number that comes now */
	/* atomic */
	_Atomic guint n_got;
};

/* A frame that says which it is. Most are small; every tenth goes by another queue of the schedule,
 * so it may overtake, and counts no more than that it comes. */
static VpnrFrame *
make_frame(guint32 stream, guint32 number)
{
	VpnrFrame *frame;

	if (number % 10 == 9)
		return vpnr_frame_new_window(stream, number);
	frame = vpnr_frame_new(VPNR_FRAME_DATA, stream, sizeof number + number % 1000);
	memset(frame->data, (int)stream, frame->size);
	memcpy(frame->data, &number, sizeof number);
	return frame;
}

static const char *
on_frame(gpointer data, VpnrFrame *frame)
{
	Side *side = data;
	guint32 *next = &side->next[frame->stream - 1];
	guint32 number;

	if (frame->type == VPNR_FRAME_DATA) {
		memcpy(&number, frame->data, sizeof number);
		*next += *next % 10 == 9;
		g_assert_cmpuint(number, ==, *next);
		g_assert_cmpuint(frame->size, ==, sizeof number + number % 1000);
		(*next)++;
	}
	vpnr_frame_free(frame);
	atomic_fetch_add(&side->n_got, 1);
	return NULL;
}

static void
on_released(gpointer data, const VpnrFrame *frame)
{
	Side *side = data;

	atomic_fetch_add(&side->pushers[frame->stream - 1].n_released, 1);
}

static const VpnrSessionHandler handler = { .frame = on_frame, .released = on_released };

static void
push_all(gpointer data)
{
	Pusher *pusher = data;
	VpnrMailbox *outbox = vpnr_session_outbox(pusher->side->session);

	for (guint32 i = 0; i < N_FRAMES; i++) {
		for (gint64 start = g_get_monotonic_time();
		     i - atomic_load(&pusher->n_released) >= MAX_QUEUED; patience(start))
			;
		vpnr_mailbox_push(outbox, make_frame(pusher->stream, i));
	}
}

static void
side_start(Side *side, VpnrRole role)
{
	memset(side, 0, sizeof *side);
	side->session = vpnr_session_new(&(VpnrSessionParams){ .protocol = VPNR_PROTOCOL_V2,
							       .role = role,
							       .handler = &handler,
							       .data = side,
							       .stats = &side->stats },
					 NULL);
	g_assert_nonnull(side->session);
	for (guint i = 0; i < N_PUSHERS; i++) {
		Pusher *pusher = &side->pushers[i];

		pusher->side = side;
		pusher->stream = i + 1;
		pusher->thread = vpnr_thread_start("pusher", push_all, pusher, NULL);
		g_assert_nonnull(pusher->thread);
	}
}

static void
side_finish(Side *side)
{
	for (guint i = 0; i < N_PUSHERS; i++)
		vpnr_thread_join(side->pushers[i].thread);
	vpnr_session_free(side->session);
	g_assert_cmpuint(atomic_load(&side->n_got), ==, N_PUSHERS * N_FRAMES);
	g_assert_cmpuint(vpnr_stats_get(&side->stats, VPNR_STAT_VIOLATIONS), ==, 0);
}

static guint
n_got(Side sides[static 2])
{
	return atomic_load(&sides[0].n_got) + atomic_load(&sides[1].n_got);
}

/* One link, which is taken away from one side and then the other when it has carried so many
 * frames, or all that there are. */
static void
use_link(Side sides[static 2], guint stay, guint first)
{
	Meeting meeting = { .client = sides[0].session, .server = sides[1].session };
	guint end = MIN(n_got(sides) + stay, 2 * N_PUSHERS * N_FRAMES);

	meeting_connect(&meeting);
	g_assert_cmpint(meeting_hold(&meeting), ==, MEETING_HELD);
	for (gint64 start = g_get_monotonic_time(); n_got(sides) < end; patience(start))
		;
	vpnr_session_detach(sides[first].session);
	vpnr_session_detach(sides[1 - first].session);
}

static void
test_links_come_and_go(void)
{
	Side sides[2];
	guint n_links = 0;

	side_start(&sides[0], VPNR_ROLE_CLIENT);
	side_start(&sides[1], VPNR_ROLE_SERVER);
	for (; n_got(sides) < 2 * N_PUSHERS * N_FRAMES; n_links++)
		use_link(sides, (guint)g_test_rand_int_range(0, MAX_STAY),
			 (guint)g_test_rand_int_range(0, 2));
	g_test_message("%u links, %" G_GUINT64_FORMAT " frames sent again", n_links,
		       vpnr_stats_get(&sides[0].stats, VPNR_STAT_FRAMES_REPLAYED) +
			   vpnr_stats_get(&sides[1].stats, VPNR_STAT_FRAMES_REPLAYED));
	g_assert_cmpuint(vpnr_stats_get(&sides[0].stats, VPNR_STAT_FRAMES_REPLAYED), >, 0);
	side_finish(&sides[0]);
	side_finish(&sides[1]);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/thread/session/links-come-and-go", test_links_come_and_go);
	return g_test_run();
}
