/* SPDX-License-Identifier: MIT
 *
 * mailbox: what it costs to hand something over, within one thread and to another that is awake, or
 * asleep. What a mailbox is made of, a GAsyncQueue and an eventfd, is measured beside it, and so is
 * a pipe.
 */
#include <err.h>
#include <sched.h>

#include "base/thread.h"
#include "bench/parts/queue.h"
#include "bench/parts/subjects.h"

/* --- processors ------------------------------------------------------------------------------- */

/* What a wake-up costs depends on where the sleeper is, and the scheduler changes its mind about
 * that, so both threads are told where to run. */
static cpu_set_t
allowed_processors(void)
{
	cpu_set_t all;

	if (sched_getaffinity(0, sizeof all, &all) < 0)
		err(1, "sched_getaffinity");
	return all;
}

static void
run_on(const cpu_set_t *processors)
{
	if (sched_setaffinity(0, sizeof *processors, processors) < 0)
		err(1, "sched_setaffinity");
}

/* The one with this index among those that are allowed. */
static cpu_set_t
nth_processor(guint index)
{
	cpu_set_t all = allowed_processors(), one;
	int processor = 0;

	while (!CPU_ISSET(processor, &all) || index-- > 0)
		processor++;
	CPU_ZERO(&one);
	CPU_SET(processor, &one);
	return one;
}

/* --- what is done with them ------------------------------------------------------------------- */

typedef struct Pair Pair;
struct Pair {
	const QueueClass *class;
	gpointer there, back;
	cpu_set_t ours, others; /* where the two threads run */
	void (*other)(Pair *pair);
	guint64 times;
};

/* One thread, which never finds the queue empty. */
static void
push_and_pop(gpointer data, guint64 times)
{
	Pair *pair = data;

	for (; times > 0; times--) {
		pair->class->push(pair->there, pair);
		pair->class->try_pop(pair->there);
	}
}

static void
run_other(gpointer data)
{
	Pair *pair = data;

	run_on(&pair->others);
	pair->other(pair);
}

static void
run_both(Pair *pair, guint64 times, void (*ours)(Pair *pair), void (*other)(Pair *pair))
{
	g_autoptr(GError) error = NULL;
	const cpu_set_t before = allowed_processors();
	VpnrThread *thread;

	pair->times = times;
	pair->other = other;
	run_on(&pair->ours);
	thread = vpnr_thread_start("other", run_other, pair, &error);
	if (thread == NULL)
		errx(1, "%s", error->message);
	ours(pair);
	vpnr_thread_join(thread);
	run_on(&before);
}

static void
push_all(Pair *pair)
{
	for (guint64 i = 0; i < pair->times; i++)
		pair->class->push(pair->there, pair);
}

static void
take_awake(Pair *pair)
{
	for (guint64 i = 0; i < pair->times;)
		if (pair->class->try_pop(pair->there) != NULL)
			i++;
}

static void
push_to_awake(gpointer data, guint64 times)
{
	run_both(data, times, push_all, take_awake);
}

static void
take_waiting(Pair *pair)
{
	for (guint64 i = 0; i < pair->times; i++)
		pair->class->pop(pair->there);
}

static void
push_to_waiting(gpointer data, guint64 times)
{
	run_both(data, times, push_all, take_waiting);
}

static void
answer(Pair *pair)
{
	for (guint64 i = 0; i < pair->times; i++)
		pair->class->push(pair->back, pair->class->pop(pair->there));
}

static void
ask(Pair *pair)
{
	for (guint64 i = 0; i < pair->times; i++) {
		pair->class->push(pair->there, pair);
		pair->class->pop(pair->back);
	}
}

static void
ping_pong(gpointer data, guint64 times)
{
	run_both(data, times, ask, answer);
}

/* --- measured --------------------------------------------------------------------------------- */

/* The most kinds of queue that are compared. */
#define KINDS 4

typedef struct {
	const char *name;
	WorkFunc run;
	guint processors;
	const QueueClass *kinds[KINDS]; /* NULL: no more */
} Case;

static const Case cases[] = {
	{ "one thread", push_and_pop, 1, { &queue_async, &queue_mailbox } },
	{ "to a thread awake", push_to_awake, 2, { &queue_async, &queue_mailbox } },
	{ "to a thread that waits", push_to_waiting, 2, { &queue_async, &queue_mailbox } },
	{ "ping-pong, one processor",
	  ping_pong,
	  1,
	  { &queue_eventfd, &queue_pipe, &queue_async, &queue_mailbox } },
	{ "ping-pong, two processors",
	  ping_pong,
	  2,
	  { &queue_eventfd, &queue_pipe, &queue_async, &queue_mailbox } },
};

static void
measure_case(Measure *measure, const Case *what)
{
	Pair pairs[KINDS];
	Work works[KINDS] = { 0 };
	guint n = 0;

	for (; n < KINDS && what->kinds[n] != NULL; n++) {
		const QueueClass *kind = what->kinds[n];

		pairs[n] = (Pair){ .class = kind, .there = kind->make(), .back = kind->make() };
		pairs[n].ours = nth_processor(0);
		pairs[n].others = nth_processor(what->processors - 1);
		works[n] = (Work){ .run = what->run, .data = &pairs[n], .units = 1 };
		works[n].name = g_strdup_printf("%s, %s", what->name, kind->name);
	}
	measure_in_turn(measure, works, n);
	for (guint i = 0; i < n; i++) {
		pairs[i].class->free(pairs[i].there);
		pairs[i].class->free(pairs[i].back);
		g_free((char *)works[i].name);
	}
}

void
measure_mailbox(Measure *measure)
{
	cpu_set_t all = allowed_processors();

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		if (cases[i].processors <= (guint)CPU_COUNT(&all))
			measure_case(measure, &cases[i]);
		else
			g_printerr("micro: mailbox: %s: left out, there is one processor\n",
				   cases[i].name);
	}
}
