/* SPDX-License-Identifier: MIT */
#include "base/patience.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/latch.h"
#include "base/thread.h"
#include "run/privilege.h"
#include "tests/unit/patience.h"

#define MS 1000000 /* ns */

/* A thread has waited so long in so many turns, while its process ran so long, ns. */
static void
look(gint64 at, guint64 turns, guint64 waited, guint64 used)
{
	const VpnrPatienceSample before = {
		.at = at - 100000, .turns = 7, .waited = 5 * MS, .used = 3 * MS
	};
	const VpnrPatienceSample now = { .at = at,
					 .turns = before.turns + turns,
					 .waited = before.waited + waited,
					 .used = before.used + used };

	vpnr_patience_judge(&before, &now);
}

/* Nobody has the processor whom the thread would wait for. */
static void
look_in_peace(gint64 at)
{
	look(at, 100, 1 * MS, 20 * MS);
}

static void
look_in_a_crowd(gint64 at)
{
	look(at, 8, 20 * MS, 1 * MS);
}

/* Long enough that what was before is forgotten. */
static void
peace(gint64 at)
{
	for (int n = 0; n < 50; n++)
		look_in_peace(at);
	g_assert_true(vpnr_patience_is_on());
}

/* The same for long turns. */
static void
long_peace(gint64 at)
{
	for (int n = 0; n < 10; n++)
		peace(at);
}

static gint64
seconds(int n)
{
	return n * G_TIME_SPAN_SECOND;
}

static void
test_kept(void)
{
	look(seconds(10), 100, 1 * MS, 20 * MS);
	g_assert_true(vpnr_patience_is_on());
	look(seconds(20), 100, 60 * MS, 61 * MS); /* for each other */
	g_assert_true(vpnr_patience_is_on());
	look(seconds(30), 1000, 100 * MS, 20 * MS); /* not for long */
	g_assert_true(vpnr_patience_is_on());
	look(seconds(40), 2, 4 * MS, 0); /* nor often */
	g_assert_true(vpnr_patience_is_on());
	look(seconds(50), 0, 0, 0);
	g_assert_true(vpnr_patience_is_on());
}

static void
test_lost(void)
{
	look_in_a_crowd(seconds(100));
	g_assert_false(vpnr_patience_is_on());
	look_in_peace(seconds(101) - 1);
	g_assert_false(vpnr_patience_is_on());
	look_in_peace(seconds(101));
	g_assert_true(vpnr_patience_is_on());
}

/* Loses it: it is back so many seconds later, and not before. */
static void
check_lost_for(gint64 *at, int n)
{
	look_in_a_crowd(*at);
	g_assert_false(vpnr_patience_is_on());
	*at += seconds(n);
	look_in_peace(*at - 1);
	g_assert_false(vpnr_patience_is_on());
	look_in_a_crowd(*at); /* says nothing: nobody was patient */
	g_assert_true(vpnr_patience_is_on());
}

static void
test_lost_longer(void)
{
	gint64 at = seconds(200);

	peace(at);
	for (int n = 1; n < 16; n *= 2)
		check_lost_for(&at, n);
	check_lost_for(&at, 16);
	check_lost_for(&at, 16);
	peace(at);
	check_lost_for(&at, 1);
}

static void
note_policies(gpointer data)
{
	int *policies = data;

	vpnr_patience_adopt(VPNR_PATIENCE_LINK);
	policies[0] = sched_getscheduler(0);
	look_in_a_crowd(seconds(300));
	vpnr_patience_adopt(VPNR_PATIENCE_LINK);
	vpnr_patience_yield();
	policies[1] = sched_getscheduler(0);
	look_in_peace(seconds(310));
	vpnr_patience_adopt(VPNR_PATIENCE_LINK);
	vpnr_patience_yield();
	policies[2] = sched_getscheduler(0);
}

static void
test_adopt(void)
{
	int policies[3];

	vpnr_thread_join(vpnr_thread_start("vpnr-test", note_policies, policies, NULL));
	g_assert_cmpint(policies[0], ==, SCHED_BATCH);
	g_assert_cmpint(policies[1], ==, SCHED_OTHER);
	g_assert_cmpint(policies[2], ==, SCHED_BATCH);
}

static guint64
turn(VpnrPatienceWork work)
{
	vpnr_patience_adopt(work);
	return thread_turn(gettid());
}

/* The program does or does not have long turns. */
static void
check_turns(guint64 usual, gboolean are_long)
{
	g_assert_cmpuint(turn(VPNR_PATIENCE_LINK), ==, usual);
	g_assert_cmpuint(turn(VPNR_PATIENCE_BULK), ==, are_long ? 20 * MS : usual);
}

/* Loses them by waits of this length beside 20 ms of work: they are back so many seconds later. */
static void
check_turns_lost_for(gint64 *at, guint64 usual, guint64 waited, int n)
{
	check_turns(usual, TRUE);
	look(*at, 100, waited, 20 * MS);
	check_turns(usual, FALSE);
	*at += seconds(n);
	look_in_peace(*at - 1);
	check_turns(usual, FALSE);
	look_in_peace(*at);
	check_turns(usual, TRUE);
}

static void
take_turns(gpointer data)
{
	gboolean *is_known = data;
	guint64 usual = turn(VPNR_PATIENCE_LINK);
	gint64 at = seconds(400);

	*is_known = usual > 0;
	if (!*is_known)
		return;
	g_assert_cmpuint(usual, <, 20 * MS);
	look(at, 100, 39 * MS, 20 * MS);
	check_turns_lost_for(&at, usual, 41 * MS, 1);
	g_assert_true(vpnr_patience_is_on());
	peace(at); /* 50 looks are not enough to forget that */
	check_turns_lost_for(&at, usual, 41 * MS, 2);
	long_peace(at);
	check_turns_lost_for(&at, usual, 81 * MS, 1); /* and patience */
	vpnr_patience_adopt(VPNR_PATIENCE_LINK);
}

static void
test_turns(void)
{
	gboolean is_known;

	long_peace(seconds(390));
	vpnr_thread_join(vpnr_thread_start("vpnr-test", take_turns, &is_known, NULL));
	if (!is_known)
		g_test_skip("the kernel's turns have one length");
}

/* --- nice values ------------------------------------------------------------------------------ */

static void
come_back(gpointer data)
{
	gboolean *came = data;

	*came = setpriority(PRIO_PROCESS, 0, 1) == 0 && setpriority(PRIO_PROCESS, 0, 0) == 0;
}

/* TRUE if a thread of this process may have its nice value back. */
static gboolean
can_come_back(void)
{
	gboolean came = FALSE;

	vpnr_thread_join(vpnr_thread_start("vpnr-test", come_back, &came, NULL));
	return came;
}

static void
run_where_allowed(VpnrThreadFunc func, gpointer data)
{
	if (can_come_back())
		vpnr_thread_join(vpnr_thread_start("vpnr-test", func, data, NULL));
	else
		g_test_skip("needs CAP_SYS_NICE or RLIMIT_NICE");
}

static int
nice_value(VpnrPatienceWork work)
{
	vpnr_patience_adopt(work);
	return getpriority(PRIO_PROCESS, 0);
}

/* Another thread that stands back. */
typedef struct {
	VpnrLatch *begun, *end;
	VpnrThread *thread;
} Company;

static void
keep_company(gpointer data)
{
	Company *company = data;

	vpnr_patience_adopt(VPNR_PATIENCE_BULK);
	vpnr_latch_trip(company->begun);
	vpnr_latch_wait(company->end, -1);
	vpnr_patience_adopt(VPNR_PATIENCE_LINK);
}

static void
company_come(Company *company)
{
	*company = (Company){ .begun = vpnr_latch_new(NULL), .end = vpnr_latch_new(NULL) };
	company->thread = vpnr_thread_start("vpnr-test", keep_company, company, NULL);
	vpnr_latch_wait(company->begun, -1);
}

static void
company_go(Company *company)
{
	vpnr_latch_trip(company->end);
	vpnr_thread_join(company->thread);
	vpnr_latch_free(company->begun);
	vpnr_latch_free(company->end);
}

static void
stand_back(gpointer data)
{
	gboolean is_allowed = GPOINTER_TO_INT(data);
	int own = getpriority(PRIO_PROCESS, 0);
	Company company;

	company_come(&company);
	g_assert_cmpint(nice_value(VPNR_PATIENCE_LINK), ==, own);
	for (int n = 0; n < 2; n++) {
		g_assert_cmpint(nice_value(VPNR_PATIENCE_BULK), ==,
				is_allowed ? MIN(own + 10, 19) : own);
		g_assert_cmpint(nice_value(VPNR_PATIENCE_TALK), ==, own);
	}
	company_go(&company);
}

static void
test_nice(void)
{
	g_test_summary("A thread gives up some of its priority while it stands back.");

	run_where_allowed(stand_back, GINT_TO_POINTER(TRUE));
}

static void
stand_back_alone(gpointer data)
{
	int own = getpriority(PRIO_PROCESS, 0);
	Company company;

	(void)data;
	g_assert_cmpint(nice_value(VPNR_PATIENCE_BULK), ==, own);
	company_come(&company);
	g_assert_cmpint(nice_value(VPNR_PATIENCE_BULK), ==, MIN(own + 10, 19));
	company_go(&company);
	g_assert_cmpint(nice_value(VPNR_PATIENCE_BULK), ==, own);
	g_assert_cmpint(nice_value(VPNR_PATIENCE_LINK), ==, own);
}

static void
test_nice_alone(void)
{
	g_test_summary("One that is alone gives up nothing, as long as that is so.");

	run_where_allowed(stand_back_alone, NULL);
}

static void
test_nice_forbidden(void)
{
	g_test_summary("Who could not have it back gives up nothing.");

	const struct rlimit none = { 0 };

	if (!g_test_subprocess()) {
		g_test_trap_subprocess(NULL, 0, 0);
		g_test_trap_assert_passed();
		return;
	}
	g_assert_cmpint(setrlimit(RLIMIT_NICE, &none), ==, 0);
	if (can_come_back())
		g_assert_true(vpnr_privilege_drop(NULL));
	g_assert_false(can_come_back());
	vpnr_thread_join(vpnr_thread_start("vpnr-test", stand_back, GINT_TO_POINTER(FALSE), NULL));
}

static void
stand_back_now_and_then(gpointer data)
{
	Company company;

	(void)data;
	company_come(&company);
	g_assert_cmpint(setpriority(PRIO_PROCESS, 0, 0), ==, 0);
	g_assert_cmpint(nice_value(VPNR_PATIENCE_BULK), ==, 10);
	look(seconds(600), 100, 41 * MS, 20 * MS);
	g_assert_cmpint(nice_value(VPNR_PATIENCE_BULK), ==, 0);
	look_in_peace(seconds(620));
	g_assert_cmpint(nice_value(VPNR_PATIENCE_BULK), ==, 10);

	/* Somebody else changes it meanwhile. */
	g_assert_cmpint(setpriority(PRIO_PROCESS, 0, 12), ==, 0);
	g_assert_cmpint(nice_value(VPNR_PATIENCE_LINK), ==, 2);

	/* There is not as much to give. */
	g_assert_cmpint(setpriority(PRIO_PROCESS, 0, 15), ==, 0);
	g_assert_cmpint(nice_value(VPNR_PATIENCE_BULK), ==, 19);
	g_assert_cmpint(nice_value(VPNR_PATIENCE_LINK), ==, 15);
	company_go(&company);
}

static void
test_nice_again(void)
{
	g_test_summary("It has its priority back when it stands back no longer, whatever that is.");

	run_where_allowed(stand_back_now_and_then, NULL);
}

/* --- haste ------------------------------------------------------------------------------------ */

/* A thread that stands back has waited so long since its last look, 20 ms ago. */
static void
look_in_bulk(gint64 at, guint64 waited)
{
	const VpnrPatienceSample before = { .at = at - 20000 };
	const VpnrPatienceSample now = {
		.at = at, .turns = 100, .waited = waited, .used = 20 * MS
	};

	vpnr_patience_judge(&before, &now);
}

/* Waits so often for what is short. */
static void
talk(gpointer data)
{
	for (int n = GPOINTER_TO_INT(data); n > 0; n--)
		vpnr_patience_adopt(VPNR_PATIENCE_TALK);
}

static void
somebody_talks(int n)
{
	vpnr_thread_join(vpnr_thread_start("vpnr-test", talk, GINT_TO_POINTER(n), NULL));
}

static void
note_policy(gpointer data)
{
	int *policy = data;

	vpnr_patience_adopt(VPNR_PATIENCE_LINK);
	*policy = sched_getscheduler(0);
}

static gboolean
others_are_in_haste(void)
{
	int policy = -1;

	vpnr_thread_join(vpnr_thread_start("vpnr-test", note_policy, &policy, NULL));
	return policy == SCHED_OTHER;
}

static void
stand_back_from_haste(gpointer data)
{
	int own = getpriority(PRIO_PROCESS, 0);
	gint64 at = seconds(700);

	(void)data;
	vpnr_patience_adopt(VPNR_PATIENCE_BULK);
	look_in_bulk(at, 5 * MS);
	g_assert_false(others_are_in_haste()); /* nobody talks */
	g_assert_false(vpnr_patience_hears_talk());

	somebody_talks(1);
	g_assert_false(others_are_in_haste()); /* not before the next look */
	look_in_bulk(at += 20000, 5 * MS);
	g_assert_true(others_are_in_haste());
	g_assert_true(vpnr_patience_hears_talk());
	g_assert_cmpint(nice_value(VPNR_PATIENCE_BULK), ==, MIN(own + 10, 19));
	g_assert_cmpint(sched_getscheduler(0), ==, SCHED_BATCH);
	look_in_bulk(at += 20000, 1 * MS); /* there are processors enough */
	g_assert_false(others_are_in_haste());
	g_assert_true(vpnr_patience_hears_talk());
	look_in_bulk(at += 20000, 5 * MS);
	g_assert_true(others_are_in_haste());

	look_in_bulk(at + 60000 - 1, 5 * MS);
	g_assert_true(others_are_in_haste());
	look_in_bulk(at += 60000, 5 * MS);
	g_assert_false(others_are_in_haste());
	g_assert_false(vpnr_patience_hears_talk());

	somebody_talks(201); /* in 20 ms */
	look_in_bulk(at += 20000, 5 * MS);
	g_assert_false(others_are_in_haste());
	g_assert_true(vpnr_patience_hears_talk());
	somebody_talks(199);
	look_in_bulk(at += 20000, 5 * MS);
	g_assert_true(others_are_in_haste());

	vpnr_patience_adopt(VPNR_PATIENCE_LINK);
	g_assert_false(others_are_in_haste());
	g_assert_false(vpnr_patience_hears_talk());
	somebody_talks(1);
	look_in_bulk(at += 20000, 5 * MS); /* of one that does not stand back */
	g_assert_false(others_are_in_haste());
}

static void
test_haste(void)
{
	g_test_summary("Beside transfers that take all processors, who talks is in haste, and so "
		       "is who carries it, unless these are many.");

	run_where_allowed(stand_back_from_haste, NULL);
}

/* --- looks ------------------------------------------------------------------------------------ */

static void
nothing(gpointer data)
{
	(void)data;
}

/* As the kernel counts. */
static void
test_watch(void)
{
	VpnrPatienceWatch watch = { 0 };
	VpnrPatienceSample first;

	if (!g_file_test("/proc/thread-self/schedstat", G_FILE_TEST_EXISTS)) {
		g_test_skip("the kernel does not count how long threads wait");
		return;
	}
	for (gint64 start = g_get_monotonic_time(); watch.before.at == 0; patience(start)) {
		vpnr_thread_join(vpnr_thread_start("vpnr-test", nothing, NULL, NULL));
		vpnr_patience_keep_watch(&watch, VPNR_PATIENCE_LINK);
	}
	first = watch.before;
	for (gint64 start = g_get_monotonic_time(); watch.before.at == first.at; patience(start)) {
		vpnr_thread_join(vpnr_thread_start("vpnr-test", nothing, NULL, NULL));
		vpnr_patience_keep_watch(&watch, VPNR_PATIENCE_LINK);
	}
	g_assert_cmpint(watch.before.at, >=, first.at + 20000);
	g_assert_cmpuint(watch.before.turns, >, first.turns);
	g_assert_cmpuint(watch.before.waited, >=, first.waited);
	g_assert_cmpuint(watch.before.used, >, first.used);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/patience/kept", test_kept);
	g_test_add_func("/patience/lost", test_lost);
	g_test_add_func("/patience/lost-longer", test_lost_longer);
	g_test_add_func("/patience/adopt", test_adopt);
	g_test_add_func("/patience/turns", test_turns);
	g_test_add_func("/patience/nice", test_nice);
	g_test_add_func("/patience/nice-alone", test_nice_alone);
	g_test_add_func("/patience/nice-forbidden", test_nice_forbidden);
	g_test_add_func("/patience/nice-again", test_nice_again);
	g_test_add_func("/patience/haste", test_haste);
	/* By the real time, and what is lost then does not come back before. */
	g_test_add_func("/patience/watch", test_watch);
	return g_test_run();
}
