/* SPDX-License-Identifier: MIT
 *
 * patience: see patience.h. Every thread changes its own policy, since only it knows when it is
 * about to sleep; what all of them look at is four flags: two habits, haste, and talk.
 */
#include "base/patience.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/thread.h"

/* ns. Measured with 8 and 100 transfers, 10 ms gain less, 100 ms no more. */
#define LONG_TURN 20000000

/* What a thread adds to its nice value when it stands back: a tenth of its weight is left
 * (sched(7)). Measured beside one transfer, 7 gain less for who talks, 15 take more from it. */
#define BACK_NICE    10
#define NICE_HIGHEST 19

/* us that the others are in haste when somebody has talked, and waits a second that are many. */
#define HASTE_US   100000
#define MANY_TALKS 10000

/* us between two looks of the process, and of a thread. */
#define LOOK_US 20000

/* ns of all waits since the last look, and of each on average: less than that is no matter. */
#define LONG_WAITS 5000000
#define LONG_WAIT  250000

/* How long a habit is lost, us. */
#define LOST_MIN (1 * G_TIME_SPAN_SECOND)
#define LOST_MAX (16 * G_TIME_SPAN_SECOND)

/* What patient threads do. */
typedef struct {
	/* const */
	guint64 strangers; /* lost if waits are more than so many times what the process has run */
	guint again;       /* and for twice as long if not so many looks before showed nothing */
	/* atomic */
	_Atomic gboolean is_lost;
	/* lock */
	gint64 until; /* it is lost, or was the last time */
	gint64 lost_for;
	guint n_peaceful; /* looks since then */
} Habit;

/* On a machine that does nothing but what passes through the program, with both ends and the
 * applications on it, waits were more than twice what the process had run in one of 10,000 looks.
 * Beside programs that compute, who gives way answers late; who stands back is left little of the
 * throughput, by waits that are not as long. */
static Habit giving_way = { .strangers = 4, .again = 50 };
static Habit standing_back = { .strangers = 2, .again = 500 };

/* Who talks beside threads that stand back. */
static struct {
	/* atomic */
	_Atomic guint n_back;  /* threads that stand back now */
	_Atomic guint n_talks; /* waits for what is short since a thread in bulk has looked */
	_Atomic gboolean is_on;
	_Atomic gboolean is_heard; /* somebody has talked */
	/* lock */
	gint64 looked_at; /* when the talks were counted last */
	gint64 until;     /* it is over, unless somebody has talked again */
} haste;

static _Atomic gint64 next_look_of_all, next_look_in_bulk;
static _Thread_local int policy = -1; /* a new thread has that of its starter */
static _Thread_local gboolean stands_back;
static _Thread_local gboolean is_last; /* and goes behind all others */
static _Thread_local int added;        /* to the thread's own nice value */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static gboolean
is_kept(Habit *habit)
{
	return !atomic_load_explicit(&habit->is_lost, memory_order_relaxed);
}

gboolean
vpnr_patience_is_on(void)
{
	return is_kept(&giving_way);
}

/* --- what the kernel is asked for ------------------------------------------------------------- */

/* What sched_setattr(2) takes. Not every C library has it. */
typedef struct {
	guint32 size;
	guint32 policy;
	guint64 flags;
	gint32 nice;
	guint32 priority;
	guint64 runtime; /* ns of a turn; before Linux 6.12 of no effect */
	guint64 deadline;
	guint64 period;
} Attributes;

static gboolean can_return; /* to the nice value that a thread has had */

/* On a thread that ends: it may not get back what it gives. */
static void
try_to_return(gpointer data)
{
	int nice = getpriority(PRIO_PROCESS, 0);

	(void)data;
	can_return =
	    setpriority(PRIO_PROCESS, 0, nice + 1) == 0 && setpriority(PRIO_PROCESS, 0, nice) == 0;
}

static void
find_out(void)
{
	vpnr_thread_join(vpnr_thread_start("vpnr-nice", try_to_return, NULL, NULL));
}

/* Which capabilities a thread has would not tell: those of a container do not count. */
static gboolean
can_be_nice(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, find_out);
	return can_return;
}

static void
ask_kernel(void)
{
	int own = getpriority(PRIO_PROCESS, 0) - added; /* of the thread */
	int adds = is_last && can_be_nice() ? MIN(BACK_NICE, NICE_HIGHEST - own) : 0;
	const Attributes attributes = { .size = sizeof attributes,
					.policy = (guint32)policy,
					.nice = own + adds,
					.runtime = stands_back ? LONG_TURN : 0 };

	if (syscall(SYS_sched_setattr, 0, &attributes, 0) == 0)
		added = adds;
}

/* --- what a thread adopts --------------------------------------------------------------------- */

static void
hear_nothing(void)
{
	atomic_store(&haste.is_heard, FALSE);
	atomic_store(&haste.is_on, FALSE);
}

/* Who looks stands back: when nobody does, nobody hears anything any more. */
static void
step(gboolean back)
{
	if (back)
		atomic_fetch_add(&haste.n_back, 1);
	else if (atomic_fetch_sub(&haste.n_back, 1) == 1)
		hear_nothing();
	stands_back = back;
}

static void
note_talk(void)
{
	if (atomic_load_explicit(&haste.n_back, memory_order_relaxed) > 0)
		atomic_fetch_add_explicit(&haste.n_talks, 1, memory_order_relaxed);
}

static gboolean
is_in_haste(void)
{
	return atomic_load_explicit(&haste.is_on, memory_order_relaxed);
}

/* Where there is nobody to go behind but readers and writers, who carry the same transfer, these
 * would run out of work, and sleep, before it has its turn. */
static gboolean
has_company(void)
{
	return atomic_load_explicit(&haste.n_back, memory_order_relaxed) > 1 ||
	       vpnr_patience_hears_talk();
}

void
vpnr_patience_adopt(VpnrPatienceWork work)
{
	gboolean is_on = vpnr_patience_is_on();
	gboolean back = work == VPNR_PATIENCE_BULK && is_on && is_kept(&standing_back);
	gboolean changes = back != stands_back;
	gboolean last;
	int wanted;

	if (changes)
		step(back);
	last = back && has_company();
	if (work == VPNR_PATIENCE_TALK)
		note_talk();
	wanted = is_on && (back || !is_in_haste()) ? SCHED_BATCH : SCHED_OTHER;
	if (!changes && last == is_last && wanted == policy)
		return;
	is_last = last;
	policy = wanted;
	ask_kernel();
}

gboolean
vpnr_patience_hears_talk(void)
{
	return atomic_load_explicit(&haste.is_heard, memory_order_relaxed);
}

gboolean
vpnr_patience_yield(void)
{
	if (!vpnr_patience_is_on())
		return FALSE;
	sched_yield();
	return TRUE;
}

/* --- keeping watch ---------------------------------------------------------------------------- */

static gboolean
take_sample(VpnrPatienceSample *sample)
{
	struct timespec used;
	FILE *file = fopen("/proc/thread-self/schedstat", "re");
	int n;

	if (file == NULL)
		return FALSE;
	n = fscanf(file, "%*u %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, &sample->waited,
		   &sample->turns);
	fclose(file);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	sample->used = (guint64)used.tv_sec * 1000000000 + (guint64)used.tv_nsec;
	return n == 2;
}

static gboolean
is_crowded(const Habit *habit, const VpnrPatienceSample *before, const VpnrPatienceSample *now)
{
	guint64 waited = now->waited - before->waited;
	guint64 turns = now->turns - before->turns;
	guint64 used = now->used - before->used;

	return waited > MAX(LONG_WAITS, turns * LONG_WAIT) && waited > habit->strangers * used;
}

static void
lose_locked(Habit *habit, gint64 now)
{
	habit->lost_for = habit->n_peaceful < habit->again
			      ? CLAMP(2 * habit->lost_for, LOST_MIN, LOST_MAX)
			      : LOST_MIN;
	habit->until = now + habit->lost_for;
	habit->n_peaceful = 0;
	atomic_store(&habit->is_lost, TRUE);
}

static void
judge_locked(Habit *habit, const VpnrPatienceSample *before, const VpnrPatienceSample *now)
{
	if (!atomic_load(&habit->is_lost)) {
		if (is_crowded(habit, before, now))
			lose_locked(habit, now->at);
		else
			habit->n_peaceful++;
	} else if (now->at >= habit->until) {
		atomic_store(&habit->is_lost, FALSE);
	}
}

static gboolean
is_short_of_processors(const VpnrPatienceSample *before, const VpnrPatienceSample *now)
{
	guint64 waited_us = (now->waited - before->waited) / 1000;

	return 10 * waited_us > (guint64)(now->at - before->at);
}

static void
decide_on_haste_locked(const VpnrPatienceSample *before, const VpnrPatienceSample *now)
{
	guint64 talks = atomic_exchange(&haste.n_talks, 0);
	guint64 elapsed = (guint64)(now->at - haste.looked_at);
	gboolean are_many = talks * G_TIME_SPAN_SECOND > elapsed * MANY_TALKS;
	gboolean is_heard;

	haste.looked_at = now->at;
	if (talks > 0)
		haste.until = now->at + HASTE_US;
	is_heard = now->at < haste.until;
	atomic_store(&haste.is_heard, is_heard);
	atomic_store(&haste.is_on,
		     is_heard && !are_many && is_short_of_processors(before, now) && can_be_nice());
}

void
vpnr_patience_judge(const VpnrPatienceSample *before, const VpnrPatienceSample *now)
{
	pthread_mutex_lock(&lock);
	judge_locked(&giving_way, before, now);
	judge_locked(&standing_back, before, now);
	if (stands_back)
		decide_on_haste_locked(before, now);
	pthread_mutex_unlock(&lock);
}

/* TRUE if nobody has looked for a while: it is the caller's turn. */
static gboolean
may_look(_Atomic gint64 *next_look, gint64 now)
{
	gint64 next = atomic_load_explicit(next_look, memory_order_relaxed);

	return now >= next && atomic_compare_exchange_strong(next_look, &next, now + LOOK_US);
}

/* A thread begins with one, since two make a judgement. */
static gboolean
is_due(VpnrPatienceWatch *watch, VpnrPatienceWork work, gint64 now)
{
	gboolean begins = !watch->has_begun;
	_Atomic gint64 *next = work == VPNR_PATIENCE_BULK ? &next_look_in_bulk : &next_look_of_all;

	watch->has_begun = TRUE;
	return begins || (now >= watch->before.at + LOOK_US && may_look(next, now));
}

void
vpnr_patience_keep_watch(VpnrPatienceWatch *watch, VpnrPatienceWork work)
{
	VpnrPatienceSample now = { .at = g_get_monotonic_time() };

	if (is_due(watch, work, now.at) && take_sample(&now)) {
		if (watch->before.at != 0)
			vpnr_patience_judge(&watch->before, &now);
		watch->before = now;
	}
	vpnr_patience_adopt(work);
}
