/* SPDX-License-Identifier: MIT
 *
 * growth: how large windows become, found by playing sender, link and receiver against the real
 * credits: a tick at a time, without threads and without a clock, so the same every time.
 *
 *	source > [queue] > [batch] > link, so many bytes a tick > delay > [outflow] > sink
 *	         < WINDOW                                                < delay <
 */
#include "stream/credit.h"

#include "proto/frame.h"
#include "stream/stream.h"

#define KIB   1024
#define BATCH (128 * KIB)

typedef struct {
	gsize rate;       /* bytes that the link carries per tick */
	guint delay;      /* ticks that each way takes */
	gsize source;     /* bytes that the source has per tick; 0: as much as is wanted */
	gsize piece;      /* of which the source writes so many at once; 0: no matter */
	gsize sink;       /* bytes that the reader takes per tick; 0: all */
	gsize sink_space; /* of the buffer between our socket and that reader */
	guint64 budget;   /* 0: none */
	guint lost;       /* ticks after which a packet is lost, again and again; 0: none is */
} Path;

/* Something under way: bytes of a frame, or a new limit. */
typedef struct {
	guint due;
	guint64 value;
} Parcel;

typedef struct {
	Path path;
	VpnrBudget *budget;
	VpnrSendCredit send;
	VpnrRecvCredit recv;
	guint now;
	gsize available; /* at the source */
	GQueue *queue;   /* of frame sizes */
	gsize queued;
	gsize batch;      /* bytes that the link still has to carry */
	GQueue batched;   /* of frame sizes */
	GQueue *data;     /* of Parcel, to the receiver */
	GQueue *windows;  /* of Parcel, to the sender */
	gsize outflow;    /* has come, and is not taken */
	gsize sink_fill;  /* of sink_space */
	gboolean blocked; /* poll() has not said yet that the sink takes something again */
	guint64 carried;
} Play;

static void
post(GQueue *queue, guint due, guint64 value)
{
	Parcel *parcel = g_new(Parcel, 1);

	*parcel = (Parcel){ due, value };
	g_queue_push_tail(queue, parcel);
}

/* The next value that has arrived, or 0. */
static guint64
collect(Play *play, GQueue *queue)
{
	g_autofree Parcel *parcel = NULL;
	Parcel *first = g_queue_peek_head(queue);

	if (first == NULL || first->due > play->now)
		return 0;
	parcel = g_queue_pop_head(queue);
	return parcel->value;
}

static void
play_source(Play *play)
{
	const Path *path = &play->path;

	if (path->source == 0)
		play->available = G_MAXSIZE;
	else if (path->piece <= path->source || play->now % (path->piece / path->source) == 0)
		play->available += path->piece != 0 ? path->piece : path->source;
	for (;;) {
		gsize usable = vpnr_send_credit_usable(&play->send, play->queued == 0);
		gsize n = MIN(MIN(usable, play->available), VPNR_DATA_MAX);

		if (n == 0 || play->queued >= VPNR_STREAM_QUEUE)
			return;
		vpnr_send_credit_spend(&play->send, n);
		g_queue_push_tail(play->queue, GSIZE_TO_POINTER(n));
		play->queued += n;
		if (path->source != 0)
			play->available -= n;
	}
}

static void
fill_batch(Play *play)
{
	while (play->batch < BATCH && !g_queue_is_empty(play->queue)) {
		gpointer frame = g_queue_pop_head(play->queue);

		play->queued -= GPOINTER_TO_SIZE(frame);
		play->batch += GPOINTER_TO_SIZE(frame);
		g_queue_push_tail(&play->batched, frame);
	}
}

static void
play_link(Play *play)
{
	gsize room = play->path.rate;
	gsize first;

	while (room > 0) {
		if (play->batch == 0)
			fill_batch(play);
		if (play->batch == 0)
			return;
		first = GPOINTER_TO_SIZE(g_queue_peek_head(&play->batched));
		if (first > room) {
			play->batched.head->data = GSIZE_TO_POINTER(first - room);
			post(play->data, play->now + play->path.delay, room);
			play->batch -= room;
			return;
		}
		g_queue_pop_head(&play->batched);
		post(play->data, play->now + play->path.delay, first);
		play->batch -= first;
		room -= first;
	}
}

static void
write_outflow(Play *play)
{
	const Path *path = &play->path;
	gsize space = path->sink == 0 ? G_MAXSIZE : path->sink_space - play->sink_fill;
	gsize n = MIN(play->outflow, space);
	guint64 limit;

	if (play->blocked || n == 0)
		return;
	play->outflow -= n;
	if (path->sink != 0)
		play->sink_fill += n;
	play->carried += n;
	play->blocked = play->outflow > 0;
	limit = vpnr_recv_credit_consume(&play->recv, n, !play->blocked, play->now);
	if (limit != 0)
		post(play->windows, play->now + play->path.delay, limit);
}

/* A packet is lost and sent again: what comes behind it waits for a round trip. */
static gboolean
link_stands_still(const Play *play)
{
	return play->path.lost != 0 && play->now % play->path.lost < 2 * play->path.delay;
}

static void
play_receiver(Play *play)
{
	guint64 n;

	play->sink_fill -= MIN(play->sink_fill, play->path.sink);
	if (play->sink_fill <= play->path.sink_space * 2 / 3) /* as Linux wakes a writer */
		play->blocked = FALSE;
	while (!link_stands_still(play) && (n = collect(play, play->data)) != 0) {
		g_assert_true(vpnr_recv_credit_take(&play->recv, n));
		play->outflow += n;
		write_outflow(play);
	}
	write_outflow(play);
}

static void
play_init(Play *play, const Path *path)
{
	*play = (Play){ .path = *path, .now = 1 };
	play->budget = path->budget != 0 ? vpnr_budget_new(path->budget) : NULL;
	play->queue = g_queue_new();
	play->data = g_queue_new();
	play->windows = g_queue_new();
	vpnr_send_credit_init(&play->send, VPNR_WINDOW_MIN);
	g_assert_true(vpnr_recv_credit_init(&play->recv, VPNR_WINDOW_MIN, VPNR_WINDOW_MAX, FALSE,
					    play->budget));
}

static void
play_clear(Play *play)
{
	g_queue_free(play->queue);
	g_queue_clear(&play->batched);
	g_queue_free_full(play->data, g_free);
	g_queue_free_full(play->windows, g_free);
	vpnr_recv_credit_clear(&play->recv);
	vpnr_budget_free(play->budget);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Play, play_clear)

static void
play_on(Play *play, guint ticks)
{
	for (guint end = play->now + ticks; play->now < end; play->now++) {
		guint64 limit;

		while ((limit = collect(play, play->windows)) != 0)
			vpnr_send_credit_raise(&play->send, limit);
		play_source(play);
		play_link(play);
		play_receiver(play);
	}
}

static guint64
window_of(const Play *play)
{
	return vpnr_recv_credit_window(&play->recv);
}

/* --- what becomes of it ----------------------------------------------------------------------- */

static guint
round_trip(const Path *path)
{
	return 2 * path->delay;
}

static guint64
bytes_per_round_trip(const Path *path)
{
	return (guint64)path->rate * round_trip(path);
}

static void
test_reaches_the_path(void)
{
	g_test_summary("Bandwidth times delay within a few round trips, then the link stays full, "
		       "and the window is not larger by more than it takes.");

	static const Path paths[] = {
		{ .rate = 125000, .delay = 50 }, /* ticks of 1 ms: 1 Gbit/s, 100 ms */
		{ .rate = 12500, .delay = 50 },  /* 100 Mbit/s, 100 ms */
		{ .rate = 12500, .delay = 10 },  /* 100 Mbit/s, 20 ms */
		{ .rate = 1250, .delay = 150 },  /* 10 Mbit/s, 300 ms */
		{ .rate = 1250, .delay = 10 },   /* 10 Mbit/s, 20 ms */
		{ .rate = 1250, .delay = 25 },   /* ticks of 1 us: 10 Gbit/s, 50 us */
	};

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		const Path *path = &paths[i];
		g_auto(Play) play = { 0 };
		guint64 before;

		play_init(&play, path);
		play_on(&play, 10 * round_trip(path));
		g_assert_cmpuint(window_of(&play), >=, bytes_per_round_trip(path));
		before = play.carried;
		play_on(&play, 1000 * round_trip(path));
		g_assert_cmpuint(play.carried - before, >=,
				 1000 * bytes_per_round_trip(path) * 98 / 100);
		g_assert_cmpuint(window_of(&play), <=, 4 * (bytes_per_round_trip(path) + BATCH));
	}
}

static void
test_loss(void)
{
	g_test_summary("Where packets are lost everything comes at once, and more of it than the "
		       "socket takes: the window grows nevertheless.");

	/* ticks of 1 ms: 200 Mbit/s, 100 ms, a reader of 4 Gbit/s */
	Path path = { .rate = 25000, .delay = 50, .lost = 300 };
	g_auto(Play) play = { 0 };
	guint64 before;

	path.sink = 500000;
	path.sink_space = 200 * KIB;
	play_init(&play, &path);
	play_on(&play, 30 * round_trip(&path));
	g_assert_cmpuint(window_of(&play), >=, 2 * bytes_per_round_trip(&path));
	before = play.carried;
	play_on(&play, 1000 * round_trip(&path));
	g_assert_cmpuint(play.carried - before, >=, 1000 * bytes_per_round_trip(&path) * 98 / 100);
}

static void
test_slow_reader(void)
{
	g_test_summary("A reader that is slower than the link does not make the window grow once "
		       "the buffer in front of it is full.");

	static const gsize spaces[] = { 200 * KIB, 2500 * KIB };

	for (gsize i = 0; i < G_N_ELEMENTS(spaces); i++) {
		Path path = { .rate = 12500, .delay = 50, .sink = 1000, .sink_space = spaces[i] };
		g_auto(Play) play = { 0 };
		guint64 early;

		play_init(&play, &path);
		play_on(&play, 20 * round_trip(&path));
		early = window_of(&play);
		g_assert_cmpuint(early, <, 2 * (spaces[i] + VPNR_WINDOW_MIN));
		play_on(&play, 3000 * round_trip(&path));
		g_assert_cmpuint(window_of(&play), ==, early);
		g_assert_cmpuint(play.carried, >=, (guint64)path.sink * (play.now - 500));
	}
}

static void
test_slow_source(void)
{
	g_test_summary("A source that sends less than the window needs no larger one, whatever the "
		       "pieces that it writes.");

	static const gsize pieces[] = { 1024, 4096, 16384, 32768 };

	for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++) {
		Path path = { .rate = 12500, .delay = 1, .source = 1024, .piece = pieces[i] };
		g_auto(Play) play = { 0 };

		play_init(&play, &path);
		play_on(&play, 100000);
		g_assert_cmpuint(window_of(&play), <=, 2 * VPNR_WINDOW_MIN);
		g_assert_cmpuint(play.carried, >=, 99000 * path.source);
	}
}

static void
test_budget(void)
{
	g_test_summary(
	    "Growth ends at three quarters; newcomers make the window shrink while it is "
	    "used, and it comes back when they have gone.");

	Path path = { .rate = 12500, .delay = 50, .budget = 3072 * KIB };
	guint64 newcomers = 1000 * KIB;
	g_auto(Play) play = { 0 };

	play_init(&play, &path);
	play_on(&play, 20 * round_trip(&path));
	g_assert_cmpuint(window_of(&play), ==, 2048 * KIB);
	g_assert_cmpuint(vpnr_budget_used(play.budget), ==, 2048 * KIB);
	g_assert_true(vpnr_budget_take(play.budget, newcomers));
	play_on(&play, 3 * round_trip(&path));
	g_assert_cmpuint(window_of(&play), <, 2048 * KIB);
	g_assert_false(vpnr_budget_is_short(play.budget));
	g_assert_cmpuint(vpnr_budget_used(play.budget), ==, newcomers + window_of(&play));
	vpnr_budget_give(play.budget, newcomers);
	play_on(&play, 10 * round_trip(&path));
	g_assert_cmpuint(window_of(&play), ==, 2048 * KIB);
}

static void
test_shrinks_to_the_minimum(void)
{
	g_test_summary("While others take what it gives, the window goes down to the smallest and "
		       "not below.");

	Path path = { .rate = 12500, .delay = 50, .budget = 3072 * KIB };
	guint64 others = 0;
	g_auto(Play) play = { 0 };

	play_init(&play, &path);
	play_on(&play, 20 * round_trip(&path));
	for (guint i = 0; i < 2000; i++) {
		guint64 given = path.budget - vpnr_budget_used(play.budget);

		g_assert_true(vpnr_budget_take(play.budget, given));
		others += given;
		play_on(&play, 1);
	}
	g_assert_cmpuint(window_of(&play), ==, VPNR_WINDOW_MIN);
	g_assert_cmpuint(others, ==, path.budget - VPNR_WINDOW_MIN);
	vpnr_budget_give(play.budget, others);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/growth/reaches-the-path", test_reaches_the_path);
	g_test_add_func("/growth/loss", test_loss);
	g_test_add_func("/growth/slow-reader", test_slow_reader);
	g_test_add_func("/growth/slow-source", test_slow_source);
	g_test_add_func("/growth/budget", test_budget);
	g_test_add_func("/growth/minimum", test_shrinks_to_the_minimum);
	return g_test_run();
}
