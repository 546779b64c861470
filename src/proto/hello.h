/* SPDX-License-Identifier: MIT
 *
 * hello: the message of VPNr/2's HELLO frame (docs/protocol.md, 2.4).
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define VPNR_HELLO_VERSION 2

/* Bytes of the software version on the wire. */
#define VPNR_SOFTWARE_MAX 64

/* Names a session (docs/protocol.md, 2.11): random bytes, chosen by the server. A plain value. */
#define VPNR_SESSION_ID_SIZE 16
typedef struct {
	guint8 bytes[VPNR_SESSION_ID_SIZE];
} VpnrSessionId;

/* TRUE if both name the same session. The time that it takes tells where they differ: compare only
 * with sessions of the same key, whose owner may know them. */
gboolean vpnr_session_id_equal(const VpnrSessionId *a, const VpnrSessionId *b);

/* Names who asks for a session (docs/protocol.md, 2.4.9): the client's process, by random bytes,
 * and which of the sessions that it has side by side. A plain value. */
#define VPNR_ORIGIN_CLIENT_SIZE 16
typedef struct {
	guint8 client[VPNR_ORIGIN_CLIENT_SIZE];
	guint8 number;
} VpnrOrigin;

/* TRUE if both name the same process. */
gboolean vpnr_origin_same_client(const VpnrOrigin *a, const VpnrOrigin *b);

/* Bits of capabilities (docs/protocol.md, 2.4.8). */
#define VPNR_CAPABILITY_DATAGRAM 1 /* the sender takes DATAGRAM */

typedef struct VpnrHello {
	guint8 version;         /* VPNR_HELLO_VERSION */
	guint32 capabilities;   /* a set of VPNR_CAPABILITY bits; unknown ones are ignored */
	guint32 max_streams;    /* streams that the sender of HELLO lets the peer have open */
	guint64 initial_window; /* bytes that the peer may send on a new stream */
	/* Client: it asks to go on with session. Server: the link carries session. Without it the
	 * two that follow are zero. */
	gboolean has_session;
	VpnrSessionId session;
	guint64 received;    /* sequenced frames of session that the sender of HELLO has received */
	gboolean has_origin; /* client; without it origin is zero */
	VpnrOrigin origin;
	char software[VPNR_SOFTWARE_MAX + 1]; /* "vpnr 0.1.0": printable ASCII, for logs */
} VpnrHello;

/* A copy (transfer full, g_free). */
VpnrHello *vpnr_hello_copy(const VpnrHello *hello);

/* TRUE if its sender takes DATAGRAM. */
gboolean vpnr_hello_takes_datagrams(const VpnrHello *hello);

/* Appends the message (without frame header) to out. */
void vpnr_hello_encode(const VpnrHello *hello, GByteArray *out);

/* Decodes a message of n bytes. Returns NULL, or a phrase that says what is wrong (transfer none).
 * Parameters that are missing get their default, those that are unknown are skipped. */
const char *vpnr_hello_decode(const guint8 *bytes, gsize n, VpnrHello *hello);

G_END_DECLS
