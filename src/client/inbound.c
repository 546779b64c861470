/* SPDX-License-Identifier: MIT
 *
 * inbound: see inbound.h. on_accept() runs on the accept thread, everything from serve_connection()
 * down on the thread of one connection.
 */
#include "client/inbound.h"

#include "base/accept.h"
#include "base/fd.h"
#include "base/latch.h"
#include "base/log.h"
#include "base/thread.h"
#include "client/admit.h"
#include "client/associate.h"
#include "client/origdst.h"
#include "client/own.h"
#include "client/request.h"
#include "client/transparent.h"
#include "stream/worker.h"

struct VpnrInbound {
	/* const after start */
	VpnrInboundParams params;
	VpnrLatch *stop;
	VpnrAccept *acceptor; /* main, until vpnr_inbound_stop() */
	/* atomic */
	_Atomic guint waiting; /* connections that wait for a link */
	_Atomic guint refs;    /* the owner's and one per connection */
};

/* One accepted connection, on its way to becoming a stream: gone when it is one. */
typedef struct {
	VpnrInbound *inbound;
	int fd;
	VpnrAddr peer;
	VpnrAddr dest;
} Connection;

static void
connection_clear(Connection *connection)
{
	if (connection->fd >= 0)
		vpnr_fd_abort(connection->fd);
	vpnr_inbound_unref(connection->inbound);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Connection, connection_clear)

/* The same on its way to its thread, which keeps in the allocator's cache what it frees: the less
 * the better. */
typedef struct {
	VpnrInbound *inbound;
	int fd;
	VpnrPackedAddr *peer;
} Arrival;

static Connection
connection_from_arrival(Arrival *arrival)
{
	Connection connection = { .inbound = arrival->inbound,
				  .fd = arrival->fd,
				  .peer = vpnr_addr_unpack(arrival->peer) };

	g_free(arrival->peer);
	g_free(arrival);
	return connection;
}

static void
log_refusal(const Connection *connection, VpnrLogLevel level, const char *why)
{
	char peer[VPNR_ADDR_STRLEN], dest[VPNR_ADDR_STRLEN];

	vpnr_log(level, "refused %s -> %s: %s", vpnr_addr_format(&connection->peer, peer),
		 vpnr_addr_format(&connection->dest, dest), why);
}

/* Says why no link was waited for any longer. */
static VpnrReason
give_up(const Connection *connection, VpnrAwait end)
{
	VpnrStats *stats = connection->inbound->params.stats;

	switch (end) {
	case VPNR_AWAIT_GONE:
		vpnr_stats_add(stats, VPNR_STAT_LEFT_WAITING, 1);
		log_refusal(connection, VPNR_LOG_DEBUG,
			    "the application went away while there was no link to the server");
		return VPNR_REASON_ABORTED;
	case VPNR_AWAIT_STOPPED:
		log_refusal(connection, VPNR_LOG_DEBUG, "the client stops");
		return VPNR_REASON_LINK_LOST;
	default:
		vpnr_stats_add(stats, VPNR_STAT_NO_LINK, 1);
		log_refusal(connection, VPNR_LOG_DEBUG, "there is no link to the server");
		return VPNR_REASON_LINK_LOST;
	}
}

/* Opens the stream. VPNR_REASON_NONE and its worker, or why there is none; then it is logged. */
static VpnrReason
open_stream(const Connection *connection, VpnrWorker *worker)
{
	const VpnrInboundParams *params = &connection->inbound->params;
	VpnrTable *table = NULL;
	VpnrStream *stream = NULL;
	VpnrAwait end = VPNR_AWAIT_OPEN;
	const VpnrAdmitParams admit = { .uplinks = params->uplinks,
					.kind = VPNR_KIND_TCP,
					.dest = &connection->dest,
					.peer = &connection->peer,
					.fd = connection->fd,
					.stop = connection->inbound->stop,
					.max_ms = -1,
					.n_waiting = &connection->inbound->waiting };

	switch (vpnr_admit(&admit, &table, &stream, &end)) {
	case VPNR_TABLE_OK:
		vpnr_worker_init(worker, table, stream);
		return VPNR_REASON_NONE;
	case VPNR_TABLE_CLOSED:
		return give_up(connection, end);
	case VPNR_TABLE_UNSUPPORTED:
		log_refusal(connection, VPNR_LOG_WARN, "VPNr/1 carries IPv4 addresses only");
		return VPNR_REASON_UNREACHABLE;
	default:
		vpnr_stats_add(params->stats, VPNR_STAT_STREAMS_REFUSED, 1);
		log_refusal(connection, VPNR_LOG_WARN, VPNR_TABLE_FULL_TEXT);
		return VPNR_REASON_LIMIT;
	}
}

/* --- redirect and tproxy ---------------------------------------------------------------------- */

/* A socket that was made elsewhere is no listener of the client, but its own address is no
 * destination either. */
static gboolean
is_own(const VpnrInboundParams *params, const VpnrAddr *dest)
{
	return vpnr_addr_equal(&params->listen, dest) || vpnr_own_contains(params->own, dest);
}

static gboolean
find_original_destination(Connection *connection)
{
	const VpnrInboundParams *params = &connection->inbound->params;
	VpnrOrigdst result = params->kind == VPNR_INBOUND_TPROXY
				 ? vpnr_origdst_get_transparent(connection->fd, &connection->dest)
				 : vpnr_origdst_get(connection->fd, &connection->dest);

	if (result == VPNR_ORIGDST_OK && !is_own(params, &connection->dest))
		return TRUE;
	vpnr_stats_add(params->stats, VPNR_STAT_LOOPS_REFUSED, 1);
	log_refusal(connection, VPNR_LOG_WARN,
		    result == VPNR_ORIGDST_NONE
			? "the kernel knows no original destination, so it was not redirected"
			: "it was made to this client itself, not redirected to it");
	return FALSE;
}

/* The application believes that it is connected, so its stream is served at once: what it sends
 * travels behind the OPEN, and a refusal becomes a reset. TRUE: there is a worker. */
static gboolean
open_captured(Connection *connection, VpnrWorker *worker)
{
	const VpnrDns *dns = &connection->inbound->params.dns;

	if (!find_original_destination(connection))
		return FALSE;
	connection->dest = vpnr_dns_route(dns, &connection->dest);
	return open_stream(connection, worker) == VPNR_REASON_NONE;
}

/* --- socks ------------------------------------------------------------------------------------ */

/* An answer that says "no" must arrive, so the connection ends in order and not with a reset. */
static void
refuse_request(Connection *connection, const VpnrProxyreq *request, VpnrReason reason)
{
	vpnr_request_answer(connection->fd, request, reason);
	vpnr_request_close(vpnr_fd_steal(&connection->fd));
}

/* The application waits for our answer, and we for the server's. TRUE: there is a worker. */
static gboolean
open_requested(Connection *connection, const VpnrProxyreq *request, VpnrWorker *worker)
{
	VpnrReason reason = open_stream(connection, worker);

	if (reason != VPNR_REASON_NONE) {
		refuse_request(connection, request, reason);
		return FALSE;
	}
	reason = vpnr_worker_wait_opened(worker, connection->fd);
	if (reason == VPNR_REASON_NONE &&
	    !vpnr_request_answer(connection->fd, request, VPNR_REASON_NONE))
		reason = VPNR_REASON_ABORTED;
	if (reason == VPNR_REASON_NONE)
		return TRUE;
	log_refusal(connection, VPNR_LOG_DEBUG, vpnr_reason_text(reason));
	vpnr_worker_fail(worker, reason);
	refuse_request(connection, request, reason);
	return FALSE;
}

static void
serve_associate(Connection *connection, const VpnrProxyreq *request)
{
	const VpnrInbound *inbound = connection->inbound;
	const VpnrAssociateParams params = { .idle_ms = inbound->params.udp_idle_ms,
					     .mark = inbound->params.mark,
					     .stop = inbound->stop,
					     .pool = inbound->params.pool,
					     .uplinks = inbound->params.uplinks,
					     .stats = inbound->params.stats };
	g_autoptr(GError) error = NULL;

	if (params.idle_ms == 0) {
		log_refusal(connection, VPNR_LOG_WARN, "VPNr/1 carries no datagrams");
		refuse_request(connection, request, VPNR_REASON_DENIED);
	} else if (!vpnr_associate_serve(&params, connection->fd, &connection->peer, request,
					 &error)) {
		log_refusal(connection, VPNR_LOG_WARN, error->message);
		refuse_request(connection, request, VPNR_REASON_LIMIT);
	}
}

/* Reads what the application asks for. TRUE: its stream has a worker. FALSE: all is done. */
static gboolean
open_asked(Connection *connection, VpnrWorker *worker)
{
	VpnrInbound *inbound = connection->inbound;
	VpnrProxyreq request = { .kind = VPNR_PROXY_UNKNOWN };
	g_autofree char *why = NULL;

	vpnr_thread_set_name("vpnr-request");
	if (vpnr_request_read(connection->fd, VPNR_INBOUND_REQUEST_MS, inbound->stop, &request,
			      &why)) {
		connection->dest = request.dest;
		if (!request.associate)
			return open_requested(connection, &request, worker);
		serve_associate(connection, &request);
		return FALSE;
	}
	if (vpnr_latch_is_tripped(inbound->stop))
		return FALSE;
	vpnr_stats_add(inbound->params.stats, VPNR_STAT_PROXY_REFUSED, 1);
	log_refusal(connection, VPNR_LOG_WARN, why);
	vpnr_request_close(vpnr_fd_steal(&connection->fd));
	return FALSE;
}

/* --- accepting -------------------------------------------------------------------------------- */

/* TRUE: its stream has a worker, and *fd is its socket. Not inlined, so that nothing of it is on
 * the stack of the worker that runs. */
__attribute__((noinline)) static gboolean
open_connection(Arrival *arrival, VpnrWorker *worker, int *fd)
{
	g_auto(Connection) connection = connection_from_arrival(arrival);
	gboolean asks = connection.inbound->params.kind == VPNR_INBOUND_SOCKS;

	if (!(asks ? open_asked(&connection, worker) : open_captured(&connection, worker)))
		return FALSE;
	*fd = vpnr_fd_steal(&connection.fd);
	return TRUE;
}

static void
serve_connection(gpointer data)
{
	VpnrWorker worker;
	int fd;

	if (open_connection(data, &worker, &fd))
		vpnr_worker_run(&worker, fd);
}

static void
refuse_arrival(Arrival *arrival)
{
	g_auto(Connection) connection = connection_from_arrival(arrival);

	vpnr_stats_add(connection.inbound->params.stats, VPNR_STAT_STREAMS_REFUSED, 1);
	log_refusal(&connection, VPNR_LOG_WARN, "no thread is left");
}

static void
on_accept(int fd, const VpnrAddr *peer, gpointer data)
{
	VpnrInbound *inbound = data;
	Arrival *arrival = g_new0(Arrival, 1);

	atomic_fetch_add(&inbound->refs, 1);
	arrival->inbound = inbound;
	arrival->fd = fd;
	arrival->peer = vpnr_addr_pack(peer);
	if (!vpnr_pool_run(inbound->params.pool, serve_connection, arrival))
		refuse_arrival(arrival);
}

/* An accepted socket inherits these options from the listener (Linux; accept(2)), which saves six
 * system calls for each connection. */
static void
prepare_listener(int fd)
{
	vpnr_fd_set_nodelay(fd);
	vpnr_fd_set_keepalive(fd, VPNR_WORKER_KEEPALIVE_MS);
	vpnr_fd_set_urgent_inline(fd);
}

static int
listen_on(const VpnrInboundParams *params, GError **error)
{
	if (params->kind == VPNR_INBOUND_TPROXY)
		return vpnr_transparent_listen(&params->listen, params->mark, error);
	return vpnr_fd_listen(&params->listen, error);
}

VpnrInbound *
vpnr_inbound_start(const VpnrInboundParams *params, GError **error)
{
	int fd = listen_on(params, error);

	return fd >= 0 ? vpnr_inbound_start_on(fd, params, error) : NULL;
}

VpnrInbound *
vpnr_inbound_start_on(int listening, const VpnrInboundParams *params, GError **error)
{
	static const char *const names[] = {
		[VPNR_INBOUND_REDIRECT] = "accept-redirect",
		[VPNR_INBOUND_TPROXY] = "accept-tproxy",
		[VPNR_INBOUND_SOCKS] = "accept-socks",
	};
	VpnrInbound *inbound = g_new0(VpnrInbound, 1);

	prepare_listener(listening);
	inbound->params = *params;
	inbound->refs = 1;
	inbound->acceptor = vpnr_accept_new(listening, names[params->kind], on_accept, inbound);
	inbound->stop = vpnr_latch_new(error);
	if (inbound->stop == NULL || !vpnr_accept_start(inbound->acceptor, error)) {
		vpnr_accept_stop(inbound->acceptor);
		vpnr_inbound_unref(inbound);
		return NULL;
	}
	return inbound;
}

guint
vpnr_inbound_waiting(const VpnrInbound *inbound)
{
	return atomic_load(&inbound->waiting);
}

void
vpnr_inbound_stop(VpnrInbound *inbound)
{
	vpnr_latch_trip(inbound->stop);
	vpnr_accept_stop(g_steal_pointer(&inbound->acceptor));
}

void
vpnr_inbound_unref(VpnrInbound *inbound)
{
	if (inbound == NULL || atomic_fetch_sub(&inbound->refs, 1) > 1)
		return;
	vpnr_latch_free(inbound->stop);
	g_free(inbound);
}
