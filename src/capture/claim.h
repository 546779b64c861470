/* SPDX-License-Identifier: MIT
 *
 * claim: says in a network namespace that something in it, such as a name of chains, belongs to
 * this process. The kernel forgets it in the moment in which the process ends, however that is, so
 * what is still there and claimed by nobody has been left by one that was killed.
 *
 * A claim is a socket that is bound to an abstract name (unix(7)). Any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Claims the name, of at most 100 bytes: a descriptor (transfer full) that holds the claim until it
 * is closed, or -1 with errno, which is EADDRINUSE if it is claimed already. */
int vpnr_claim(const char *name);

G_END_DECLS
