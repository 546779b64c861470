/* SPDX-License-Identifier: MIT
 *
 * tls: the transport of VPNr/2: TLS 1.3 (RFC 8446) by GnuTLS, both sides with a raw Ed25519 public
 * key (RFC 7250).
 *
 * GnuTLS lets one thread send while another receives on one session, as long as neither a
 * renegotiation nor a KeyUpdate happens. So both are off here, and a peer's KeyUpdate ends the
 * connection.
 */
#pragma once

#include <glib.h>

#include "base/key.h"
#include "link/transport.h"
#include "proto/frame.h"

G_BEGIN_DECLS

#define VPNR_TLS_ALPN "vpnr/2"

#define VPNR_TLS_ERROR (vpnr_tls_error_quark())
GQuark vpnr_tls_error_quark(void);

typedef enum {
	VPNR_TLS_ERROR_UNAUTHORISED, /* the peer proved a key that is not the wanted one */
	VPNR_TLS_ERROR_TIMED_OUT,    /* timeout_ms were over */
	VPNR_TLS_ERROR_CANCELLED,
	VPNR_TLS_ERROR_FAILED, /* anything else: no TLS, other ALPN, a connection that ended ... */
} VpnrTlsError;

typedef struct {
	VpnrRole role;
	const VpnrKey *private_key; /* only read during the call */
	/* TRUE if the peer may be the one that owns this public key. */
	gboolean (*authorise)(const VpnrKey *peer, gpointer data);
	gpointer data;
	int timeout_ms; /* for the whole handshake */
	int cancel_fd;  /* readable: give up; -1: none */
} VpnrTlsParams;

/* Shakes hands on a connected non-blocking socket (transfer full, closed on failure too). On
 * success *peer (nullable) is the key that the peer proved to own. The error quotes the peer's key
 * if that was what was wrong. */
VpnrTransport *
vpnr_tls_handshake(int fd, const VpnrTlsParams *params, VpnrKey *peer, GError **error);

G_END_DECLS
