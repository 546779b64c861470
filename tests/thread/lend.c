/* SPDX-License-Identifier: MIT
 *
 * Goal: what the reader writes itself and what the worker writes for it is in order, and never both
 * write at once, while the worker offers its socket, calls it in for nothing, and sleeps. The
 * socket is a number that counts; a wake-up that is lost hangs the test.
 */
#include "stream/lend.h"

#include <poll.h>
#include <sched.h>

#include "base/thread.h"

#define N_FRAMES 300000

typedef struct {
	VpnrLend lend;
	VpnrMailbox *inbox;
	/* who has the socket */
	guint written; /* the numbers 1 to this */
	/* reader */
	_Atomic guint by_reader;
	_Atomic gboolean is_done;
	/* worker */
	_Atomic guint rounds;
} Rig;

static void
write_number(Rig *rig, guint number)
{
	g_assert_cmpuint(number, ==, rig->written + 1);
	rig->written = number;
}

/* Now and then it lets the worker run in the middle of a write. */
static void
deliver(Rig *rig, guint number)
{
	if (vpnr_lend_take(&rig->lend, rig->inbox) < 0) {
		vpnr_mailbox_push(rig->inbox, GUINT_TO_POINTER(number));
		return;
	}
	write_number(rig, number);
	atomic_fetch_add(&rig->by_reader, 1);
	if (number % 11 == 0)
		sched_yield();
	vpnr_lend_give_back(&rig->lend, rig->inbox);
}

/* The worker comes round once more, wherever it is: so none of both is done before the other. */
static void
let_worker_run(Rig *rig)
{
	guint before = atomic_load(&rig->rounds);

	vpnr_mailbox_wake(rig->inbox);
	while (atomic_load(&rig->rounds) == before)
		sched_yield();
}

static void
read_all(gpointer data)
{
	Rig *rig = data;

	for (guint number = 1; number <= N_FRAMES; number++) {
		deliver(rig, number);
		if (number % 7 == 0)
			let_worker_run(rig);
	}
	atomic_store(&rig->is_done, TRUE);
	vpnr_mailbox_wake(rig->inbox); /* it may all be written already */
}

static void
take_frames(Rig *rig)
{
	gpointer item;

	if (vpnr_mailbox_length(rig->inbox) == 0)
		return;
	vpnr_lend_call_in(&rig->lend, rig->inbox);
	while ((item = vpnr_mailbox_try_pop(rig->inbox)) != NULL)
		write_number(rig, GPOINTER_TO_UINT(item));
}

/* So the first frame is the worker's to write. */
static void
keep_until_pushed(Rig *rig)
{
	while (vpnr_mailbox_length(rig->inbox) == 0)
		sched_yield();
}

/* And at least one is the reader's. A frame that was on its way to the inbox when the worker
 * offered comes first. */
static void
offer_until_taken(Rig *rig)
{
	guint before = atomic_load(&rig->by_reader);

	while (atomic_load(&rig->by_reader) == before && !atomic_load(&rig->is_done)) {
		take_frames(rig);
		vpnr_lend_offer(&rig->lend, 1);
		atomic_fetch_add(&rig->rounds, 1);
		sched_yield();
	}
}

static void
rest(Rig *rig, int timeout_ms)
{
	struct pollfd pollfd = { .fd = vpnr_mailbox_fd(rig->inbox), .events = POLLIN };

	vpnr_lend_offer(&rig->lend, 1);
	if (vpnr_mailbox_begin_wait(rig->inbox))
		poll(&pollfd, 1, timeout_ms);
	vpnr_mailbox_end_wait(rig->inbox);
}

/* Called in for nothing, and kept for a moment. */
static gboolean
is_complete(Rig *rig)
{
	vpnr_lend_call_in(&rig->lend, rig->inbox);
	sched_yield();
	return rig->written == N_FRAMES;
}

static void
test_order(void)
{
	Rig rig = { .inbox = vpnr_mailbox_new(NULL, NULL) };
	VpnrThread *reader = vpnr_thread_start("reader", read_all, &rig, NULL);
	guint by_reader;

	g_assert_nonnull(reader);
	keep_until_pushed(&rig);
	offer_until_taken(&rig);
	for (guint i = 0; !is_complete(&rig); i++) {
		atomic_fetch_add(&rig.rounds, 1);
		take_frames(&rig);
		rest(&rig, i % 50 == 0 ? -1 : 0);
	}
	vpnr_thread_join(reader);
	by_reader = atomic_load(&rig.by_reader);
	g_test_message("%u of %u by the reader", by_reader, N_FRAMES);
	g_assert_cmpuint(by_reader, >, 0);
	g_assert_cmpuint(by_reader, <, N_FRAMES);
	vpnr_mailbox_free(rig.inbox);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/lend/order", test_order);
	return g_test_run();
}
