/* SPDX-License-Identifier: MIT
 *
 * daemon: what main does while the threads work: it waits for signals.
 *
 * SIGTERM and SIGINT end vpnr_daemon_run(), SIGHUP calls reload. Signals are blocked in all threads
 * and read from a signalfd, so nothing is ever interrupted by one.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Blocks the signals; before any thread is started, which then inherits it. Also raises the limit
 * of open descriptors, and tells malloc what this program is like. */
void vpnr_daemon_prepare(void);

/* Runs the default GMainContext until SIGTERM or SIGINT. reload is called on SIGHUP; its error is
 * logged. */
void vpnr_daemon_run(gboolean (*reload)(gpointer data, GError **error), gpointer data);

G_END_DECLS
