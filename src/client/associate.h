/* SPDX-License-Identifier: MIT
 *
 * associate: a UDP ASSOCIATE of SOCKS5 (RFC 1928, section 7): a relay socket beside the TCP
 * connection that asked for it, and a flow (flows.h) for each destination of the datagrams.
 *
 * It lives on the thread of that connection, and as long as the connection does.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"
#include "base/latch.h"
#include "base/pool.h"
#include "base/stats.h"
#include "client/uplinks.h"
#include "proto/proxyreq.h"

G_BEGIN_DECLS

/* Flows of one association. A browser has some tens; a program that exchanges files with others
 * asks some hundred of them in a few seconds, most only once. */
#define VPNR_ASSOCIATE_FLOWS_MAX 1024

typedef struct {
	int idle_ms;  /* after which a flow ends */
	guint32 mark; /* of what the relay sends (SO_MARK); 0: none */
	const VpnrLatch *stop;
	VpnrPool *pool;
	VpnrUplinks *uplinks;
	VpnrStats *stats;
} VpnrAssociateParams;

/* Answers the request of the application at peer, connected by fd, and relays until the connection
 * ends or stop is tripped. Datagrams are taken from the address of peer alone, and from one port if
 * the request named it; fragments are dropped, as the RFC allows. FALSE with an error if there is
 * no relay: then nothing has been answered. */
gboolean vpnr_associate_serve(const VpnrAssociateParams *params, int fd, const VpnrAddr *peer,
			      const VpnrProxyreq *request, GError **error);

G_END_DECLS
