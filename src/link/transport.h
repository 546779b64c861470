/* SPDX-License-Identifier: MIT
 *
 * transport: the byte pipe below a link: TLS (tls.h) for VPNr/2, the bare socket for VPNr/1.
 *
 * Two threads use it at once: the writer calls put, flush and finish, the reader calls recv. Any
 * thread may shut it down. Whoever made it frees it, when both are done.
 *
 * What is put is gathered in the form of the wire, and leaves with the next flush in one send(2): a
 * send for each TLS record costs much more.
 */
#pragma once

#include <glib.h>

#include "link/wire.h"

G_BEGIN_DECLS

typedef struct VpnrTransport VpnrTransport;

/* What recv can come back with, beside a number of bytes above zero. */
typedef enum {
	VPNR_TRANSPORT_END = 0,     /* the peer has finished sending, in order */
	VPNR_TRANSPORT_FAILED = -1, /* vpnr_transport_error() says why */
	VPNR_TRANSPORT_IDLE = -2,   /* nothing came within the time; not an error */
	VPNR_TRANSPORT_MORE = -3,   /* bytes came, but none that can be returned yet: ask again */
} VpnrTransportResult;

/* The functions of one kind of transport; only transports themselves need them. */
typedef struct {
	gboolean (*put)(VpnrTransport *transport, const guint8 *bytes, gsize n);
	gboolean (*flush)(VpnrTransport *transport);
	gssize (*recv)(VpnrTransport *transport, guint8 *bytes, gsize n, int timeout_ms);
	void (*finish)(VpnrTransport *transport);
	void (*free)(VpnrTransport *transport);
} VpnrTransportClass;

struct VpnrTransport {
	/* const after start */
	const VpnrTransportClass *class;
	int fd; /* non-blocking, owned */
	/* writer thread */
	GByteArray *gathered; /* since the last flush; room for a whole batch from the start */
	/* reader thread */
	VpnrWireInput input;
	char error[128]; /* why recv failed */
};

/* A transport without encryption on a connected non-blocking socket (transfer full). */
VpnrTransport *vpnr_transport_new_plain(int fd);

/* Makes base ready for a transport of this class on fd (transfer full); for those who make one. */
void vpnr_transport_init(VpnrTransport *transport, const VpnrTransportClass *class, int fd);

/* TRUE if the path to the peer is long: no round trip so far has taken less than 10 ms, by what the
 * kernel has measured (TCP_INFO, tcp(7)). FALSE for what is no TCP socket. */
gboolean vpnr_transport_is_far(const VpnrTransport *transport);

/* Lets at most so many bytes wait in the socket before a send does (writer thread). */
void vpnr_transport_limit_unsent(VpnrTransport *transport, gsize bytes);

/* Bytes that have been sent and that the peer's kernel has not acknowledged, those that wait in the
 * socket included (writer thread). */
gsize vpnr_transport_under_way(const VpnrTransport *transport);

/* Takes n bytes, which the caller may change or free afterwards; nothing leaves before flush, and
 * nothing blocks (writer thread). FALSE: the transport is broken, and what was put is forgotten. */
gboolean vpnr_transport_put(VpnrTransport *transport, const guint8 *bytes, gsize n);

/* Sends all that was put, blocking (writer thread). FALSE: the transport is broken. */
gboolean vpnr_transport_flush(VpnrTransport *transport);

/* Puts and flushes, for a message by itself (writer thread). FALSE: the transport is broken. */
gboolean vpnr_transport_send(VpnrTransport *transport, const guint8 *bytes, gsize n);

/* Sends what is gathered and forgets it, even if that fails: the flush of every kind so far. */
gboolean vpnr_transport_send_gathered(VpnrTransport *transport);

/* Receives 1 to n bytes, waiting for at most timeout_ms, -1 for ever (reader thread). It waits
 * once: if what comes is a part of a TLS record, it says so, since that is a sign of life, too. */
gssize vpnr_transport_recv(VpnrTransport *transport, guint8 *bytes, gsize n, int timeout_ms);

/* Says in order that nothing more will be sent (writer thread). */
void vpnr_transport_finish(VpnrTransport *transport);

/* Breaks the connection: a send or recv under way comes back soon (thread-safe). */
void vpnr_transport_shut(VpnrTransport *transport);

/* Why recv failed, for logs (reader thread, transfer none). */
const char *vpnr_transport_error(const VpnrTransport *transport);

/* Closes the socket and frees. Takes NULL. */
void vpnr_transport_free(VpnrTransport *transport);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrTransport, vpnr_transport_free)

G_END_DECLS
