/* SPDX-License-Identifier: MIT
 *
 * connect: an authenticated connection to the server: resolve, dial, shake hands. Waits; one thread
 * at a time.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"
#include "base/key.h"
#include "client/lookup.h"
#include "link/transport.h"
#include "proto/frame.h"

G_BEGIN_DECLS

/* Milliseconds for connecting to the server, all its addresses together, and for the TLS
 * handshake; finding the addresses has its own time (base/resolve.h). */
#define VPNR_CONNECT_DIAL_MS      10000
#define VPNR_CONNECT_HANDSHAKE_MS 10000

/* Whom to dial, and how to behave towards it. A plain value. */
typedef struct {
	VpnrAddr server;
	VpnrProtocol protocol;
	VpnrKey server_public_key; /* VPNr/2 */
	VpnrKey private_key;       /* VPNr/2 */
	guint resume_timeout_s;    /* how long streams, and new connections, wait for a link */
	guint rotate_interval_s;   /* how long a link is used; 0: for ever */
	guint32 link_mark;         /* SO_MARK of everything that is sent; 0: none */
} VpnrUplinkTarget;

/* NULL with an error, at the latest when those times are over, or max_ms (-1: no bound) for all
 * together; and when cancel_fd becomes readable. lookup finds the server, and knows from then on
 * which of its addresses was dialled. */
VpnrTransport *vpnr_connect(const VpnrUplinkTarget *target, VpnrLookup *lookup, int max_ms,
			    int cancel_fd, GError **error);

G_END_DECLS
