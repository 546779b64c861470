/* SPDX-License-Identifier: MIT
 *
 * greeting: HELLO for HELLO on a new connection, before a session takes it: the client asks for its
 * session, the server says which one it gives (docs/protocol.md, 2.11).
 *
 * One thread at a time; it waits.
 */
#pragma once

#include <glib.h>

#include "link/transport.h"
#include "proto/frame.h"
#include "proto/hello.h"

G_BEGIN_DECLS

/* Milliseconds that a peer has for its HELLO, once it has authenticated. */
#define VPNR_GREETING_TIMEOUT_MS 10000

#define VPNR_GREETING_ERROR (vpnr_greeting_error_quark())
GQuark vpnr_greeting_error_quark(void);

typedef enum {
	VPNR_GREETING_ERROR_LOST,      /* the connection ended, or nothing came in time */
	VPNR_GREETING_ERROR_CANCELLED, /* cancel_fd became readable */
	VPNR_GREETING_ERROR_GOAWAY,    /* the peer sent it instead */
	VPNR_GREETING_ERROR_VIOLATION, /* anything else than a valid HELLO */
} VpnrGreetingError;

/* Sends ours. FALSE with an error. */
gboolean vpnr_greeting_send(VpnrTransport *transport, const VpnrHello *hello, GError **error);

/* Waits for the peer's, for at most timeout_ms. Appends to early what came behind it, which is for
 * the session's reader. FALSE with an error. cancel_fd: readable: give up; -1: none. */
gboolean vpnr_greeting_receive(VpnrTransport *transport, VpnrHello *hello, GByteArray *early,
			       int timeout_ms, int cancel_fd, GError **error);

/* Sends GOAWAY instead, and finishes. */
void vpnr_greeting_refuse(VpnrTransport *transport, VpnrReason reason);

G_END_DECLS
