/* SPDX-License-Identifier: MIT
 *
 * wire: whole sends and timed receives on a non-blocking socket, below any encryption.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a receive can come back with, beside a number of bytes above zero. */
typedef enum {
	VPNR_WIRE_END = 0,       /* the peer has finished sending */
	VPNR_WIRE_FAILED = -1,   /* errno says why */
	VPNR_WIRE_IDLE = -2,     /* nothing came within the time */
	VPNR_WIRE_CANCELLED = -3 /* cancel_fd became readable */
} VpnrWireResult;

/* How a send went. */
typedef enum {
	VPNR_SENT_NOT = 0, /* it failed; errno says why */
	VPNR_SENT_AT_ONCE,
	VPNR_SENT_LATE, /* it had to wait for the socket: the link is slower than its sender */
} VpnrSent;

/* Sends all n bytes and waits until the socket would take more, so that who sends next has not
 * chosen too early what that is. VPNR_SENT_NOT with errno on failure; shutdown() of the socket by
 * another thread ends the wait. */
VpnrSent vpnr_wire_send(int fd, const guint8 *bytes, gsize n);

/* Receives 1 to n bytes; waits for at most timeout_ms (-1: for ever) and until cancel_fd (-1: none)
 * is readable. Returns the number of bytes or a VpnrWireResult. */
gssize vpnr_wire_recv(int fd, guint8 *bytes, gsize n, int timeout_ms, int cancel_fd);

G_END_DECLS
