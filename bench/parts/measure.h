/* SPDX-License-Identifier: MIT
 *
 * measure: how long something takes, beside something else that does the same.
 *
 * Works that are to be compared are measured in turn, so that a machine that gets faster or slower
 * meanwhile does it to all of them. How often one is done in a measurement is found out before,
 * which warms it up as well. One thread measures; a work may have others of its own, and has joined
 * them when it returns.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Does the work so many times. */
typedef void (*WorkFunc)(gpointer data, guint64 times);

/* Something to measure. */
typedef struct {
	const char *name;
	WorkFunc run;
	gpointer data;
	guint units; /* how many of what is counted are done at a time */
	gsize bytes; /* of data that one of them moves; 0: they are not what matters */
} Work;

/* What came of one. */
typedef struct Result Result;
struct Result {
	const char *subject;
	char *name;
	const Result *base; /* with what it is compared; NULL: others are with it */
	gsize bytes;
	/* double, in ns for one of what is counted, one for each repetition */
	GArray *ns;
	GArray *cpu_ns; /* of all threads, kernel included */
};

/* What was asked for, and all results so far, in the order in which they were added. */
typedef struct {
	guint repeat;
	double goal_ns;      /* what one measurement is to take */
	double load_before;  /* other people's */
	const char *subject; /* of what is measured now */
	GPtrArray *results;  /* of Result (owned) */
} Measure;

void measure_init(Measure *measure, guint repeat, guint goal_ms);
void measure_clear(Measure *measure);

/* Measures these in turn, and adds their results; the others are compared with the first. */
void measure_in_turn(Measure *measure, const Work *works, guint n);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Measure, measure_clear)

G_END_DECLS
