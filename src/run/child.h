/* SPDX-License-Identifier: MIT
 *
 * child: runs a program as if the caller were that program: its signals, its exit status.
 *
 * For a process with one thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What the caller returns in the program's place if there is none, as env(1) does. */
#define VPNR_CHILD_CANNOT_START 126
#define VPNR_CHILD_NOT_FOUND    127

/* Something else to look after while the program runs: called whenever fd is readable, until it
 * returns FALSE. */
typedef struct {
	int fd;
	gboolean (*on_readable)(gpointer data);
	gpointer data;
} VpnrChildWatch;

/* Starts the program, found by PATH, with these arguments (NULL-terminated, the first its name),
 * and waits until it has ended. Signals that another process sends to the caller meanwhile go to
 * the program; those of the terminal have reached it already, and stopping stops both. Returns its
 * exit status, 128 and the number of the signal that ended it, or one of the above with an
 * error. */
int vpnr_child_run(char *const *argv, VpnrChildWatch watch, GError **error);

G_END_DECLS
