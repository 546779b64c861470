/* SPDX-License-Identifier: MIT
 *
 * patience: see patience.h.
 */
#include "tests/unit/patience.h"

#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void
patience(gint64 start)
{
	g_assert_cmpint(g_get_monotonic_time() - start, <, PATIENCE_MS * (gint64)1000);
	sched_yield();
}

guint
count_fds(void)
{
	g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
	guint n = 0;

	while (g_dir_read_name(dir) != NULL)
		n++;
	return n;
}

static char *
read_of_thread(gint tid, const char *file)
{
	g_autofree char *path = g_strdup_printf("/proc/self/task/%d/%s", tid, file);
	char *text = NULL;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return text;
}

/* The state stands behind the name, which is in parentheses (proc(5)). A thread has it already when
 * it looks a last time whether it may sleep, and keeps it if it loses the processor there; the
 * other file is not told before the thread has left the processor of its own accord. */
gboolean
thread_sleeps(gint tid)
{
	g_autofree char *stat = read_of_thread(tid, "stat");
	g_autofree char *call = read_of_thread(tid, "syscall");
	const char *state = strrchr(stat, ')');

	g_assert_nonnull(state);
	return g_str_has_prefix(state, ") S ") && !g_str_has_prefix(call, "running");
}

/* sched_getattr(2), which not every C library has. */
guint64
thread_turn(gint tid)
{
	struct {
		guint32 size, policy;
		guint64 flags;
		gint32 nice;
		guint32 priority;
		guint64 runtime, deadline, period;
	} attributes = { 0 };

	if (syscall(SYS_sched_getattr, tid, &attributes, sizeof attributes, 0) < 0)
		return 0;
	return attributes.runtime;
}
