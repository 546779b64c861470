/* SPDX-License-Identifier: MIT
 *
 * uplink_log: what an uplink's thread says in the log, and when the same again is not worth a line.
 */
#pragma once

#include <glib.h>

#include "client/bulletin.h"
#include "proto/hello.h"

G_BEGIN_DECLS

typedef struct {
	guint number;           /* which of several links; 0: the only one */
	VpnrBulletin *bulletin; /* (not owned) */
	char *last_failure;     /* as logged, since the last link */
} VpnrUplinkLog;

void vpnr_uplink_log_clear(VpnrUplinkLog *log);

/* There is a link to the server, whose HELLO says this; so many streams go on, or were lost with
 * the session that it does not know. */
void
vpnr_uplink_log_connected(VpnrUplinkLog *log, const VpnrHello *hello, guint resumed, guint lost);

/* There is none. */
void vpnr_uplink_log_failed(VpnrUplinkLog *log, const char *why);

/* The one there is stays, since no other has come to replace it. */
void vpnr_uplink_log_kept(const VpnrUplinkLog *log, const char *why);

/* So many streams have waited for it too long. */
void vpnr_uplink_log_given_up(const VpnrUplinkLog *log, guint streams);

/* Changes of the network cannot be watched. */
void vpnr_uplink_log_unwatched(const VpnrUplinkLog *log, const char *why);

G_END_DECLS
