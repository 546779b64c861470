/* SPDX-License-Identifier: MIT
 *
 * daemon: what the main() of both programs is: it reads the command line, runs the program, and
 * waits for signals while the threads work.
 *
 * SIGTERM and SIGINT end vpnr_daemon_run(), SIGHUP calls reload. Signals are blocked in all threads
 * and read from a signalfd, so nothing is ever interrupted by one.
 */
#pragma once

#include <glib.h>

#include "app/options.h"

G_BEGIN_DECLS

/* A program that runs; zero at first. */
typedef struct {
	GMainLoop *loop;
	GError *failure;
} VpnrDaemon;

/* The whole of main(): standard streams, options, version, logging, run(app), and its error as the
 * last line. options is valid during run() and cleared afterwards. Returns the exit status. */
int vpnr_daemon_main(int argc, char **argv, const char *program, VpnrOptions *options,
		     gboolean (*run)(gpointer app, GError **error), gpointer app);

/* Blocks the signals; before any thread is started, which then inherits it. Also raises the limit
 * of open descriptors, and tells malloc what this program is like. */
void vpnr_daemon_prepare(void);

/* Runs the default GMainContext until SIGTERM or SIGINT. Who has started the program is told that
 * it is ready, that it reloads, and that it stops (app/notify.h). reload is called on SIGHUP; its
 * error is logged. FALSE with an error at once when there is no descriptor for signals
 * (G_FILE_ERROR), and with the one of vpnr_daemon_fail(). */
gboolean vpnr_daemon_run(VpnrDaemon *daemon, gboolean (*reload)(gpointer data, GError **error),
			 gpointer data, GError **error);

/* Ends vpnr_daemon_run() with failure (transfer full). For what it calls, and so on its thread. */
void vpnr_daemon_fail(VpnrDaemon *daemon, GError *failure);

G_END_DECLS
