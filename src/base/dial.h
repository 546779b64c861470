/* SPDX-License-Identifier: MIT
 *
 * dial: a TCP connection to the first of several addresses that answers, or a UDP socket that is
 * connected to the first that has a route.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"
#include "base/cancel.h"

G_BEGIN_DECLS

/* Milliseconds before the next address is tried beside the first (RFC 8305, section 5, recommends
 * 250). */
#define VPNR_DIAL_STAGGER_MS 250

#define VPNR_DIAL_ERROR (vpnr_dial_error_quark())
GQuark vpnr_dial_error_quark(void);

typedef enum {
	VPNR_DIAL_ERROR_REFUSED,     /* ECONNREFUSED */
	VPNR_DIAL_ERROR_UNREACHABLE, /* ENETUNREACH, EHOSTUNREACH, EACCES, EPERM ... */
	VPNR_DIAL_ERROR_TIMED_OUT,   /* ETIMEDOUT, or timeout_ms are over */
	VPNR_DIAL_ERROR_CANCELLED,
	VPNR_DIAL_ERROR_LIMIT,  /* no descriptor, memory or port of this machine is left */
	VPNR_DIAL_ERROR_FAILED, /* anything else */
} VpnrDialError;

typedef struct {
	int timeout_ms; /* for all addresses together */
	guint32 mark;   /* SO_MARK of the sockets; 0: none */
	gboolean udp;
	VpnrCancel cancel;
} VpnrDialOptions;

/* Connects to one of the n addresses (n > 0, IPv4 or IPv6): the first at once, each next one after
 * VPNR_DIAL_STAGGER_MS or as soon as those before have failed (RFC 8305, "Happy Eyeballs"). Returns
 * a connected non-blocking socket with TCP_NODELAY (transfer full) and stores which address it was
 * in *which (nullable). -1 with the error of the first address that failed; the message names it.
 */
int vpnr_dial(const VpnrAddr *addrs, gsize n, const VpnrDialOptions *options, VpnrAddr *which,
	      GError **error);

G_END_DECLS
