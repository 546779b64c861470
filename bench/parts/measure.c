/* SPDX-License-Identifier: MIT
 *
 * measure: see measure.h.
 */
#include "bench/parts/measure.h"

#include <stdlib.h>
#include <time.h>

/* The part of a measurement that a trial must last before the number of times is taken from it:
 * long enough that neither the clock nor the start of a thread matters. */
#define TRIAL 0.125

/* What one measurement gives, in ns. */
typedef struct {
	double wall, cpu;
} Span;

static double
clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static Span
run(const Work *work, guint64 times)
{
	double cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	double wall = clock_ns(CLOCK_MONOTONIC);

	work->run(work->data, times);
	wall = clock_ns(CLOCK_MONOTONIC) - wall;
	cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	return (Span){ .wall = wall, .cpu = cpu };
}

/* How many times take as long as a measurement is to take. */
static guint64
calibrate(const Work *work, double goal_ns)
{
	for (guint64 times = 1;; times *= 2) {
		double ns = run(work, times).wall;

		if (ns >= goal_ns * TRIAL)
			return MAX(1, (guint64)((double)times * goal_ns / ns));
	}
}

static void
result_free(gpointer data)
{
	Result *result = data;

	g_free(result->name);
	g_array_unref(result->ns);
	g_array_unref(result->cpu_ns);
	g_free(result);
}

static Result *
add_result(Measure *measure, const Work *work)
{
	Result *result = g_new0(Result, 1);

	result->subject = measure->subject;
	result->name = g_strdup(work->name);
	result->bytes = work->bytes;
	result->ns = g_array_new(FALSE, FALSE, sizeof(double));
	result->cpu_ns = g_array_new(FALSE, FALSE, sizeof(double));
	g_ptr_array_add(measure->results, result);
	return result;
}

static void
measure_once(const Work *work, guint64 times, Result *result)
{
	double count = (double)times * work->units;
	Span span = run(work, times);

	span.wall /= count;
	span.cpu /= count;
	g_array_append_val(result->ns, span.wall);
	g_array_append_val(result->cpu_ns, span.cpu);
}

void
measure_init(Measure *measure, guint repeat, guint goal_ms)
{
	*measure = (Measure){
		.repeat = repeat,
		.goal_ns = goal_ms * 1e6,
		.results = g_ptr_array_new_with_free_func(result_free),
	};
	getloadavg(&measure->load_before, 1);
}

void
measure_clear(Measure *measure)
{
	g_clear_pointer(&measure->results, g_ptr_array_unref);
}

void
measure_in_turn(Measure *measure, const Work *works, guint n)
{
	g_autofree Result **results = g_new(Result *, n);
	g_autofree guint64 *times = g_new(guint64, n);

	for (guint i = 0; i < n; i++) {
		g_printerr("micro: %s: %s\n", measure->subject, works[i].name);
		times[i] = calibrate(&works[i], measure->goal_ns);
		results[i] = add_result(measure, &works[i]);
		results[i]->base = i > 0 ? results[0] : NULL;
	}
	for (guint repetition = 0; repetition < measure->repeat; repetition++)
		for (guint i = 0; i < n; i++)
			measure_once(&works[i], times[i], results[i]);
}
