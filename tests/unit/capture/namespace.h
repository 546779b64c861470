/* SPDX-License-Identifier: MIT
 *
 * namespace: a network of a test's own, whose packet filter it may change.
 */
#pragma once

#include <glib.h>

/* Moves the calling thread, and all that it starts later, into a new network namespace, in which
 * lo is up; to be called first. FALSE: that is not allowed here, and nor is what needs it. */
gboolean namespace_enter(void);

/* The same for one test, which then has a network that no test has used; lo is down. FALSE: that is
 * not allowed here, and the test is skipped. */
gboolean namespace_fresh(void);

/* Marks the test as skipped unless namespace_enter() has worked. */
gboolean namespace_skip(void);

/* namespace_fresh() in which lo is up, for who needs ip(8). FALSE: the test is skipped. */
gboolean namespace_up(void);

/* What the command, which must succeed, prints (transfer full). */
char *namespace_run(const char *command);

/* The same with ip(8) and these arguments. */
void namespace_ip(const char *arguments);
