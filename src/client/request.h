/* SPDX-License-Identifier: MIT
 *
 * request: reads a SOCKS5 or HTTP CONNECT request from an application's socket, and answers it.
 *
 * Not a byte behind the request is taken from the socket: what follows belongs to the stream, if
 * there is one.
 */
#pragma once

#include <glib.h>

#include "base/latch.h"
#include "proto/proxyreq.h"

G_BEGIN_DECLS

/* Reads from the non-blocking socket fd until request->dest is known, for at most timeout_ms and
 * until stop is tripped. FALSE with *why (transfer full) that says what was wrong; the application
 * has been told as far as its protocol can. */
gboolean
vpnr_request_read(int fd, int timeout_ms, const VpnrLatch *stop, VpnrProxyreq *request, char **why);

/* Tells the application how its request ended: VPNR_REASON_NONE, the destination is connected.
 * FALSE if it does not listen. */
gboolean vpnr_request_answer(int fd, const VpnrProxyreq *request, VpnrReason reason);

/* Tells it that its UDP ASSOCIATE is granted, and where to send datagrams. FALSE: likewise. */
gboolean vpnr_request_answer_associate(int fd, const VpnrAddr *relay);

/* Closes the socket of a request that is refused (transfer full) in order, so that the answer
 * arrives: what the application has sent and nobody has read is dropped. Does not wait. */
void vpnr_request_close(int fd);

G_END_DECLS
