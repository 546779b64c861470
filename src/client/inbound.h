/* SPDX-License-Identifier: MIT
 *
 * inbound: the ways in which connections reach the client, each a listening socket with an accept
 * thread.
 *
 * - redirect: the kernel redirected the connection; the destination is what it was before
 *   (origdst.h)
 * - tproxy: the kernel handed the connection to a transparent socket, unchanged (transparent.h)
 * - socks: the application asks for the destination, by SOCKS5 or HTTP CONNECT (proxyreq.h), or
 *   for a relay of datagrams (associate.h)
 *
 * Each connection gets a thread of the pool, which finds the destination, opens a stream on the
 * uplink and becomes its worker. While there is no link it waits for the next one, as long as the
 * uplink has patience and the application is there (await.h). It is refused with a TCP reset where
 * the kind of inbound has no words for a refusal.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"
#include "base/pool.h"
#include "base/stats.h"
#include "client/dns.h"
#include "client/uplinks.h"

G_BEGIN_DECLS

/* Milliseconds that an application has for its SOCKS5 or HTTP request. */
#define VPNR_INBOUND_REQUEST_MS 10000

typedef enum {
	VPNR_INBOUND_REDIRECT,
	VPNR_INBOUND_TPROXY,
	VPNR_INBOUND_SOCKS,
} VpnrInboundKind;

typedef struct VpnrInbound VpnrInbound;

typedef struct {
	VpnrInboundKind kind;
	VpnrAddr listen;
	guint32 mark; /* of what a tproxy inbound or a relay answers (SO_MARK); 0: none */
	VpnrDns dns;  /* for what redirect and tproxy capture */
	/* SOCKS5: datagrams are carried, each flow until this many milliseconds have passed without
	 * one. 0: they are not. */
	int udp_idle_ms;
	/* All outlive the inbound. */
	const GArray *own; /* VpnrAddr: the client's listeners (own.h); nullable */
	VpnrPool *pool;
	VpnrUplinks *uplinks;
	VpnrStats *stats;
} VpnrInboundParams;

/* Listens and accepts from now on. NULL with an error that names the address. */
VpnrInbound *vpnr_inbound_start(const VpnrInboundParams *params, GError **error);

/* The same on a socket that listens already and does not block (transfer full, also on failure), in
 * place of params->listen. */
VpnrInbound *vpnr_inbound_start_on(int fd, const VpnrInboundParams *params, GError **error);

/* Connections that wait for a link now (thread-safe). */
guint vpnr_inbound_waiting(const VpnrInbound *inbound);

/* Stops accepting, gives up requests that are not complete and connections that wait for a link;
 * streams go on. */
void vpnr_inbound_stop(VpnrInbound *inbound);

/* Gives it up once it has stopped; it is freed with the last of its connections that is no stream
 * yet. Takes NULL. */
void vpnr_inbound_unref(VpnrInbound *inbound);

G_END_DECLS
