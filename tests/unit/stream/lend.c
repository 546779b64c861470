/* SPDX-License-Identifier: MIT
 *
 * lend: who has the socket when, and that the worker waits for the reader and loses no wake.
 */
#include "stream/lend.h"

#include <unistd.h>

#include "base/thread.h"
#include "tests/unit/patience.h"

#define FD 42 /* any number: nobody uses it here */

typedef struct {
	VpnrLend lend;
	VpnrMailbox *inbox;
	_Atomic gint tid; /* of the worker */
	_Atomic gboolean has_it;
} Rig;

static void
rig_init(Rig *rig)
{
	*rig = (Rig){ .inbox = vpnr_mailbox_new(g_free, NULL) };
	g_assert_nonnull(rig->inbox);
}

static void
rig_clear(Rig *rig)
{
	vpnr_mailbox_free(rig->inbox);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Rig, rig_clear)

static void
test_turns(void)
{
	g_auto(Rig) rig;

	rig_init(&rig);
	g_assert_cmpint(vpnr_lend_take(&rig.lend, rig.inbox), ==, -1);
	vpnr_lend_offer(&rig.lend, FD);
	g_assert_cmpint(vpnr_lend_take(&rig.lend, rig.inbox), ==, FD);
	vpnr_lend_offer(&rig.lend, FD); /* as the worker does whenever it rests */
	g_assert_cmpint(vpnr_lend_take(&rig.lend, rig.inbox), ==, -1);
	vpnr_lend_give_back(&rig.lend, rig.inbox);
	g_assert_cmpint(vpnr_lend_take(&rig.lend, rig.inbox), ==, FD);
	vpnr_lend_give_back(&rig.lend, rig.inbox);
	vpnr_lend_call_in(&rig.lend, rig.inbox);
	vpnr_lend_call_in(&rig.lend, rig.inbox);
	g_assert_cmpint(vpnr_lend_take(&rig.lend, rig.inbox), ==, -1);
	vpnr_lend_offer(&rig.lend, FD + 1);
	g_assert_cmpint(vpnr_lend_take(&rig.lend, rig.inbox), ==, FD + 1);
	vpnr_lend_give_back(&rig.lend, rig.inbox);
}

static void
test_behind_others(void)
{
	g_test_summary("The reader overtakes nothing that waits in the inbox.");

	g_auto(Rig) rig;

	rig_init(&rig);
	vpnr_lend_offer(&rig.lend, FD);
	vpnr_mailbox_push(rig.inbox, g_strdup("first"));
	g_assert_cmpint(vpnr_lend_take(&rig.lend, rig.inbox), ==, -1);
	g_free(vpnr_mailbox_try_pop(rig.inbox));
	g_assert_cmpint(vpnr_lend_take(&rig.lend, rig.inbox), ==, FD);
	vpnr_lend_give_back(&rig.lend, rig.inbox);
}

static void
call_in(gpointer data)
{
	Rig *rig = data;

	atomic_store(&rig->tid, gettid());
	vpnr_lend_call_in(&rig->lend, rig->inbox);
	atomic_store(&rig->has_it, TRUE);
}

/* The reader has the socket, and the worker waits for it. */
static VpnrThread *
start_to_call_in(Rig *rig)
{
	VpnrThread *worker;

	rig_init(rig);
	vpnr_lend_offer(&rig->lend, FD);
	g_assert_cmpint(vpnr_lend_take(&rig->lend, rig->inbox), ==, FD);
	worker = vpnr_thread_start("worker", call_in, rig, NULL);
	g_assert_nonnull(worker);
	for (gint64 start = g_get_monotonic_time();
	     atomic_load(&rig->lend.state) != VPNR_LEND_CALLED || atomic_load(&rig->tid) == 0 ||
	     !thread_sleeps(atomic_load(&rig->tid));
	     patience(start))
		;
	return worker;
}

static void
test_call_in(void)
{
	g_test_summary("The worker waits until the reader has given the socket back, and has it "
		       "then.");

	g_auto(Rig) rig;
	VpnrThread *worker = start_to_call_in(&rig);

	g_assert_false(atomic_load(&rig.has_it));
	vpnr_lend_give_back(&rig.lend, rig.inbox);
	vpnr_thread_join(worker);
	g_assert_true(atomic_load(&rig.has_it));
	g_assert_cmpint(vpnr_lend_take(&rig.lend, rig.inbox), ==, -1);
}

static void
test_wakes(void)
{
	g_test_summary("A wake that comes while the worker waits for the reader is not lost.");

	g_auto(Rig) rig;
	VpnrThread *worker = start_to_call_in(&rig);

	vpnr_mailbox_wake(rig.inbox);
	vpnr_lend_give_back(&rig.lend, rig.inbox);
	vpnr_thread_join(worker);
	g_assert_false(vpnr_mailbox_begin_wait(rig.inbox));
	vpnr_mailbox_end_wait(rig.inbox);
	g_assert_true(vpnr_mailbox_begin_wait(rig.inbox));
	vpnr_mailbox_end_wait(rig.inbox);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/lend/turns", test_turns);
	g_test_add_func("/lend/behind-others", test_behind_others);
	g_test_add_func("/lend/call-in", test_call_in);
	g_test_add_func("/lend/wakes", test_wakes);
	return g_test_run();
}
