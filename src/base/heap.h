/* SPDX-License-Identifier: MIT
 *
 * heap: how the process uses the C library's allocator. Thousands of threads that each keep a
 * little for themselves keep a lot.
 *
 * A program that links this has GLib take its list nodes from malloc(), too: GLib before 2.76 has
 * an allocator of its own for them, which keeps blocks of every size for each thread. That has to
 * be said before GLib makes its first list, which it does before main().
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Limits what is kept for threads. Call it before there is a second thread. */
void vpnr_heap_prepare(void);

/* Gives back to the system what is free, wherever it is in the heap (thread-safe). Who allocates
 * meanwhile waits, some milliseconds for each hundred MiB: not for the data path. */
void vpnr_heap_trim(void);

G_END_DECLS
