/* SPDX-License-Identifier: MIT
 *
 * apart: runs a part of a test in a process of its own, since what it does to the process cannot be
 * undone.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Calls func in a child process, in which an assertion that fails fails the test. TRUE if func
 * returned TRUE; if not, the test is marked as skipped. */
gboolean apart(gboolean (*func)(void));

/* For func: enters a network namespace of its own. FALSE if the kernel does not let an ordinary
 * user do that. */
gboolean apart_enter_netns(void);

G_END_DECLS
