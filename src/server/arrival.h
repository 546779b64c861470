/* SPDX-License-Identifier: MIT
 *
 * arrival: a connection whose client has authenticated and said HELLO, on its way to the session
 * that is to go on with it. It has one owner at a time.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"
#include "link/transport.h"
#include "proto/hello.h"

G_BEGIN_DECLS

typedef struct {
	VpnrTransport *transport; /* (owned, nullable) */
	GByteArray *early;        /* what came behind HELLO (owned) */
	VpnrHello hello;          /* the client's */
	VpnrAddr peer;
} VpnrArrival;

/* One with this connection (transfer full), and no HELLO yet. */
VpnrArrival *vpnr_arrival_new(VpnrTransport *transport, const VpnrAddr *peer);

/* Waits for the client's HELLO. FALSE with an error; cancel_fd as in link/greeting.h. */
gboolean vpnr_arrival_greet(VpnrArrival *arrival, int cancel_fd, GError **error);

/* TRUE if it asks for this session. */
gboolean vpnr_arrival_asks_for(const VpnrArrival *arrival, const VpnrSessionId *id);

/* Closes the connection, if it is still there, and frees. Takes NULL. */
void vpnr_arrival_free(VpnrArrival *arrival);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrArrival, vpnr_arrival_free)

G_END_DECLS
