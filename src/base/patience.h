/* SPDX-License-Identifier: MIT
 *
 * patience: which of this program's threads give way to which.
 *
 * Patient threads, when they are woken, wait until who has the processor sleeps or has used up its
 * time (SCHED_BATCH, sched(7)), instead of interrupting it, and let others run before some of their
 * sleeps. What wakes many threads in a row, or one again and again, gets done with that first:
 * fewer changes of context, and larger batches.
 *
 * One that carries a transfer stands back, besides. It asks for longer turns (the slice of
 * sched_setattr(2); Linux 6.12): where many have something to do, each gets more of it done before
 * the next one has the processor, and who is woken for less need not wait for the end of such a
 * turn. And if others stand back as well, or somebody talks, it takes a lower priority (nice(2)),
 * if it may have its own back, so that what is short goes first. While the processors are short for
 * transfers and some streams talk, who is woken for these, and for everything that passes, is in
 * haste: it interrupts who stands back.
 *
 * That is right as long as it is this program, or who works with it, that has the processor. Where
 * others compute, each thread would wait for the end of their turn, some milliseconds, and who
 * stands back would get what they leave. So threads that are woken for everything that passes, and
 * those that stand back, keep watch of how long they wait. When that is long nobody stands back for
 * some time, and when it is very long nobody is patient at all.
 *
 * The program begins patient.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a thread is about to sleep from. */
typedef enum {
	VPNR_PATIENCE_LINK, /* it is woken for everything that passes */
	VPNR_PATIENCE_TALK, /* for what is short, or for something new */
	VPNR_PATIENCE_BULK, /* it carries a transfer */
} VpnrPatienceWork;

/* The calling thread becomes as patient as the program is now with those that do this work. Before
 * it sleeps, since it counts when it is woken. Two system calls if that has changed since the last
 * time; where it is forbidden, nothing changes. Its nice value is its own again when it no longer
 * stands back, and is not touched if it could not be: that takes CAP_SYS_NICE or RLIMIT_NICE
 * (getrlimit(2)). The first call of all for a transfer finds that out by a thread that ends at
 * once. Who has adopted BULK adopts something else before it ends, since who stands back is
 * counted. */
void vpnr_patience_adopt(VpnrPatienceWork work);

/* TRUE while some have adopted TALK lately beside threads that stand back: as haste, but whatever
 * the processors, the permission and the number (thread-safe). */
gboolean vpnr_patience_hears_talk(void);

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
	gboolean has_begun;
} VpnrPatienceWatch;

/* vpnr_patience_adopt(), and now and then before it a look at how long the calling thread has
 * waited, by which the program loses its patience, or gets it back. Each thread begins with a look;
 * then there are 50 a second at most of all threads in bulk, and 50 of all others together;
 * otherwise only a clock is read. Without CONFIG_SCHED_INFO in the kernel the program stays
 * patient. */
void vpnr_patience_keep_watch(VpnrPatienceWatch *watch, VpnrPatienceWork work);

/* What that look does when there was one before. Others had the processors that the thread waited
 * for if it waited long each time, and longer in all than the whole process has run: had it waited
 * for the process' own threads, or for who works with them, these would have run meanwhile. With
 * twice as long nobody stands back for a second, with four times as long nobody is patient; and for
 * longer (16 at most) if that has just been so.
 *
 * A thread that stands back says whether processors are short: it has waited for a tenth of the
 * time. The others are in haste then for 100 ms after somebody has talked, unless more than 10,000
 * waits a second are for that: so many are better served together. */
void vpnr_patience_judge(const VpnrPatienceSample *before, const VpnrPatienceSample *now);

G_END_DECLS
