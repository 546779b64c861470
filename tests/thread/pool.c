/* SPDX-License-Identifier: MIT
 *
 * Goal: under load every task that was taken runs once, never more at a time than the limit; idle
 * threads end by themselves; the end waits for what runs.
 */
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/latch.h"

#define N_STARTERS  3
#define N_TASKS     10000 /* of each starter */
#define MAX_THREADS 8

/* Milliseconds after which an idle thread that has not ended never will. */
#define PATIENCE (VPNR_POOL_IDLE_MS * 3)

typedef struct {
	VpnrPool *pool;
	/* atomic */
	_Atomic guint n_now;
	_Atomic guint n_most;
	_Atomic guint n_run;
	_Atomic guint n_taken;
} Load;

static void
short_task(gpointer data)
{
	Load *load = data;
	guint now = atomic_fetch_add(&load->n_now, 1) + 1;
	guint most = atomic_load(&load->n_most);

	while (now > most && !atomic_compare_exchange_weak(&load->n_most, &most, now))
		;
	atomic_fetch_add(&load->n_run, 1);
	atomic_fetch_sub(&load->n_now, 1);
}

static void
start_tasks(gpointer data)
{
	Load *load = data;

	for (guint i = 0; i < N_TASKS; i++) {
		if (vpnr_pool_run(load->pool, short_task, load))
			atomic_fetch_add(&load->n_taken, 1);
		else
			sched_yield();
	}
}

static void
test_load(void)
{
	Load load = { .pool = vpnr_pool_new("load", MAX_THREADS) };
	VpnrThread *starters[N_STARTERS];

	for (guint i = 0; i < N_STARTERS; i++) {
		starters[i] = vpnr_thread_start("starter", start_tasks, &load, NULL);
		g_assert_nonnull(starters[i]);
	}
	for (guint i = 0; i < N_STARTERS; i++)
		vpnr_thread_join(starters[i]);
	vpnr_pool_free(load.pool);

	g_assert_cmpuint(load.n_taken, >, 0);
	g_assert_cmpuint(load.n_run, ==, load.n_taken);
	g_assert_cmpuint(load.n_most, <=, MAX_THREADS);
	g_test_message("%u tasks, %u at once", load.n_run, load.n_most);
}

/* Frees the pool while a starter still has tasks running; none may be lost or run afterwards. */
static void
test_free_while_busy(void)
{
	for (guint round = 0; round < 200; round++) {
		Load load = { .pool = vpnr_pool_new("busy", MAX_THREADS) };

		for (guint i = 0; i < MAX_THREADS; i++)
			if (vpnr_pool_run(load.pool, short_task, &load))
				load.n_taken++;
		vpnr_pool_free(load.pool);
		g_assert_cmpuint(load.n_run, ==, load.n_taken);
		g_assert_cmpuint(load.n_now, ==, 0);
	}
}

/* The destructor of thread-specific data runs when a thread ends: an event to wait for. */
typedef struct {
	pthread_key_t key;
	VpnrLatch *all_gone;
	_Atomic guint n_left;
} Mourner;

static void
on_thread_end(void *data)
{
	Mourner *mourner = data;

	if (atomic_fetch_sub(&mourner->n_left, 1) == 1)
		vpnr_latch_trip(mourner->all_gone);
}

static void
mark_thread(gpointer data)
{
	Mourner *mourner = data;

	if (pthread_getspecific(mourner->key) == NULL) {
		atomic_fetch_add(&mourner->n_left, 1);
		pthread_setspecific(mourner->key, mourner);
	}
}

static void
test_idle_threads_end(void)
{
	g_test_summary("After VPNR_POOL_IDLE_MS without a task the memory is given back.");

	g_autoptr(VpnrLatch) all_gone = vpnr_latch_new(NULL);
	Mourner mourner = { .all_gone = all_gone };
	VpnrPool *pool = vpnr_pool_new("idle", MAX_THREADS);
	gint64 start = g_get_monotonic_time();

	g_assert_cmpint(pthread_key_create(&mourner.key, on_thread_end), ==, 0);
	for (guint i = 0; i < MAX_THREADS; i++)
		g_assert_true(vpnr_pool_run(pool, mark_thread, &mourner));

	g_assert_true(vpnr_latch_wait(all_gone, PATIENCE));
	g_assert_cmpint(g_get_monotonic_time() - start, >=, VPNR_POOL_IDLE_MS * 1000);
	g_assert_cmpuint(vpnr_pool_busy(pool), ==, 0);

	g_assert_true(vpnr_pool_run(pool, mark_thread, &mourner));
	vpnr_pool_free(pool);
	g_assert_cmpuint(mourner.n_left, ==, 0);
	pthread_key_delete(mourner.key);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/thread/pool/load", test_load);
	g_test_add_func("/thread/pool/free-while-busy", test_free_while_busy);
	g_test_add_func("/thread/pool/idle-threads-end", test_idle_threads_end);
	return g_test_run();
}
