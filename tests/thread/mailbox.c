/* SPDX-License-Identifier: MIT
 *
 * Goal: no item and no wake is lost, and each pusher's items stay in order, while several threads
 * push and wake an owner that sleeps whenever it can. A wake-up that is lost hangs the test.
 */
#include "base/mailbox.h"

#include <poll.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/thread.h"

#define N_PUSHERS 4
#define N_ITEMS   20000 /* of each pusher */
#define N_WAKES   20000

typedef struct {
	guint pusher;
	guint number; /* counts from 0 for each pusher */
} Item;

typedef struct {
	VpnrMailbox *box;
	guint id;
} Pusher;

/* News that travel in an atomic. */
typedef struct {
	VpnrMailbox *box;
	_Atomic guint told;
} Herald;

/* What the owner has seen. */
typedef struct {
	guint next[N_PUSHERS];
	guint n_items;
	guint n_sleeps;
} Seen;

/* Now and then the pusher lets others run, so that the owner falls asleep between pushes. */
static void
push_all(gpointer data)
{
	Pusher *pusher = data;

	for (guint i = 0; i < N_ITEMS; i++) {
		Item *item = g_new(Item, 1);

		item->pusher = pusher->id;
		item->number = i;
		vpnr_mailbox_push(pusher->box, item);
		if (i % (7 + pusher->id) == 0)
			sched_yield();
	}
}

static void
tell_all(gpointer data)
{
	Herald *herald = data;

	for (guint i = 0; i < N_WAKES; i++) {
		atomic_fetch_add_explicit(&herald->told, 1, memory_order_relaxed);
		vpnr_mailbox_wake(herald->box);
		if (i % 5 == 0)
			sched_yield();
	}
}

static void
take(Seen *seen, Item *item)
{
	g_assert_cmpuint(item->pusher, <, N_PUSHERS);
	g_assert_cmpuint(item->number, ==, seen->next[item->pusher]);
	seen->next[item->pusher]++;
	seen->n_items++;
	g_free(item);
}

static void
sleep_by_poll(VpnrMailbox *box, Seen *seen)
{
	struct pollfd pollfd = { .fd = vpnr_mailbox_fd(box), .events = POLLIN };

	if (vpnr_mailbox_begin_wait(box)) {
		g_assert_cmpint(poll(&pollfd, 1, -1), ==, 1);
		seen->n_sleeps++;
	}
	vpnr_mailbox_end_wait(box);
}

static void
start_pushers(VpnrMailbox *box, Pusher pushers[N_PUSHERS], VpnrThread *threads[N_PUSHERS])
{
	for (guint i = 0; i < N_PUSHERS; i++) {
		pushers[i] = (Pusher){ .box = box, .id = i };
		threads[i] = vpnr_thread_start("pusher", push_all, &pushers[i], NULL);
		g_assert_nonnull(threads[i]);
	}
}

static void
join_all(VpnrThread **threads, guint n)
{
	for (guint i = 0; i < n; i++)
		vpnr_thread_join(threads[i]);
}

static void
test_poll(void)
{
	g_autoptr(VpnrMailbox) box = vpnr_mailbox_new(g_free, NULL);
	VpnrThread *threads[N_PUSHERS + 1];
	Pusher pushers[N_PUSHERS];
	Herald herald = { .box = box };
	Seen seen = { 0 };
	guint told = 0;
	Item *item;

	start_pushers(box, pushers, threads);
	threads[N_PUSHERS] = vpnr_thread_start("herald", tell_all, &herald, NULL);
	g_assert_nonnull(threads[N_PUSHERS]);

	while (seen.n_items < N_PUSHERS * N_ITEMS || told < N_WAKES) {
		sleep_by_poll(box, &seen);
		while ((item = vpnr_mailbox_try_pop(box)) != NULL)
			take(&seen, item);
		told = atomic_load_explicit(&herald.told, memory_order_relaxed);
	}
	join_all(threads, N_PUSHERS + 1);
	g_assert_cmpuint(vpnr_mailbox_length(box), ==, 0);
	g_test_message("%u sleeps", seen.n_sleeps);
}

static void
test_pop(void)
{
	g_autoptr(VpnrMailbox) box = vpnr_mailbox_new(g_free, NULL);
	VpnrThread *threads[N_PUSHERS];
	Pusher pushers[N_PUSHERS];
	Seen seen = { 0 };

	start_pushers(box, pushers, threads);
	while (seen.n_items < N_PUSHERS * N_ITEMS) {
		Item *item = vpnr_mailbox_pop(box, -1);

		g_assert_nonnull(item); /* nobody wakes without an item */
		take(&seen, item);
	}
	join_all(threads, N_PUSHERS);
	g_assert_null(vpnr_mailbox_pop(box, 0));
}

/* One item in flight, so that nothing that is pushed later makes up for a wake-up that is lost. The
 * far end stays awake and answers after a delay that grows from round to round and starts over: it
 * sweeps over every moment of the near end's falling asleep. */
typedef struct {
	VpnrMailbox *there;
	VpnrMailbox *back;
} Court;

#define N_RALLIES 100000
#define MAX_DELAY 256   /* turns of an empty loop, about as long as falling asleep takes */
#define MAX_SPINS 10000 /* then the far end yields: the near end may have no other processor */

static gpointer
pop_awake(VpnrMailbox *box)
{
	gpointer item;

	for (guint n = 1; (item = vpnr_mailbox_try_pop(box)) == NULL; n++)
		if (n % MAX_SPINS == 0)
			sched_yield();
	return item;
}

static void
return_all(gpointer data)
{
	Court *court = data;

	for (guint i = 0; i < N_RALLIES; i++) {
		gpointer ball = pop_awake(court->there);

		for (volatile guint delay = i % MAX_DELAY; delay > 0; delay--)
			;
		vpnr_mailbox_push(court->back, ball);
	}
}

static void
test_ping_pong(void)
{
	g_autoptr(VpnrMailbox) there = vpnr_mailbox_new(NULL, NULL);
	g_autoptr(VpnrMailbox) back = vpnr_mailbox_new(NULL, NULL);
	Court court = { there, back };
	VpnrThread *thread = vpnr_thread_start("returner", return_all, &court, NULL);
	g_autofree guint *ball = g_new0(guint, 1);

	g_assert_nonnull(thread);
	for (guint i = 0; i < N_RALLIES; i++) {
		*ball = i;
		vpnr_mailbox_push(there, ball);
		g_assert_true(vpnr_mailbox_pop(back, -1) == ball);
		g_assert_cmpuint(*ball, ==, i);
	}
	vpnr_thread_join(thread);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/thread/mailbox/ping-pong", test_ping_pong);
	g_test_add_func("/thread/mailbox/pop", test_pop);
	g_test_add_func("/thread/mailbox/poll", test_poll);
	return g_test_run();
}
