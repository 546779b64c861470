/* SPDX-License-Identifier: MIT
 *
 * thread: names, signals, stack, and what happens when the system has no thread to give.
 *
 * Linked with --wrap=pthread_create and --wrap=pthread_attr_setstack, so that they can be made to
 * fail.
 */
#include "base/thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

typedef struct {
	char name[64];
	sigset_t mask;
	gsize stack;
	gboolean knows_stack;
	guint n_threads;
	guint n_entries; /* of /proc/self/task */
} Report;

static gboolean refuse;
static gboolean refuse_stack;

int
__real_pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*func)(void *), void *data);
int
__wrap_pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*func)(void *), void *data);

int
__wrap_pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*func)(void *), void *data)
{
	return refuse ? EAGAIN : __real_pthread_create(id, attr, func, data);
}

int __real_pthread_attr_setstack(pthread_attr_t *attr, void *start, size_t size);
int __wrap_pthread_attr_setstack(pthread_attr_t *attr, void *start, size_t size);

int
__wrap_pthread_attr_setstack(pthread_attr_t *attr, void *start, size_t size)
{
	return refuse_stack ? EINVAL : __real_pthread_attr_setstack(attr, start, size);
}

static guint
count_entries(void)
{
	g_autoptr(GDir) dir = g_dir_open("/proc/self/task", 0, NULL);
	guint n = 0;

	g_assert_nonnull(dir);
	while (g_dir_read_name(dir) != NULL)
		n++;
	return n;
}

static void
report(gpointer data)
{
	Report *report = data;
	pthread_attr_t attr;
	void *start;

	pthread_getname_np(pthread_self(), report->name, sizeof(report->name));
	pthread_sigmask(SIG_SETMASK, NULL, &report->mask);
	pthread_getattr_np(pthread_self(), &attr);
	pthread_attr_getstack(&attr, &start, &report->stack);
	report->knows_stack = start == vpnr_thread_stack();
	pthread_attr_destroy(&attr);
	report->n_threads = vpnr_thread_count();
	report->n_entries = count_entries();
}

static Report
report_of(const char *name)
{
	g_autoptr(GError) error = NULL;
	Report result = { 0 };
	VpnrThread *thread = vpnr_thread_start(name, report, &result, &error);

	g_assert_no_error(error);
	vpnr_thread_join(thread);
	return result;
}

static void
test_numbered(void)
{
	Report result[2] = { 0 };

	for (guint i = 0; i < G_N_ELEMENTS(result); i++)
		vpnr_thread_join(
		    vpnr_thread_start_numbered("vpnr-uplink", i * 16, report, &result[i], NULL));
	g_assert_cmpstr(result[0].name, ==, "vpnr-uplink");
	g_assert_cmpstr(result[1].name, ==, "vpnr-uplink 16");
}

static void
test_name(void)
{
	Report whole = report_of("vpnr-writer");
	Report cut = report_of("s42 10.0.0.7:443");

	g_assert_cmpstr(whole.name, ==, "vpnr-writer");
	g_assert_cmpstr(cut.name, ==, "s42 10.0.0.7:44");
}

static void
test_signals(void)
{
	Report result = report_of("signals");
	sigset_t mine;

	g_assert_true(sigismember(&result.mask, SIGTERM));
	g_assert_true(sigismember(&result.mask, SIGHUP));
	pthread_sigmask(SIG_SETMASK, NULL, &mine);
	g_assert_false(sigismember(&mine, SIGTERM));
}

static void
test_stack(void)
{
	Report result = report_of("stack");

	g_assert_cmpuint(result.stack, <, VPNR_THREAD_STACK);
	g_assert_cmpuint(result.stack, >=, VPNR_THREAD_STACK - 128);
	g_assert_true(result.knows_stack);
	g_assert_null(vpnr_thread_stack());
}

typedef struct {
	guint32 number;
	guint8 filler[300];
	guint32 *seen; /* by the thread */
} Copied;

static void
see_copy(gpointer data)
{
	Copied *copied = data;

	*copied->seen = copied->number++;
}

/* What the thread gets is its own, and there until it is joined. */
static void
test_copy(void)
{
	guint32 seen = 0;
	Copied mine = { .number = 42, .seen = &seen };
	VpnrThread *thread =
	    vpnr_thread_start_with_copy("copy", see_copy, &mine, sizeof mine, NULL);
	const Copied *copy = vpnr_thread_data(thread);

	g_assert_true(copy != &mine);
	g_assert_cmpuint((guintptr)copy % 16, ==, 0);
	g_assert_true(copy->seen == &seen);
	vpnr_thread_join(thread);
	g_assert_cmpuint(seen, ==, 42);
	g_assert_cmpuint(mine.number, ==, 42);
}

/* Runs first: a thread that has just ended is counted for a moment longer. */
static void
test_count(void)
{
	Report result = report_of("count");

	g_assert_cmpuint(result.n_threads, >=, 2);
	g_assert_cmpuint(result.n_threads, ==, result.n_entries);
}

/* Sets how many addresses the process may have. FALSE if the system takes no notice, as qemu-user
 * does not. */
static gboolean
limit_addresses(const struct rlimit *limit)
{
	struct rlimit now;

	g_assert_cmpint(setrlimit(RLIMIT_AS, limit), ==, 0);
	g_assert_cmpint(getrlimit(RLIMIT_AS, &now), ==, 0);
	return now.rlim_cur == limit->rlim_cur;
}

/* The limit of threads where there are so many addresses; 0 if they cannot be limited. Nothing else
 * is done meanwhile: under some sanitizers the process has more already. */
static guint
limit_with(rlim_t addresses)
{
	struct rlimit before;
	struct rlimit limit;
	guint result;

	g_assert_cmpint(getrlimit(RLIMIT_AS, &before), ==, 0);
	limit = before;
	limit.rlim_cur = MIN(addresses, before.rlim_max);
	result = limit_addresses(&limit) ? vpnr_thread_limit() : 0;
	limit_addresses(&before);
	return result;
}

/* Three eighths of 4 GiB have room for 6144 stacks without guards, of 3 GiB for 4608. */
static void
test_limit(void)
{
	guint of_3g = limit_with((rlim_t)3 << 30);

	g_assert_cmpuint(limit_with(RLIM_INFINITY), ==,
			 GLIB_SIZEOF_VOID_P > 4 ? VPNR_THREADS_MAX : limit_with(G_MAXUINT32));
	if (of_3g == 0) {
		g_test_skip("addresses are not limited here");
		return;
	}
	g_assert_cmpuint(of_3g, >, 3600);
	g_assert_cmpuint(of_3g, <, 4608);
	g_assert_cmpuint(limit_with(G_MAXUINT32), <, 6144);
}

static void
test_fails(void)
{
	g_autoptr(GError) error = NULL;

	refuse = TRUE;
	g_assert_null(vpnr_thread_start("vpnr-none", report, NULL, &error));
	refuse = FALSE;
	g_assert_error(error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN);
	g_assert_nonnull(strstr(error->message, "vpnr-none"));
	vpnr_thread_join(NULL);
}

/* A thread on another stack than it takes for its own would give back what is not its own. */
static void
test_stack_fails(void)
{
	g_autoptr(GError) error = NULL;

	refuse_stack = TRUE;
	g_assert_null(vpnr_thread_start("vpnr-none", report, NULL, &error));
	refuse_stack = FALSE;
	g_assert_error(error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/thread/count", test_count);
	g_test_add_func("/thread/name", test_name);
	g_test_add_func("/thread/numbered", test_numbered);
	g_test_add_func("/thread/signals", test_signals);
	g_test_add_func("/thread/stack", test_stack);
	g_test_add_func("/thread/copy", test_copy);
	g_test_add_func("/thread/limit", test_limit);
	g_test_add_func("/thread/fails", test_fails);
	g_test_add_func("/thread/stack-fails", test_stack_fails);
	return g_test_run();
}
