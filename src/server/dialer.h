/* SPDX-License-Identifier: MIT
 *
 * dialer: connects a stream of the server with its destination: resolves the name, asks the access
 * list, dials. A flow gets a UDP socket that is connected, so that it takes what its destination
 * sends and nothing else.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"
#include "base/cancel.h"
#include "base/stats.h"
#include "proto/frame.h"
#include "server/acl.h"
#include "server/resolver.h"

G_BEGIN_DECLS

/* Milliseconds for connecting to a destination, all its addresses together. Shorter than the two
 * minutes of the kernel's own limit, since applications give up long before. */
#define VPNR_DIALER_TIMEOUT_MS 30000

typedef struct {
	const char *client; /* for logs */
	const VpnrAcl *acl; /* of the client */
	/* guint16, those that this server listens on: never a destination on this machine */
	const GArray *own_ports;
	VpnrResolver *resolver;
	VpnrStats *stats;
} VpnrDialer;

/* TRUE if the name stands for this machine's name servers (docs/protocol.md, 2.6.17). */
gboolean vpnr_dialer_is_resolver(const VpnrAddr *dest);

/* Connects to dest, unless it is cancelled meanwhile. Returns a connected, non-blocking socket of
 * this kind (transfer full), or -1 with *reason; then it is logged and counted. */
int vpnr_dialer_connect(const VpnrDialer *dialer, VpnrKind kind, const VpnrAddr *dest,
			const VpnrCancel *cancel, VpnrReason *reason);

G_END_DECLS
