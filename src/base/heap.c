/* SPDX-License-Identifier: MIT
 *
 * heap: see heap.h.
 */
#include "base/heap.h"

#include <malloc.h>

/* Arenas of malloc. Every thread would like one of its own, up to eight per processor, and freed
 * memory stays in each: with thousands of workers two are fast enough and give memory back. */
#define ARENAS 2

/* Bytes at the top of an arena that it keeps. With the 128 KiB of the C library two frames of the
 * largest size, once freed, went back to the system, and came again with a page fault for each 4
 * KiB: a fifth of all processor time of a transfer. As much as the writer's queue and replay buffer
 * of a busy session. */
#define KEPT_FREE (32 * 1024 * 1024)

typedef void (*VoidFunc)(void);

/* GLib calls it an internal debugging API and asks for it before the first slice. In 2.76 the
 * allocator went away, and this does nothing. */
static void
use_malloc_for_slices(void)
{
	G_GNUC_BEGIN_IGNORE_DEPRECATIONS
	g_slice_set_config(G_SLICE_CONFIG_ALWAYS_MALLOC, TRUE);
	G_GNUC_END_IGNORE_DEPRECATIONS
}

/* What a program wants to do before its libraries are initialised, of which GLib is one; they are
 * in memory and linked by then. (System V ABI, chapter 5, DT_PREINIT_ARRAY. A C library that does
 * not look at it leaves GLib as it is.) */
__attribute__((section(".preinit_array"), used)) static VoidFunc before_libraries =
    use_malloc_for_slices;

void
vpnr_heap_prepare(void)
{
	mallopt(M_ARENA_MAX, ARENAS);
	mallopt(M_TRIM_THRESHOLD, KEPT_FREE);
}

void
vpnr_heap_trim(void)
{
	malloc_trim(0);
}
