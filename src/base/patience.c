/* SPDX-License-Identifier: MIT
 *
 * patience: see patience.h. Every thread changes its own policy, since only it knows when it is
 * about to sleep; the program's patience is one flag that all of them look at.
 */
#include "base/patience.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

/* us between two looks of the process. */
#define LOOK_US 20000

/* ns of all waits since the last look, and of each on average: less than that is no matter. */
#define LONG_WAITS 5000000
#define LONG_WAIT  250000

/* Times as long as the process has run. On a machine that does nothing but what passes through the
 * program, with both ends and the applications on it, 8 transfers make it 1 at the most. */
#define STRANGERS 4

/* How long patience is lost, us. Twice as long as the last time if there were not so many looks in
 * between that showed nothing. */
#define LOST_MIN   (1 * G_TIME_SPAN_SECOND)
#define LOST_MAX   (16 * G_TIME_SPAN_SECOND)
#define LOST_AGAIN 50

static _Atomic gboolean is_lost;
static _Atomic gint64 next_look;
static _Thread_local int policy = -1; /* a new thread has that of its starter */

/* lock */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static gint64 until; /* it is lost, or was the last time */
static gint64 lost_for;
static guint n_peaceful; /* looks since then */

gboolean
vpnr_patience_is_on(void)
{
	return !atomic_load_explicit(&is_lost, memory_order_relaxed);
}

void
vpnr_patience_adopt(void)
{
	const struct sched_param param = { 0 };
	int wanted = vpnr_patience_is_on() ? SCHED_BATCH : SCHED_OTHER;

	if (wanted == policy)
		return;
	policy = wanted;
	pthread_setschedparam(pthread_self(), policy, &param);
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
is_crowded(const VpnrPatienceSample *before, const VpnrPatienceSample *now)
{
	guint64 waited = now->waited - before->waited;
	guint64 turns = now->turns - before->turns;
	guint64 used = now->used - before->used;

	return waited > MAX(LONG_WAITS, turns * LONG_WAIT) && waited > STRANGERS * used;
}

static void
lose_locked(gint64 now)
{
	lost_for = n_peaceful < LOST_AGAIN ? CLAMP(2 * lost_for, LOST_MIN, LOST_MAX) : LOST_MIN;
	until = now + lost_for;
	n_peaceful = 0;
	atomic_store(&is_lost, TRUE);
}

void
vpnr_patience_judge(const VpnrPatienceSample *before, const VpnrPatienceSample *now)
{
	pthread_mutex_lock(&lock);
	if (!atomic_load(&is_lost)) {
		if (is_crowded(before, now))
			lose_locked(now->at);
		else
			n_peaceful++;
	} else if (now->at >= until) {
		atomic_store(&is_lost, FALSE);
	}
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
vpnr_patience_keep_watch(VpnrPatienceWatch *watch)
{
	VpnrPatienceSample now = { .at = g_get_monotonic_time() };

	if (may_look(now.at) && take_sample(&now)) {
		vpnr_patience_judge(&watch->before, &now);
		watch->before = now;
	}
	vpnr_patience_adopt();
}
