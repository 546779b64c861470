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

/* Bytes. A send of less does not wait for the socket afterwards: it is a request or an answer, and
 * a system call costs more than what is gained by choosing late what goes after it. */
#define VPNR_WIRE_SMALL 4096

/* The receiving half of a socket. A plain struct. */
typedef struct {
	int fd;
	int cancel_fd;    /* ends a wait when it becomes readable; -1: none */
	gboolean drained; /* the last receive took all that was there */
} VpnrWireInput;

/* Sends all n bytes and waits until the socket would take more, so that who sends next has not
 * chosen too early what that is. FALSE with errno on failure; shutdown() of the socket by another
 * thread ends the wait. */
gboolean vpnr_wire_send(int fd, const guint8 *bytes, gsize n);

/* Receives 1 to n bytes; waits for at most timeout_ms (-1: for ever). Returns the number of bytes
 * or a VpnrWireResult. */
gssize vpnr_wire_recv(VpnrWireInput *input, guint8 *bytes, gsize n, int timeout_ms);

G_END_DECLS
