/* SPDX-License-Identifier: MIT
 *
 * share: what one stream may queue, what is left for the next, and that who waits is woken.
 */
#include "stream/share.h"

#include "base/thread.h"

#define FRAME 65528
#define COST  VPNR_STREAM_FRAME_COST

static guint
fill(VpnrShare *share, VpnrQueued *all, gsize n)
{
	guint frames = 0;

	while (vpnr_share_take(share, all, n) > 0)
		frames++;
	return frames;
}

static void
test_alone(void)
{
	g_test_summary("One stream alone gets its whole queue, and one frame over it.");

	VpnrQueued all = { 0 };
	VpnrShare share = { 0 };

	g_assert_cmpuint(fill(&share, &all, FRAME), ==, 4);
	g_assert_cmpint(vpnr_share_queued(&share), ==, 4 * (FRAME + COST));
	g_assert_cmpint(atomic_load(&all.total), ==, 4 * (FRAME + COST));
	g_assert_false(vpnr_share_sent(&share, &all, FRAME));
	g_assert_false(vpnr_share_sent(&share, &all, FRAME));
	g_assert_true(vpnr_share_sent(&share, &all, FRAME)); /* less than half is left */
	g_assert_cmpuint(fill(&share, &all, FRAME), ==, 3);
}

/* Frames that fit, after a wait for room of so many us; then there are none. */
static guint
fill_after(VpnrShare *share, VpnrQueued *all, gint64 us)
{
	guint frames;

	vpnr_share_waited(share, us);
	frames = fill(share, all, FRAME);
	for (guint i = 0; i < frames; i++)
		vpnr_share_sent(share, all, FRAME);
	return frames;
}

static void
test_depth(void)
{
	g_test_summary("A queue is deeper the sooner it is gone, but never takes all there is.");

	const gint64 few = VPNR_SHARE_WAIT_US / 2 - 1, many = VPNR_SHARE_WAIT_US + 1;
	VpnrQueued all = { 0 };
	VpnrShare share = { 0 };

	g_assert_cmpuint(fill_after(&share, &all, many), ==, 4);
	g_assert_cmpuint(fill_after(&share, &all, few), ==, 8);
	g_assert_cmpuint(fill_after(&share, &all, few), ==, 16);
	g_assert_cmpuint(fill_after(&share, &all, few + 1), ==, 16);
	g_assert_cmpuint(fill_after(&share, &all, many - 1), ==, 16);
	g_assert_cmpuint(fill_after(&share, &all, few), ==, 22); /* a third */
	g_assert_cmpuint(fill_after(&share, &all, few), ==, 22);
	g_assert_cmpuint(fill_after(&share, &all, many), ==, 16);
	g_assert_cmpuint(fill_after(&share, &all, G_MAXINT64), ==, 8);
	g_assert_cmpuint(fill_after(&share, &all, many), ==, 4);
	g_assert_cmpuint(fill_after(&share, &all, few), ==, 8);
	g_assert_cmpint(atomic_load(&all.total), ==, 0);
}

static void
test_depth_of_many(void)
{
	g_test_summary("Deep queues leave room for whole frames of those who come later, too.");

	VpnrQueued all = { 0 };
	VpnrShare shares[4] = { 0 };
	VpnrShare newcomer = { 0 };

	for (guint i = 0; i < G_N_ELEMENTS(shares); i++) {
		for (int n = 0; n < 10; n++)
			vpnr_share_waited(&shares[i], 0);
		g_assert_cmpuint(fill(&shares[i], &all, FRAME), >, 4);
	}
	g_assert_cmpuint(fill(&newcomer, &all, FRAME), >=, 4);
	g_assert_cmpint(atomic_load(&all.total), <=, VPNR_TABLE_QUEUE);
}

static void
test_small_frames(void)
{
	g_test_summary("Frames of one byte count what they cost.");

	VpnrQueued all = { 0 };
	VpnrShare share = { 0 };

	g_assert_cmpuint(fill(&share, &all, 1), ==, VPNR_STREAM_QUEUE / (1 + COST) + 1);
}

static void
test_lower(void)
{
	VpnrQueued all = { 0 };
	VpnrShare share = { 0 };

	g_assert_cmpuint(vpnr_share_take(&share, &all, 5000), ==, 5000);
	vpnr_share_lower(&share, &all, 4990);
	g_assert_cmpint(vpnr_share_queued(&share), ==, 10 + COST);
	g_assert_false(vpnr_share_sent(&share, &all, 10));
	g_assert_cmpint(vpnr_share_queued(&share), ==, 0);
	g_assert_cmpint(atomic_load(&all.total), ==, 0);
}

static void
test_many(void)
{
	g_test_summary(
	    "However many streams fill it, the sum keeps its bound, and each can queue a "
	    "small frame.");

	enum { N = 2000 };
	VpnrQueued all = { 0 };
	g_autofree VpnrShare *shares = g_new0(VpnrShare, N);
	gint64 sum = 0;

	for (guint i = 0; i < N; i++)
		g_assert_cmpuint(fill(&shares[i], &all, FRAME), >=, 1);
	for (guint i = 0; i < N; i++)
		sum += vpnr_share_queued(&shares[i]);
	g_assert_cmpint(sum, ==, atomic_load(&all.total));
	g_assert_cmpint(sum, <=,
			VPNR_TABLE_QUEUE +
			    (gint64)N * (VPNR_STREAM_SMALL + VPNR_STREAM_FRAME_COST));
	g_assert_cmpint(vpnr_share_queued(&shares[N - 1]), ==, VPNR_STREAM_SMALL + COST);
}

static void
test_newcomer(void)
{
	g_test_summary("Those who came first leave room for whole frames of those who come later.");

	VpnrQueued all = { 0 };
	VpnrShare shares[12] = { 0 };
	VpnrShare newcomer = { 0 };

	for (guint i = 0; i < G_N_ELEMENTS(shares); i++)
		fill(&shares[i], &all, FRAME);
	g_assert_cmpuint(vpnr_share_take(&newcomer, &all, FRAME), ==, FRAME);
}

static void
test_wake(void)
{
	g_test_summary("Who found no room is told when it has some, once, and nobody else.");

	VpnrQueued all = { 0 };
	VpnrShare share = { 0 }, other = { 0 };

	g_assert_cmpuint(vpnr_share_take(&other, &all, FRAME), ==, FRAME);
	g_assert_cmpuint(fill(&share, &all, 100000), ==, 3);
	g_assert_false(vpnr_share_sent(&other, &all, FRAME));
	g_assert_false(vpnr_share_sent(&share, &all, 100000));
	g_assert_true(vpnr_share_sent(&share, &all, 100000)); /* less than half is left */
	g_assert_false(vpnr_share_sent(&share, &all, 100000));
	g_assert_cmpuint(fill(&share, &all, 100000), ==, 3);
}

static void
test_try(void)
{
	g_test_summary("A frame that need not be takes room like others, but nobody is told.");

	VpnrQueued all = { 0 };
	VpnrShare share = { 0 };

	g_assert_cmpuint(vpnr_share_try_take(&share, &all, VPNR_STREAM_QUEUE), ==,
			 VPNR_STREAM_QUEUE);
	g_assert_cmpuint(vpnr_share_try_take(&share, &all, FRAME), ==, 0);
	g_assert_cmpint(vpnr_share_queued(&share), ==, VPNR_STREAM_QUEUE + COST);
	g_assert_false(vpnr_share_sent(&share, &all, VPNR_STREAM_QUEUE));
	g_assert_cmpint(atomic_load(&all.total), ==, 0);
}

static void
test_empty(void)
{
	g_test_summary(
	    "Who waits until nothing is queued is told at the last frame at the latest.");

	VpnrQueued all = { 0 };
	VpnrShare share = { 0 };

	g_assert_true(vpnr_share_is_empty(&share));
	g_assert_cmpuint(vpnr_share_take(&share, &all, 10), ==, 10);
	g_assert_false(vpnr_share_is_empty(&share));
	g_assert_true(vpnr_share_sent(&share, &all, 10));
	g_assert_true(vpnr_share_is_empty(&share));
}

static void
test_empty_in_a_full_queue(void)
{
	g_test_summary("The last frame of a stream wakes it although others fill the queue.");

	VpnrQueued all = { .total = 2 * VPNR_TABLE_QUEUE };
	VpnrShare share = { 0 };

	g_assert_cmpuint(vpnr_share_take(&share, &all, FRAME), ==, VPNR_STREAM_SMALL);
	g_assert_cmpuint(vpnr_share_take(&share, &all, FRAME), ==, 0);
	g_assert_true(vpnr_share_sent(&share, &all, VPNR_STREAM_SMALL));
	g_assert_cmpuint(vpnr_share_take(&share, &all, FRAME), ==, VPNR_STREAM_SMALL);
	vpnr_share_sent_late(&all, VPNR_STREAM_SMALL);
	g_assert_cmpint(atomic_load(&all.total), ==, 2 * VPNR_TABLE_QUEUE);
}

/* A worker and a writer that race: the worker sleeps when it finds no room, and only a wake gets it
 * on. */
typedef struct {
	VpnrQueued all;
	VpnrShare share;
	VpnrMailbox *inbox, *outbox;
} Race;

#define N_RACED 20000

static void
write_all(gpointer data)
{
	Race *race = data;

	for (guint i = 0; i < N_RACED;) {
		if (vpnr_mailbox_pop(race->outbox, -1) == NULL)
			continue;
		i++;
		if (vpnr_share_sent(&race->share, &race->all, 1000))
			vpnr_mailbox_wake(race->inbox);
	}
}

static void
test_race(void)
{
	g_test_summary("No wake-up is lost: one that is lets this test hang.");

	Race race = { .all.total = 2 * VPNR_TABLE_QUEUE,
		      .inbox = vpnr_mailbox_new(NULL, NULL),
		      .outbox = vpnr_mailbox_new(NULL, NULL) };
	VpnrThread *writer = vpnr_thread_start("writer", write_all, &race, NULL);

	for (guint i = 0; i < N_RACED;) {
		if (vpnr_share_take(&race.share, &race.all, 1000) > 0) {
			vpnr_mailbox_push(race.outbox, &race);
			i++;
			continue;
		}
		vpnr_mailbox_pop(race.inbox, -1);
	}
	vpnr_thread_join(writer);
	vpnr_mailbox_free(race.inbox);
	vpnr_mailbox_free(race.outbox);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/share/alone", test_alone);
	g_test_add_func("/share/depth", test_depth);
	g_test_add_func("/share/depth/many", test_depth_of_many);
	g_test_add_func("/share/small-frames", test_small_frames);
	g_test_add_func("/share/lower", test_lower);
	g_test_add_func("/share/many", test_many);
	g_test_add_func("/share/newcomer", test_newcomer);
	g_test_add_func("/share/wake", test_wake);
	g_test_add_func("/share/try", test_try);
	g_test_add_func("/share/empty", test_empty);
	g_test_add_func("/share/empty/full-queue", test_empty_in_a_full_queue);
	g_test_add_func("/share/race", test_race);
	return g_test_run();
}
