/* SPDX-License-Identifier: MIT
 *
 * pool: threads that wait for a task, run it and wait again.
 *
 * A worker stands on the stack of its thread and is gone when that is joined.
 *
 * A worker is idle (in pool->idle, newest first, so that the thread whose stack is warm is reused
 * and those below age), or busy, or has retired. All fields but the constants are under the lock;
 * tasks run without it.
 *
 * Retired threads are joined one by the next: a worker that retires joins the one that retired
 * before it, so that at most one thread is ever left unjoined, and nobody has to come by to free
 * the stacks after a peak. The last is joined by vpnr_pool_free().
 *
 * What the tasks had on the heap is free then, but the allocator gives back only what is at the end
 * of it. So from time to time a thread that retires sees to the rest.
 */
#include "base/pool.h"

#include <pthread.h>
#include <time.h>

#include "base/heap.h"
#include "base/patience.h"

/* So many threads must have retired, and as many as are left, before it is worth to look through
 * the heap. So a peak of 5,000 costs seven looks, and what 64 streams had may stay. */
#define TRIM_AFTER 64

typedef struct {
	/* const after start */
	VpnrPool *pool;
	VpnrThread *thread;
	/* lock */
	pthread_cond_t changed; /* func was set, or the pool is closing */
	VpnrThreadFunc func;    /* NULL while idle */
	gpointer data;
	GList link; /* in pool->idle */
} Worker;

struct VpnrPool {
	/* const after start */
	char *name;
	guint max_threads;
	/* lock */
	pthread_mutex_t lock;
	pthread_cond_t emptied; /* the last worker has retired */
	GQueue idle;            /* of Worker, by their links */
	guint n_busy;
	Worker *retired; /* the last one; nobody has joined it yet */
	guint n_retired; /* since the heap was last trimmed */
	gboolean closing;
};

VpnrPool *
vpnr_pool_new(const char *name, guint max_threads)
{
	VpnrPool *pool = g_new0(VpnrPool, 1);

	pool->name = g_strdup(name);
	pool->max_threads = max_threads;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->emptied, NULL);
	g_queue_init(&pool->idle);
	return pool;
}

/* What is not copied to where a worker will be. */
static void
worker_init_rest(Worker *worker, VpnrThread *thread)
{
	pthread_condattr_t attr;

	worker->thread = thread;
	worker->link.data = worker;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&worker->changed, &attr);
	pthread_condattr_destroy(&attr);
}

/* One that has retired: nobody uses its condition any more. */
static void
worker_join(Worker *worker)
{
	if (worker == NULL)
		return;
	pthread_cond_destroy(&worker->changed);
	vpnr_thread_join(worker->thread);
}

static struct timespec
idle_deadline(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += VPNR_POOL_IDLE_MS / 1000;
	return at;
}

/* Where tasks come and go, who is ready to run may have the next one, which then needs no
 * wake-up. */
static void
let_others_run_locked(VpnrPool *pool)
{
	pthread_mutex_unlock(&pool->lock);
	vpnr_patience_yield();
	pthread_mutex_lock(&pool->lock);
}

/* FALSE when no task came: the worker is out of the idle queue then. */
static gboolean
wait_for_task_locked(Worker *worker)
{
	VpnrPool *pool = worker->pool;
	struct timespec deadline = idle_deadline();
	gboolean timed_out = FALSE;

	g_queue_push_head_link(&pool->idle, &worker->link);
	let_others_run_locked(pool);
	while (worker->func == NULL && !pool->closing && !timed_out)
		timed_out = pthread_cond_timedwait(&worker->changed, &pool->lock, &deadline) != 0;

	if (worker->func != NULL)
		return TRUE; /* whoever gave the task took the worker out */
	g_queue_unlink(&pool->idle, &worker->link);
	return FALSE;
}

static void
run_task_locked(Worker *worker)
{
	VpnrPool *pool = worker->pool;
	VpnrThreadFunc func = worker->func;

	pthread_mutex_unlock(&pool->lock);
	func(worker->data);
	vpnr_patience_adopt(VPNR_PATIENCE_TALK);
	vpnr_thread_set_name(pool->name); /* the task may have given the thread its own */
	pthread_mutex_lock(&pool->lock);

	worker->func = NULL;
	worker->data = NULL;
	pool->n_busy--;
}

/* TRUE if the heap is to be trimmed. */
static gboolean
retire_locked(VpnrPool *pool, Worker *worker)
{
	guint n_left = pool->n_busy + pool->idle.length;

	pool->retired = worker;
	if (n_left == 0)
		pthread_cond_signal(&pool->emptied);
	if (++pool->n_retired < MAX(TRIM_AFTER, n_left))
		return FALSE;
	pool->n_retired = 0;
	return TRUE;
}

static void
work(gpointer data)
{
	Worker *worker = data;
	VpnrPool *pool = worker->pool;
	Worker *before;
	gboolean trim;

	vpnr_patience_adopt(VPNR_PATIENCE_TALK);
	pthread_mutex_lock(&pool->lock);
	do
		run_task_locked(worker);
	while (wait_for_task_locked(worker));

	before = pool->retired;
	trim = retire_locked(pool, worker);
	pthread_mutex_unlock(&pool->lock);
	worker_join(before);
	if (trim)
		vpnr_heap_trim();
}

/* The lock is held while the thread is created, and the thread takes it first, so that the worker
 * is complete before anybody looks at it. pthread_create() neither calls back nor waits for another
 * thread. */
static gboolean
start_worker_locked(VpnrPool *pool, VpnrThreadFunc func, gpointer data)
{
	const Worker worker = { .pool = pool, .func = func, .data = data };
	VpnrThread *thread =
	    vpnr_thread_start_with_copy(pool->name, work, &worker, sizeof worker, NULL);

	if (thread == NULL)
		return FALSE;
	worker_init_rest(vpnr_thread_data(thread), thread);
	return TRUE;
}

static gboolean
run_locked(VpnrPool *pool, VpnrThreadFunc func, gpointer data)
{
	GList *link;
	Worker *worker;

	if (pool->closing)
		return FALSE;
	link = g_queue_pop_head_link(&pool->idle);
	if (link == NULL)
		return pool->n_busy < pool->max_threads && start_worker_locked(pool, func, data);

	worker = link->data;
	worker->func = func;
	worker->data = data;
	pthread_cond_signal(&worker->changed);
	return TRUE;
}

gboolean
vpnr_pool_run(VpnrPool *pool, VpnrThreadFunc func, gpointer data)
{
	gboolean taken;

	pthread_mutex_lock(&pool->lock);
	taken = run_locked(pool, func, data);
	if (taken)
		pool->n_busy++;
	pthread_mutex_unlock(&pool->lock);
	return taken;
}

guint
vpnr_pool_busy(VpnrPool *pool)
{
	guint n_busy;

	pthread_mutex_lock(&pool->lock);
	n_busy = pool->n_busy;
	pthread_mutex_unlock(&pool->lock);
	return n_busy;
}

void
vpnr_pool_free(VpnrPool *pool)
{
	if (pool == NULL)
		return;

	pthread_mutex_lock(&pool->lock);
	pool->closing = TRUE;
	for (GList *link = pool->idle.head; link != NULL; link = link->next)
		pthread_cond_signal(&((Worker *)link->data)->changed);
	while (pool->n_busy > 0 || pool->idle.length > 0)
		pthread_cond_wait(&pool->emptied, &pool->lock);
	pthread_mutex_unlock(&pool->lock);

	/* It holds the chain: each retired worker joins the one before it. */
	worker_join(pool->retired);
	pthread_cond_destroy(&pool->emptied);
	pthread_mutex_destroy(&pool->lock);
	g_free(pool->name);
	g_free(pool);
}
