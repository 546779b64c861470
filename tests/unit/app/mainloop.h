/* SPDX-License-Identifier: MIT
 *
 * mainloop: GLib's main loop on a thread of its own, as long as a test wants a program to answer.
 *
 * ThreadSanitizer does not see GLib's locks: so whatever the loop serves is made before it is
 * started, and goes after it has been stopped. All zero: it does not run.
 */
#pragma once

#include "base/thread.h"

G_BEGIN_DECLS

typedef struct {
	VpnrThread *thread; /* NULL: it does not run */
	_Atomic gboolean quit;
} Mainloop;

void mainloop_start(Mainloop *loop);

/* Nothing if it does not run. */
void mainloop_stop(Mainloop *loop);

G_END_DECLS
