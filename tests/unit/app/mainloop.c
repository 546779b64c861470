/* SPDX-License-Identifier: MIT
 *
 * mainloop: see mainloop.h.
 */
#include "tests/unit/app/mainloop.h"

#include <stdatomic.h>

static void
run(gpointer data)
{
	const _Atomic gboolean *quit = data;

	while (!atomic_load(quit))
		g_main_context_iteration(NULL, TRUE);
}

void
mainloop_start(Mainloop *loop)
{
	g_autoptr(GError) error = NULL;

	/* Made here, so that it is older than the thread. */
	g_main_context_default();
	atomic_store(&loop->quit, FALSE);
	loop->thread = vpnr_thread_start("loop", run, &loop->quit, &error);
	g_assert_no_error(error);
}

void
mainloop_stop(Mainloop *loop)
{
	if (loop->thread == NULL)
		return;
	atomic_store(&loop->quit, TRUE);
	g_main_context_wakeup(NULL);
	vpnr_thread_join(g_steal_pointer(&loop->thread));
}
