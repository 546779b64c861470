/* SPDX-License-Identifier: MIT
 *
 * pool: the limit, reuse, refusal and the end. What happens under load, and to threads that stay
 * idle, is in tests/thread/pool.c.
 *
 * Linked with --wrap=pthread_create, so that creation can be made to fail, and with
 * --wrap=vpnr_heap_trim, which is counted.
 */
#include "base/pool.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "base/latch.h"

static gboolean refuse;
static _Atomic guint n_trims;

int
__real_pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*func)(void *), void *data);
int
__wrap_pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*func)(void *), void *data);

int
__wrap_pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*func)(void *), void *data)
{
	return refuse ? EAGAIN : __real_pthread_create(id, attr, func, data);
}

void __wrap_vpnr_heap_trim(void);

void
__wrap_vpnr_heap_trim(void)
{
	n_trims++;
}

/* A task that reports who runs it and stays until it is told to go. */
typedef struct {
	VpnrLatch *started;
	VpnrLatch *leave;
	pthread_t thread;
	char name[16];
} Task;

static Task *
task_new(void)
{
	Task *task = g_new0(Task, 1);

	task->started = vpnr_latch_new(NULL);
	task->leave = vpnr_latch_new(NULL);
	g_assert_nonnull(task->started);
	g_assert_nonnull(task->leave);
	return task;
}

static void
task_free(Task *task)
{
	vpnr_latch_free(task->started);
	vpnr_latch_free(task->leave);
	g_free(task);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Task, task_free)

static void
task_run(gpointer data)
{
	Task *task = data;

	task->thread = pthread_self();
	pthread_getname_np(task->thread, task->name, sizeof(task->name));
	vpnr_thread_set_name("task");
	vpnr_latch_trip(task->started);
	vpnr_latch_wait(task->leave, -1);
}

static gboolean
start(VpnrPool *pool, Task *task)
{
	return vpnr_pool_run(pool, task_run, task) && vpnr_latch_wait(task->started, -1);
}

/* A task's last act and its thread's return to the pool are two events; nothing signals the
 * second. */
static void
wait_for_busy(VpnrPool *pool, guint n)
{
	while (vpnr_pool_busy(pool) > n)
		sched_yield();
}

static void
test_limit(void)
{
	g_autoptr(Task) a = task_new();
	g_autoptr(Task) b = task_new();
	g_autoptr(Task) c = task_new();
	g_autoptr(VpnrPool) pool = vpnr_pool_new("test", 2);

	g_assert_cmpuint(vpnr_pool_busy(pool), ==, 0);
	g_assert_true(start(pool, a));
	g_assert_true(start(pool, b));
	g_assert_cmpuint(vpnr_pool_busy(pool), ==, 2);
	g_assert_false(vpnr_pool_run(pool, task_run, c));

	vpnr_latch_trip(a->leave);
	wait_for_busy(pool, 1);
	g_assert_true(start(pool, c));
	g_assert_cmpuint(vpnr_pool_busy(pool), ==, 2);
	vpnr_latch_trip(b->leave);
	vpnr_latch_trip(c->leave);
}

static void
test_newest_first(void)
{
	g_autoptr(Task) a = task_new();
	g_autoptr(Task) b = task_new();
	g_autoptr(Task) c = task_new();
	g_autoptr(VpnrPool) pool = vpnr_pool_new("test", 8);

	g_assert_true(start(pool, a));
	g_assert_true(start(pool, b));
	vpnr_latch_trip(a->leave);
	wait_for_busy(pool, 1);
	vpnr_latch_trip(b->leave);
	wait_for_busy(pool, 0);

	g_assert_true(start(pool, c));
	g_assert_true(pthread_equal(c->thread, b->thread));
	g_assert_cmpstr(c->name, ==, "test");
	vpnr_latch_trip(c->leave);
}

static void
test_no_thread(void)
{
	g_autoptr(Task) task = task_new();
	g_autoptr(VpnrPool) pool = vpnr_pool_new("test", 2);

	refuse = TRUE;
	g_assert_false(vpnr_pool_run(pool, task_run, task));
	refuse = FALSE;
	g_assert_cmpuint(vpnr_pool_busy(pool), ==, 0);
	g_assert_false(vpnr_latch_is_tripped(task->started));
	g_assert_true(start(pool, task));
	vpnr_latch_trip(task->leave);
}

typedef struct {
	VpnrPool *pool;
	gboolean refused;
} Closing;

static void
do_nothing(gpointer data)
{
}

/* Stays until the pool takes no more tasks, which is when it is being freed. */
static void
run_until_refused(gpointer data)
{
	Closing *closing = data;

	while (vpnr_pool_run(closing->pool, do_nothing, NULL))
		sched_yield();
	closing->refused = TRUE;
}

static void
test_free_waits(void)
{
	Closing closing = { .pool = vpnr_pool_new("test", 1000) };

	g_assert_true(vpnr_pool_run(closing.pool, run_until_refused, &closing));
	vpnr_pool_free(closing.pool);
	g_assert_true(closing.refused);
}

static void
test_free_joins(void)
{
	g_test_summary("No thread is left: the kernel counts as many as before.");

	guint before = vpnr_thread_count();
	VpnrPool *pool = vpnr_pool_new("test", 16);

	for (guint i = 0; i < 16; i++)
		g_assert_true(vpnr_pool_run(pool, do_nothing, NULL));
	vpnr_pool_free(pool);
	vpnr_pool_free(NULL);

	/* pthread_join() returns a moment before the kernel forgets the thread. */
	while (vpnr_thread_count() > before)
		sched_yield();
}

static void
wait_for_latch(gpointer latch)
{
	vpnr_latch_wait(latch, -1);
}

/* Has n tasks run at the same time, and ends the pool. Returns how often the heap was trimmed. */
static guint
trims_after(guint n)
{
	VpnrLatch *leave = vpnr_latch_new(NULL);
	VpnrPool *pool = vpnr_pool_new("test", n);

	n_trims = 0;
	for (guint i = 0; i < n; i++)
		g_assert_true(vpnr_pool_run(pool, wait_for_latch, leave));
	vpnr_latch_trip(leave);
	vpnr_pool_free(pool);
	vpnr_latch_free(leave);
	return n_trims;
}

static void
test_trim(void)
{
	g_test_summary("The heap is trimmed after a peak, a few times, and not for a few threads.");

	g_assert_cmpuint(trims_after(10), ==, 0);
	g_assert_cmpuint(trims_after(64), ==, 1);
	g_assert_cmpuint(trims_after(500), <=, 7);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pool/limit", test_limit);
	g_test_add_func("/pool/newest-first", test_newest_first);
	g_test_add_func("/pool/no-thread", test_no_thread);
	g_test_add_func("/pool/free/waits", test_free_waits);
	g_test_add_func("/pool/free/joins", test_free_joins);
	g_test_add_func("/pool/trim", test_trim);
	return g_test_run();
}
