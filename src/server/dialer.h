/* SPDX-License-Identifier: MIT
 *
 * dialer: connects a stream of the server with its destination: resolves the name, asks the access
 * list, dials.
 */
#pragma once

#include <glib.h>

#include "base/stats.h"
#include "server/acl.h"
#include "stream/worker.h"

G_BEGIN_DECLS

/* Milliseconds for connecting to a destination, all its addresses together. Shorter than the two
 * minutes of the kernel's own limit, since applications give up long before. */
#define VPNR_DIALER_TIMEOUT_MS 30000

typedef struct {
	const char *client; /* for logs */
	const VpnrAcl *acl; /* of the client */
	/* guint16, those that this server listens on: never a destination on this machine */
	const GArray *own_ports;
	VpnrStats *stats;
} VpnrDialer;

/* Connects to dest for the worker's stream. Returns a connected socket (transfer full), or -1 with
 * *reason; then it is logged and counted. */
int vpnr_dialer_connect(const VpnrDialer *dialer, VpnrWorker *worker, const VpnrAddr *dest,
			VpnrReason *reason);

G_END_DECLS
