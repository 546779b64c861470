/* SPDX-License-Identifier: MIT
 *
 * cancel: how a wait for the network is told that nobody wants its result any more.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* fd is polled beside whatever the wait is for. When it becomes readable, cancelled(data) decides:
 * TRUE ends the wait; FALSE goes on, and cancelled() has made fd unreadable. A NULL cancelled ends
 * it at once. fd < 0: cannot be cancelled. */
typedef struct {
	int fd;
	gboolean (*cancelled)(gpointer data);
	gpointer data;
} VpnrCancel;

#define VPNR_CANCEL_NEVER ((VpnrCancel){ .fd = -1 })

/* For those who wait: TRUE if the wait is to end, after a poll() that gave revents for
 * cancel->fd. */
gboolean vpnr_cancel_is_due(const VpnrCancel *cancel, short revents);

G_END_DECLS
