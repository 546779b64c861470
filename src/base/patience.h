/* SPDX-License-Identifier: MIT
 *
 * patience: whether the threads of this program give way to each other.
 *
 * Patient threads, when they are woken, wait until who has the processor sleeps or has used up its
 * time (SCHED_BATCH, sched(7)), instead of interrupting it, and let others run before some of their
 * sleeps. What wakes many threads in a row, or one again and again, gets done with that first:
 * fewer changes of context, and larger batches. One that carries a transfer asks for longer turns,
 * too (the slice of sched_setattr(2); Linux 6.12): where many have something to do, each gets more
 * of it done before the next one has the processor, and who is woken for less need not wait for the
 * end of such a turn. Their share of the processor stays the same.
 *
 * That is right as long as it is this program, or who works with it, that has the processor. Where
 * others compute, each thread would wait for the end of their turn, some milliseconds, and one with
 * long turns would have to wait for it each time. So threads that are woken for everything that
 * passes, and those with long turns, keep watch of how long they wait. When that is long nobody has
 * long turns for some time, and when it is very long nobody is patient at all.
 *
 * The program begins patient.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The calling thread becomes as patient as the program is now, with long turns if it is in_bulk and
 * the program has them. Before it sleeps, since it counts when it is woken. Two system calls if
 * that has changed since the last time; where it is forbidden, nothing changes. Its nice value
 * stays. */
void vpnr_patience_adopt(gboolean in_bulk);

/* Lets others run once (sched_yield(2)). FALSE, and nothing is done, if nobody is patient. */
gboolean vpnr_patience_yield(void);

/* (thread-safe) */
gboolean vpnr_patience_is_on(void);

/* --- keeping watch ---------------------------------------------------------------------------- */

/* What the kernel has counted of a thread and its process until a moment. */
typedef struct {
	gint64 at;      /* us, of the monotonic clock */
	guint64 waited; /* ns that the thread was ready to run and had no processor */
	guint64 turns;  /* times that it got one */
	guint64 used;   /* ns of processor time of all threads of the process */
} VpnrPatienceSample;

/* One per thread that keeps watch, zeros at first. */
typedef struct {
	VpnrPatienceSample before;
} VpnrPatienceWatch;

/* vpnr_patience_adopt(), and now and then before it a look at how long the calling thread has
 * waited; the program loses its patience, or gets it back. There are 50 looks a second at most, of
 * all threads together; otherwise only a clock is read. Without CONFIG_SCHED_INFO in the kernel the
 * program stays patient. */
void vpnr_patience_keep_watch(VpnrPatienceWatch *watch, gboolean in_bulk);

/* What that look does when there was one before. Others had the processors that the thread waited
 * for if it waited long each time, and longer in all than the whole process has run: had it waited
 * for the process' own threads, or for who works with them, these would have run meanwhile. With
 * twice as long there are no long turns for a second, with four times as long no patience; and for
 * longer (16 at most) if that has just been so. */
void vpnr_patience_judge(const VpnrPatienceSample *before, const VpnrPatienceSample *now);

G_END_DECLS
