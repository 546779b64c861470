/* SPDX-License-Identifier: MIT
 *
 * associate: see associate.h. Everything runs on the connection's thread but open_socket(), which
 * runs on that of a flow.
 */
#include "client/associate.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/thread.h"
#include "client/flows.h"
#include "client/request.h"
#include "proto/socks5.h"
#include "stream/worker.h"

/* Datagrams that are taken before the connection is looked at. */
#define BATCH 64

typedef struct {
	/* const after start */
	const VpnrAssociateParams *params;
	VpnrAddr peer; /* port 0: any */
	int relay;
	VpnrFlows *flows;
	/* the connection's thread */
	guint8 *buffer; /* VPNR_SOCKS5_HEADER_MAX + VPNR_DATAGRAM_MAX */
} Association;

#define BUFFER_SIZE (VPNR_SOCKS5_HEADER_MAX + VPNR_DATAGRAM_MAX)

/* --- the relay -------------------------------------------------------------------------------- */

/* A UDP socket on the address at which the application has reached us, which so reaches it back; on
 * the same interface, if the address is one of the link. -1 with errno. Connection tracking forgets
 * who has begun before a flow ends: what is sent then would be captured without a mark. */
static int
open_relay(int fd, guint32 mark, VpnrAddr *addr)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t size = sizeof ss;
	g_auto(VpnrFd) relay = -1;

	if (getsockname(fd, (struct sockaddr *)&ss, &size) < 0)
		return -1;
	((struct sockaddr_in *)&ss)->sin_port = 0; /* where sin6_port is, too */
	relay = socket(ss.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (relay < 0 || !vpnr_fd_set_mark(relay, mark) ||
	    bind(relay, (struct sockaddr *)&ss, size) < 0)
		return -1;
	*addr = vpnr_fd_local_addr(relay);
	return vpnr_fd_steal(&relay);
}

/* Answers carry the address that the application used, be it a name: the one that the server has
 * found for it is not known here. */
static gboolean
open_socket(gpointer data, const VpnrAddr *peer, const VpnrAddr *dest, VpnrFlowsSocket *socket)
{
	const Association *association = data;
	g_autoptr(GByteArray) header = g_byte_array_new();

	(void)peer; /* every flow writes to the relay's socket */
	vpnr_socks5_put_header(header, dest);
	memcpy(socket->prefix, header->data, header->len);
	socket->prefix_size = header->len;
	socket->shared = TRUE;
	socket->fd = fcntl(association->relay, F_DUPFD_CLOEXEC, 0);
	return socket->fd >= 0;
}

/* --- datagrams -------------------------------------------------------------------------------- */

static gboolean
is_from_peer(const Association *association, const VpnrAddr *from)
{
	VpnrAddr expected = association->peer;

	if (expected.port == 0)
		expected.port = from->port;
	return vpnr_addr_equal(&expected, from);
}

static void
take_datagram(Association *association, const VpnrAddr *from, gsize n)
{
	VpnrAddr dest;
	gsize payload;

	if (!is_from_peer(association, from) ||
	    vpnr_socks5_decode_datagram(association->buffer, n, &dest, &payload) !=
		VPNR_SOCKS5_DATAGRAM_OK ||
	    n - payload > VPNR_DATAGRAM_MAX) {
		vpnr_stats_add(association->params->stats, VPNR_STAT_DATAGRAMS_REJECTED, 1);
		return;
	}
	vpnr_flows_give(association->flows, from, &dest, association->buffer + payload,
			n - payload);
}

static void
receive_some(Association *association)
{
	for (guint i = 0; i < BATCH; i++) {
		struct sockaddr_storage ss = { 0 };
		socklen_t size = sizeof ss;
		gssize n = recvfrom(association->relay, association->buffer, BUFFER_SIZE, 0,
				    (struct sockaddr *)&ss, &size);
		VpnrAddr from;

		if (n < 0 && errno != EINTR)
			return;
		from = vpnr_addr_from_sockaddr((struct sockaddr *)&ss);
		if (n >= 0)
			take_datagram(association, &from, (gsize)n);
	}
}

/* What the application may send on the connection means nothing, and stays there. */
static void
relay(Association *association, int fd)
{
	struct pollfd pfd[] = {
		{ .fd = association->relay, .events = POLLIN },
		{ .fd = fd, .events = POLLRDHUP },
		{ .fd = vpnr_latch_fd(association->params->stop), .events = POLLIN },
	};

	while (pfd[1].revents == 0 && pfd[2].revents == 0) {
		if (poll(pfd, G_N_ELEMENTS(pfd), -1) > 0 && pfd[0].revents != 0)
			receive_some(association);
	}
}

/* --- start and end ---------------------------------------------------------------------------- */

static gboolean
start(Association *association, const VpnrAssociateParams *params, int fd, VpnrAddr *addr,
      GError **error)
{
	association->params = params;
	association->relay = open_relay(fd, params->mark, addr);
	if (association->relay < 0) {
		int err = errno;

		g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(err),
			    "no relay for datagrams: %s", g_strerror(err));
		return FALSE;
	}
	association->flows =
	    vpnr_flows_new(&(VpnrFlowsParams){ .max_flows = VPNR_ASSOCIATE_FLOWS_MAX,
					       .idle_ms = params->idle_ms,
					       .open = open_socket,
					       .data = association,
					       .pool = params->pool,
					       .uplinks = params->uplinks,
					       .stats = params->stats },
			   error);
	association->buffer = g_malloc(BUFFER_SIZE);
	return association->flows != NULL;
}

static void
association_clear(Association *association)
{
	vpnr_flows_free(association->flows);
	vpnr_fd_close(association->relay);
	g_free(association->buffer);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Association, association_clear)

gboolean
vpnr_associate_serve(const VpnrAssociateParams *params, int fd, const VpnrAddr *peer,
		     const VpnrProxyreq *request, GError **error)
{
	g_auto(Association) association = { .relay = -1, .peer = *peer };
	VpnrAddr addr;

	association.peer.port = request->dest.port;
	if (!start(&association, params, fd, &addr, error))
		return FALSE;
	vpnr_thread_set_name("vpnr-associate");
	vpnr_fd_set_keepalive(fd, VPNR_WORKER_KEEPALIVE_MS); /* as a stream's */
	if (vpnr_request_answer_associate(fd, &addr))
		relay(&association, fd);
	vpnr_flows_end(association.flows);
	return TRUE;
}
