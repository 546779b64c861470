/* SPDX-License-Identifier: MIT
 *
 * proxyreq: what an application says to a SOCKS5 (RFC 1928) or HTTP CONNECT (RFC 9110,
 * section 9.3.6) proxy before its data, told apart by the first byte. Pure: bytes in, bytes out.
 *
 * SOCKS5: no authentication, CONNECT and UDP ASSOCIATE, IPv4, IPv6 and names. HTTP: CONNECT
 * host:port, headers are read and dropped.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"
#include "proto/frame.h"

G_BEGIN_DECLS

/* Bytes of the longest request that is read: an HTTP CONNECT with cookies and a user agent stays
 * below. */
#define VPNR_PROXYREQ_MAX 8192

typedef enum {
	VPNR_PROXYREQ_MORE,    /* not whole yet */
	VPNR_PROXYREQ_REPLY,   /* send reply, drop *used bytes, go on */
	VPNR_PROXYREQ_REQUEST, /* dest is known: open it, then send vpnr_proxyreq_answer() */
	VPNR_PROXYREQ_BAD,     /* send reply (it may be empty), close; *why says what was wrong */
} VpnrProxyreqResult;

typedef enum {
	VPNR_PROXY_UNKNOWN,
	VPNR_PROXY_SOCKS5,
	VPNR_PROXY_HTTP,
} VpnrProxyKind;

typedef struct {
	VpnrProxyKind kind;
	gboolean greeted; /* SOCKS5: the method is agreed */
	/* After VPNR_PROXYREQ_REQUEST: */
	/* SOCKS5's UDP ASSOCIATE: the application will send datagrams, from dest as far as it knows
	 * (address and port may be zero). Otherwise dest is where it wants to be connected. */
	gboolean associate;
	VpnrAddr dest;
} VpnrProxyreq;

/* Looks at the n bytes that were received and not used yet. *used is how many are done with; those
 * behind belong to the next step, or, after VPNR_PROXYREQ_REQUEST, to the stream. Appends to reply
 * what is to be sent. *why is for logs: it quotes the offending value where that is printable
 * (transfer full, set only for BAD). */
VpnrProxyreqResult vpnr_proxyreq_step(VpnrProxyreq *request, const guint8 *bytes, gsize n,
				      gsize *used, GByteArray *reply, char **why);

/* Appends the answer to a request: VPNR_REASON_NONE says that the destination is connected; others
 * become the SOCKS5 code (RFC 1928, section 6) or HTTP status that fits: 403 denied, 502, 504 timed
 * out, 503 limit. */
void vpnr_proxyreq_answer(const VpnrProxyreq *request, VpnrReason reason, GByteArray *reply);

/* Appends the answer to a UDP ASSOCIATE that is granted: where the datagrams are to be sent. */
void vpnr_proxyreq_answer_associate(const VpnrAddr *relay, GByteArray *reply);

G_END_DECLS
