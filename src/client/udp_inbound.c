/* SPDX-License-Identifier: MIT
 *
 * udp_inbound: see udp_inbound.h. Everything from receive_all() down to serve() runs on the thread
 * "udp-tproxy", open_socket() on that of a flow.
 */
#include "client/udp_inbound.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>

#include "base/fd.h"
#include "base/latch.h"
#include "base/log.h"
#include "base/thread.h"
#include "client/flows.h"
#include "client/own.h"
#include "client/transparent.h"
#include "proto/frame.h"

/* Datagrams that are taken from one socket before the others have their turn. */
#define BATCH 64

struct VpnrUdpInbound {
	/* const after start */
	VpnrUdpInboundParams params;
	GArray *fds; /* int: the sockets */
	VpnrLatch *stop;
	VpnrFlows *flows;
	VpnrThread *thread; /* main, until vpnr_udp_inbound_stop() */
	/* the thread */
	guint8 *buffer; /* VPNR_DATAGRAM_MAX */
	/* atomic */
	_Atomic gboolean was_forbidden; /* a flow's socket, and it has been logged */
};

/* A capability that is missing keeps every flow to such a port from its socket, so one line in the
 * log of everybody is news, and enough. */
static void
log_failure(VpnrUdpInbound *inbound, const VpnrAddr *peer, const VpnrAddr *dest, int err)
{
	char from[VPNR_ADDR_STRLEN], to[VPNR_ADDR_STRLEN];
	const char *missing = vpnr_transparent_missing(err);
	gboolean news = *missing != '\0' && !atomic_exchange(&inbound->was_forbidden, TRUE);

	vpnr_log(news ? VPNR_LOG_WARN : VPNR_LOG_DEBUG, "no socket for UDP %s -> %s: %s%s",
		 vpnr_addr_format(peer, from), vpnr_addr_format(dest, to), g_strerror(err),
		 missing);
}

static gboolean
open_socket(gpointer data, const VpnrAddr *peer, const VpnrAddr *dest, VpnrFlowsSocket *socket)
{
	VpnrUdpInbound *inbound = data;

	socket->fd = vpnr_transparent_connect(dest, peer, inbound->params.mark);
	if (socket->fd < 0)
		log_failure(inbound, peer, dest, errno);
	return socket->fd >= 0;
}

/* --- receiving -------------------------------------------------------------------------------- */

/* Not every datagram that reaches the sockets was captured: anybody may send to their port. */
static gboolean
is_welcome(const VpnrUdpInbound *inbound, const VpnrAddr *dest)
{
	const VpnrUdpInboundParams *params = &inbound->params;

	if (vpnr_own_contains(params->own, dest)) {
		vpnr_stats_add(params->stats, VPNR_STAT_LOOPS_REFUSED, 1);
		return FALSE;
	}
	if (dest->port == 0 || (params->dns_only && dest->port != VPNR_RESOLVER_PORT)) {
		vpnr_stats_add(params->stats, VPNR_STAT_DATAGRAMS_REJECTED, 1);
		return FALSE;
	}
	return TRUE;
}

/* Errors are those of one datagram; one that lasts, such as a lack of memory, ends the batch, so
 * that the stop is looked at. */
static void
receive_some(VpnrUdpInbound *inbound, int fd)
{
	for (guint i = 0; i < BATCH; i++) {
		VpnrAddr peer, dest;
		gssize n =
		    vpnr_transparent_receive(fd, inbound->buffer, VPNR_DATAGRAM_MAX, &peer, &dest);

		if (n < 0)
			return;
		if (is_welcome(inbound, &dest))
			vpnr_flows_give(inbound->flows, &peer, &dest, inbound->buffer, (gsize)n);
	}
}

static void
serve(gpointer data)
{
	VpnrUdpInbound *inbound = data;
	guint n = inbound->fds->len;
	g_autofree struct pollfd *pfd = g_new0(struct pollfd, n + 1);

	for (guint i = 0; i < n; i++)
		pfd[i] = (struct pollfd){ g_array_index(inbound->fds, int, i), POLLIN, 0 };
	pfd[n] = (struct pollfd){ vpnr_latch_fd(inbound->stop), POLLIN, 0 };
	while (!vpnr_latch_is_tripped(inbound->stop)) {
		if (poll(pfd, n + 1, -1) <= 0)
			continue;
		for (guint i = 0; i < n; i++) {
			if (pfd[i].revents != 0)
				receive_some(inbound, pfd[i].fd);
		}
	}
}

/* --- start and stop --------------------------------------------------------------------------- */

/* The sockets (transfer full), or NULL. */
static GArray *
open_all(const VpnrUdpInboundParams *params, GError **error)
{
	g_autoptr(GArray) fds = vpnr_fd_array_new();

	for (guint i = 0; i < params->listen->len; i++) {
		int fd = vpnr_transparent_bind(&g_array_index(params->listen, VpnrAddr, i),
					       params->mark, error);

		if (fd < 0)
			return NULL;
		g_array_append_val(fds, fd);
	}
	return g_steal_pointer(&fds);
}

static VpnrFlows *
new_flows(VpnrUdpInbound *inbound, GError **error)
{
	const VpnrUdpInboundParams *params = &inbound->params;

	return vpnr_flows_new(&(VpnrFlowsParams){ .max_flows = params->max_flows,
						  .idle_ms = params->idle_ms,
						  .dns = params->dns,
						  .open = params->open != NULL ? params->open
									       : open_socket,
						  .data =
						      params->open != NULL ? params->data : inbound,
						  .pool = params->pool,
						  .uplinks = params->uplinks,
						  .stats = params->stats },
			      error);
}

VpnrUdpInbound *
vpnr_udp_inbound_start(const VpnrUdpInboundParams *params, GError **error)
{
	GArray *fds = open_all(params, error);

	return fds != NULL ? vpnr_udp_inbound_start_on(fds, params, error) : NULL;
}

VpnrUdpInbound *
vpnr_udp_inbound_start_on(GArray *fds, const VpnrUdpInboundParams *params, GError **error)
{
	VpnrUdpInbound *inbound = g_new0(VpnrUdpInbound, 1);

	inbound->params = *params;
	inbound->params.listen = NULL; /* the caller's */
	inbound->fds = fds;
	inbound->buffer = g_malloc(VPNR_DATAGRAM_MAX);
	inbound->stop = vpnr_latch_new(error);
	if (inbound->stop != NULL)
		inbound->flows = new_flows(inbound, error);
	if (inbound->flows != NULL)
		inbound->thread = vpnr_thread_start("udp-tproxy", serve, inbound, error);
	if (inbound->thread == NULL) {
		vpnr_udp_inbound_free(inbound);
		return NULL;
	}
	return inbound;
}

guint
vpnr_udp_inbound_waiting(const VpnrUdpInbound *inbound)
{
	return vpnr_flows_waiting(inbound->flows);
}

guint
vpnr_udp_inbound_count(const VpnrUdpInbound *inbound)
{
	return vpnr_flows_count(inbound->flows);
}

void
vpnr_udp_inbound_stop(VpnrUdpInbound *inbound)
{
	if (inbound == NULL)
		return;
	vpnr_latch_trip(inbound->stop);
	vpnr_thread_join(g_steal_pointer(&inbound->thread));
	vpnr_flows_stop(inbound->flows);
}

void
vpnr_udp_inbound_end(VpnrUdpInbound *inbound)
{
	if (inbound == NULL)
		return;
	vpnr_udp_inbound_stop(inbound);
	vpnr_flows_end(inbound->flows);
}

void
vpnr_udp_inbound_free(VpnrUdpInbound *inbound)
{
	if (inbound == NULL)
		return;
	g_array_unref(inbound->fds);
	vpnr_flows_free(inbound->flows);
	vpnr_latch_free(inbound->stop);
	g_free(inbound->buffer);
	g_free(inbound);
}
