/* SPDX-License-Identifier: MIT
 *
 * log: one line per event on standard error.
 *
 * Any thread may log; a line is put together first and written with one write(2), so lines of
 * different threads never mix. Lower layers do not log, they return errors; client, server and app
 * log them once, with the session, stream and destination they belong to.
 *
 * Nobody waits for who reads the lines, which may be a program that hangs or a terminal that is
 * stopped: one that is not taken at once is lost, and the next that is taken comes behind one that
 * says how many were.
 *
 * Under systemd (JOURNAL_STREAM is set) a line starts with its "<N>" syslog priority.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
	VPNR_LOG_ERROR, /* the program cannot do what it was asked for */
	VPNR_LOG_WARN,  /* something failed or was refused; the program goes on */
	VPNR_LOG_INFO,  /* start, stop, links that come and go */
	VPNR_LOG_DEBUG, /* every stream; shown with --verbose */
} VpnrLogLevel;

/* Lines above this level are dropped. Call it before threads start. The default is VPNR_LOG_INFO.
 */
void vpnr_log_set_level(VpnrLogLevel level);

/* TRUE if a line of this level would be written: guards costly arguments. */
gboolean vpnr_log_enabled(VpnrLogLevel level);

/* Writes "PROGRAM: LEVEL: TEXT\n". Control characters in the text (they may come from a peer) are
 * written as '?'; a text above 1000 bytes is cut. */
void vpnr_log(VpnrLogLevel level, const char *format, ...) G_GNUC_PRINTF(2, 3);

G_END_DECLS
