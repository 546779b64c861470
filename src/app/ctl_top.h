/* SPDX-License-Identifier: MIT
 *
 * ctl_top: "vpnrctl top": what a program and its connections carry, as it happens.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Shows the program at path on the terminal, once a second, until the user has seen enough. Waits
 * for a program that goes away, but it must be there at the beginning. Blocks SIGINT, SIGTERM,
 * SIGHUP, SIGTSTP, SIGCONT and SIGWINCH while it does so: they end it, or are seen to. FALSE with
 * an error. */
gboolean vpnr_ctl_top(const char *path, GError **error);

/* Asks the program at path twice, a second apart, and returns the rates between both as one JSON
 * object (transfer full); NULL with an error. */
char *vpnr_ctl_top_json(const char *path, GError **error);

G_END_DECLS
