/* SPDX-License-Identifier: MIT
 *
 * thread: starts and joins POSIX threads. A VpnrThread is written by its starter before the thread
 * exists and read by the thread; it is freed by the joiner, when the thread is gone.
 *
 * The stacks are our own: the C library would keep 40 MiB of those that have been used, and asking
 * it where one is leaves 250 bytes of its allocations with each thread that has asked. And what
 * belongs to a thread has room there, in a page that it needs anyway. A mapping is, from its end
 * down: the VpnrThread with the copy of the starter's data, what the C library keeps of a thread,
 * frames, the guard.
 */
#include "base/thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define NAME_SIZE 16 /* with the NUL: TASK_COMM_LEN of the kernel */

/* Bytes: as the C library aligns what it puts at a stack's end. */
#define ALIGNMENT 64

struct VpnrThread {
	/* const after start */
	char name[NAME_SIZE];
	VpnrThreadFunc func;
	gpointer data;
	guint8 *mapping; /* the guard, the stack, this */
	/* starter and joiner */
	pthread_t id;
	/* func's, if it gets a copy */
	_Alignas(16) guint8 copy[];
};

static _Thread_local VpnrThread *self;

void
vpnr_thread_set_name(const char *name)
{
	char cut[NAME_SIZE];

	g_strlcpy(cut, name, sizeof(cut));
	pthread_setname_np(pthread_self(), cut);
}

static void *
run(void *data)
{
	VpnrThread *thread = data;

	self = thread;
	vpnr_thread_set_name(thread->name);
	thread->func(thread->data);
	return NULL;
}

static gsize
guard_size(void)
{
	return (gsize)sysconf(_SC_PAGESIZE);
}

static gsize
mapping_size(void)
{
	return guard_size() + VPNR_THREAD_STACK;
}

/* With room for the copy of size bytes. NULL with errno. */
static VpnrThread *
thread_new(const char *name, VpnrThreadFunc func, gsize size)
{
	gsize room = (sizeof(VpnrThread) + size + ALIGNMENT - 1) & ~(gsize)(ALIGNMENT - 1);
	guint8 *mapping = mmap(NULL, mapping_size(), PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	VpnrThread *thread;

	if (mapping == MAP_FAILED)
		return NULL;
	thread = (VpnrThread *)(mapping + mapping_size() - room);
	thread->mapping = mapping;
	thread->func = func;
	g_strlcpy(thread->name, name, sizeof(thread->name));
	return thread;
}

static void
thread_free(VpnrThread *thread)
{
	munmap(thread->mapping, mapping_size());
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrThread, thread_free)

/* A thread inherits the mask of its starter: blocking around pthread_create() leaves no moment in
 * which a signal could be delivered to the new thread. */
static int
create_with_signals_blocked(pthread_t *id, const pthread_attr_t *attr, VpnrThread *thread)
{
	sigset_t all;
	sigset_t before;
	int result;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	result = pthread_create(id, attr, run, thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return result;
}

/* An error number, or 0: EINVAL where this C library wants larger stacks (PTHREAD_STACK_MIN, which
 * is 128 KiB on arm64). On one that it makes itself vpnr_thread_stack() would be wrong. */
static int
start_on_stack(VpnrThread *thread)
{
	guint8 *stack = thread->mapping + guard_size();
	pthread_attr_t attr;
	int result;

	if (mprotect(thread->mapping, guard_size(), PROT_NONE) < 0)
		return errno;
	pthread_attr_init(&attr);
	result = pthread_attr_setstack(&attr, stack, (gsize)((guint8 *)thread - stack));
	if (result == 0)
		result = create_with_signals_blocked(&thread->id, &attr, thread);
	pthread_attr_destroy(&attr);
	return result;
}

/* thread: transfer full; NULL with errno. */
static VpnrThread *
start(VpnrThread *thread, const char *name, GError **error)
{
	g_autoptr(VpnrThread) owned = thread;
	int result = thread != NULL ? start_on_stack(thread) : errno;

	if (result == 0)
		return g_steal_pointer(&owned);
	g_set_error(error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN, "cannot start thread \"%s\": %s",
		    name, g_strerror(result));
	return NULL;
}

VpnrThread *
vpnr_thread_start(const char *name, VpnrThreadFunc func, gpointer data, GError **error)
{
	VpnrThread *thread = thread_new(name, func, 0);

	if (thread != NULL)
		thread->data = data;
	return start(thread, name, error);
}

VpnrThread *
vpnr_thread_start_with_copy(const char *name, VpnrThreadFunc func, gconstpointer data, gsize size,
			    GError **error)
{
	VpnrThread *thread = thread_new(name, func, size);

	if (thread != NULL)
		thread->data = memcpy(thread->copy, data, size);
	return start(thread, name, error);
}

VpnrThread *
vpnr_thread_start_numbered(const char *name, guint number, VpnrThreadFunc func, gpointer data,
			   GError **error)
{
	g_autofree char *numbered = g_strdup_printf("%s %u", name, number);

	return vpnr_thread_start(number > 0 ? numbered : name, func, data, error);
}

gpointer
vpnr_thread_data(VpnrThread *thread)
{
	return thread->data;
}

gpointer
vpnr_thread_stack(void)
{
	return self != NULL ? self->mapping + guard_size() : NULL;
}

void
vpnr_thread_join(VpnrThread *thread)
{
	int result;

	if (thread == NULL)
		return;
	result = pthread_join(thread->id, NULL);
	g_assert_cmpint(result, ==, 0);
	thread_free(thread);
}

guint
vpnr_thread_limit(void)
{
	guint64 addresses = G_MAXSIZE;
	struct rlimit limit;

	if (getrlimit(RLIMIT_AS, &limit) == 0)
		addresses = MIN(addresses, limit.rlim_cur);
	return (guint)MIN(addresses / 8 * 3 / mapping_size(), VPNR_THREADS_MAX);
}

guint
vpnr_thread_count(void)
{
	static const char field[] = "\nThreads:";
	g_autofree char *status = NULL;
	const char *line;

	if (!g_file_get_contents("/proc/self/status", &status, NULL, NULL))
		return 0;
	line = strstr(status, field);
	return line != NULL ? (guint)strtoul(line + strlen(field), NULL, 10) : 0;
}
