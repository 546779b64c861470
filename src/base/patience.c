/* SPDX-License-Identifier: MIT
 *
 * patience: see patience.h. Every thread changes its own policy, since only it knows when it is
 * about to sleep; the program's patience is two flags that all of them look at.
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

/* ns. Measured with 8 and 100 transfers, 10 ms gain less, 100 ms no more. */
#define LONG_TURN 20000000

/* us between two looks of the process. */
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
 * Beside programs that compute, who gives way answers late; who keeps long turns is left a fifth of
 * the throughput, by waits that are not as long. */
static Habit giving_way = { .strangers = 4, .again = 50 };
static Habit long_turns = { .strangers = 2, .again = 500 };

static _Atomic gint64 next_look;
static _Thread_local int policy = -1; /* a new thread has that of its starter */
static _Thread_local guint64 turn;    /* ns; 0: as long as the kernel thinks best */

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

static void
ask_kernel(void)
{
	const Attributes attributes = { .size = sizeof attributes,
					.policy = (guint32)policy,
					.nice = getpriority(PRIO_PROCESS, 0), /* of the thread */
					.runtime = turn };

	syscall(SYS_sched_setattr, 0, &attributes, 0);
}

void
vpnr_patience_adopt(gboolean in_bulk)
{
	gboolean is_on = vpnr_patience_is_on();
	int wanted_policy = is_on ? SCHED_BATCH : SCHED_OTHER;
	guint64 wanted_turn = in_bulk && is_on && is_kept(&long_turns) ? LONG_TURN : 0;

	if (wanted_policy == policy && wanted_turn == turn)
		return;
	policy = wanted_policy;
	turn = wanted_turn;
	ask_kernel();
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

void
vpnr_patience_judge(const VpnrPatienceSample *before, const VpnrPatienceSample *now)
{
	pthread_mutex_lock(&lock);
	judge_locked(&giving_way, before, now);
	judge_locked(&long_turns, before, now);
	pthread_mutex_unlock(&lock);
}

/* TRUE if nobody has looked for a while: it is the caller's turn. */
static gboolean
may_look(gint64 now)
{
	gint64 next = atomic_load_explicit(&next_look, memory_order_relaxed);

	return now >= next && atomic_compare_exchange_strong(&next_look, &next, now + LOOK_US);
}

void
vpnr_patience_keep_watch(VpnrPatienceWatch *watch, gboolean in_bulk)
{
	VpnrPatienceSample now = { .at = g_get_monotonic_time() };

	if (may_look(now.at) && take_sample(&now)) {
		if (watch->before.at != 0)
			vpnr_patience_judge(&watch->before, &now);
		watch->before = now;
	}
	vpnr_patience_adopt(in_bulk);
}
