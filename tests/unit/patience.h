/* SPDX-License-Identifier: MIT
 *
 * patience: how a test waits for what no descriptor tells: it looks again and again and lets others
 * run in between. A test that waits in vain fails, long before make check gives it up.
 *
 *	for (gint64 start = g_get_monotonic_time(); !done(); patience(start))
 *		;
 */
#pragma once

#include <glib.h>

/* Far above what a busy machine with a sanitizer needs. */
#define PATIENCE_MS 60000

G_BEGIN_DECLS

void patience(gint64 start);

/* Open descriptors of this process. What is to go is waited for: a thread that has let go of its
 * work may still have to close, and one that begins opens a file of /proc for a moment. */
guint count_fds(void);

/* TRUE if the thread with this id sleeps, because the kernel has nothing to tell it: who spins, or
 * has been woken, does not. */
gboolean thread_sleeps(gint tid);

/* ns that the thread with this id may have a processor before the next one gets it; 0: the kernel
 * does not say (before Linux 6.12). */
guint64 thread_turn(gint tid);

G_END_DECLS
