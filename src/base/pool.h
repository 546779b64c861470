/* SPDX-License-Identifier: MIT
 *
 * pool: threads for streams. A stream has a thread of its own from birth to end; when it ends, the
 * thread takes the next stream instead of going away, so that short connections do not pay for a
 * thread each.
 *
 * There is no queue: a task either gets a thread at once or is refused. An idle thread ends by
 * itself after VPNR_POOL_IDLE_MS, so memory is given back after a peak, that of the heap included.
 */
#pragma once

#include "base/thread.h"

G_BEGIN_DECLS

/* Milliseconds. Longer than the gap between requests of a busy client, shorter than a user's
 * patience with memory that does not shrink. */
#define VPNR_POOL_IDLE_MS 10000

typedef struct VpnrPool VpnrPool;

/* A pool of at most max_threads threads. Never fails; no thread is started yet. */
VpnrPool *vpnr_pool_new(const char *name, guint max_threads);

/* Runs func(data) on an idle or new thread (thread-safe, does not block). Returns FALSE, and never
 * calls func, when max_threads are busy, the system has no thread to give, or the pool is being
 * freed. */
gboolean vpnr_pool_run(VpnrPool *pool, VpnrThreadFunc func, gpointer data);

/* Threads that run a task now. */
guint vpnr_pool_busy(VpnrPool *pool);

/* Refuses new tasks, waits until those that run have ended, joins every thread, frees. The caller
 * has told the tasks to end. Takes NULL. */
void vpnr_pool_free(VpnrPool *pool);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrPool, vpnr_pool_free)

G_END_DECLS
