/* SPDX-License-Identifier: MIT
 *
 * ctl_run: "vpnrctl run": a program whose connections, and only whose, go through the client.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What vpnrctl returns if it failed before there was a program to start, as env(1) does. */
#define VPNR_CTL_RUN_FAILED 125

/* Runs the program (NULL-terminated, the first word its name) in a network namespace of its own,
 * which the client at path serves. Returns vpnrctl's exit status: that of the program
 * (run/child.h), or with an error VPNR_CTL_RUN_FAILED or what run/child.h says. */
int vpnr_ctl_run(const char *path, char *const *program, GError **error);

G_END_DECLS
