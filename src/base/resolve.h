/* SPDX-License-Identifier: MIT
 *
 * resolve: names to addresses, by c-ares, so that a wait for a slow name server can be cancelled.
 *
 * Every call has a resolver channel of its own; it reads /etc/hosts and /etc/resolv.conf.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"
#include "base/cancel.h"

G_BEGIN_DECLS

/* Milliseconds that a whole look-up needs at most, all name servers and retries included. */
#define VPNR_RESOLVE_TIMEOUT_MS 10000

#define VPNR_RESOLVE_ERROR (vpnr_resolve_error_quark())
GQuark vpnr_resolve_error_quark(void);

typedef enum {
	VPNR_RESOLVE_ERROR_NOT_FOUND, /* the name has no address */
	VPNR_RESOLVE_ERROR_TIMED_OUT, /* no name server answered */
	VPNR_RESOLVE_ERROR_CANCELLED,
	VPNR_RESOLVE_ERROR_FAILED, /* anything else; the message says what */
} VpnrResolveError;

/* Returns the addresses of addr, sorted by RFC 6724, as a GArray of VpnrAddr (transfer full), each
 * with addr's port; an addr that is no name comes back alone. NULL with an error that quotes the
 * name. timeout_ms: for the whole look-up; more than VPNR_RESOLVE_TIMEOUT_MS are of no use. */
GArray *
vpnr_resolve(const VpnrAddr *addr, int timeout_ms, const VpnrCancel *cancel, GError **error);

/* The same with SO_MARK mark on what is sent to name servers (0: none), so that rules can tell it
 * from the questions of others. It needs CAP_NET_ADMIN or CAP_NET_RAW, without which no name server
 * is asked. */
GArray *vpnr_resolve_marked(const VpnrAddr *addr, guint32 mark, int timeout_ms,
			    const VpnrCancel *cancel, GError **error);

G_END_DECLS
