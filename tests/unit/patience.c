/* SPDX-License-Identifier: MIT
 *
 * patience: see patience.h.
 */
#include "tests/unit/patience.h"

#include <sched.h>
#include <string.h>

void
patience(gint64 start)
{
	g_assert_cmpint(g_get_monotonic_time() - start, <, PATIENCE_MS * (gint64)1000);
	sched_yield();
}

/* The state stands behind the name, which is in parentheses (proc(5)). */
gboolean
thread_sleeps(gint tid)
{
	g_autofree char *path = g_strdup_printf("/proc/self/task/%d/stat", tid);
	g_autofree char *text = NULL;
	const char *state;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	state = strrchr(text, ')');
	g_assert_nonnull(state);
	return g_str_has_prefix(state, ") S ");
}
