/* SPDX-License-Identifier: MIT
 *
 * tunnel: see tunnel.h. Everything up to "any thread" happens on the uplink's thread, except
 * what the session's threads call, on_frame() and those below it.
 */
#include "config.h"

#include "client/tunnel.h"

#include <pthread.h>

#include "link/greeting.h"
#include "stream/credit.h"

struct VpnrTunnel {
	/* const after start */
	VpnrOrigin origin;
	guint number;
	VpnrBudget *budget;
	VpnrStats *stats;
	/* uplink's thread */
	VpnrProtocol protocol; /* of the session */
	VpnrSessionId id;      /* VPNr/2 */
	/* lock; the uplink's thread changes it and may read it without */
	pthread_mutex_t lock;
	VpnrSession *session;
	VpnrTable *table; /* of the session, which it outlives a little */
};

VpnrTunnel *
vpnr_tunnel_new(const VpnrOrigin *origin, guint number, VpnrBudget *budget, VpnrStats *stats)
{
	VpnrTunnel *tunnel = g_new0(VpnrTunnel, 1);

	tunnel->origin = *origin;
	tunnel->number = number;
	tunnel->budget = budget;
	tunnel->stats = stats;
	pthread_mutex_init(&tunnel->lock, NULL);
	return tunnel;
}

void
vpnr_tunnel_free(VpnrTunnel *tunnel)
{
	if (tunnel == NULL)
		return;
	vpnr_tunnel_end(tunnel);
	pthread_mutex_destroy(&tunnel->lock);
	g_free(tunnel);
}

/* --- the session ------------------------------------------------------------------------------ */

/* Reader thread. The table stays until the session has been freed. */
static const char *
on_frame(gpointer data, VpnrFrame *frame)
{
	VpnrTunnel *tunnel = data;

	return vpnr_table_deliver(tunnel->table, frame);
}

/* Writer thread. */
static void
on_released(gpointer data, const VpnrFrame *frame)
{
	VpnrTunnel *tunnel = data;

	vpnr_table_released(tunnel->table, frame);
}

static void
on_paced(gpointer data, gsize most)
{
	VpnrTunnel *tunnel = data;

	vpnr_table_set_frame_size(tunnel->table, most);
}

static const VpnrSessionHandler handler = {
	.frame = on_frame,
	.released = on_released,
	.paced = on_paced,
};

static gboolean
begin(VpnrTunnel *tunnel, VpnrProtocol protocol, const VpnrHello *hello, GError **error)
{
	gboolean v2 = protocol == VPNR_PROTOCOL_V2;
	VpnrSession *session =
	    vpnr_session_new(&(VpnrSessionParams){ .protocol = protocol,
						   .role = VPNR_ROLE_CLIENT,
						   .number = tunnel->number,
						   .handler = &handler,
						   .data = tunnel,
						   .worn_bytes = v2 ? VPNR_TUNNEL_WORN_BYTES : 0,
						   .budget = tunnel->budget,
						   .stats = tunnel->stats },
			     error);
	VpnrTable *table;

	if (session == NULL)
		return FALSE;
	table = vpnr_table_new(
	    &(VpnrTableParams){
		.protocol = protocol,
		.role = VPNR_ROLE_CLIENT,
		.outbox = vpnr_session_outbox(session),
		.max_streams = v2 ? hello->max_streams : G_MAXUINT16,
		.send_limit = v2 ? hello->initial_window : G_MAXUINT64,
		.datagrams = vpnr_hello_takes_datagrams(hello),
		.budget = tunnel->budget,
		.stats = tunnel->stats,
	    },
	    error);
	if (table == NULL) {
		vpnr_session_free(session);
		return FALSE;
	}
	tunnel->protocol = protocol;
	tunnel->id = hello->session;
	pthread_mutex_lock(&tunnel->lock);
	tunnel->session = session;
	tunnel->table = table;
	pthread_mutex_unlock(&tunnel->lock);
	return TRUE;
}

/* Workers push until they have ended, so the session must outlive them; its threads use the table
 * until they are joined, so the table must outlive those. */
void
vpnr_tunnel_end(VpnrTunnel *tunnel)
{
	VpnrSession *session = tunnel->session;
	VpnrTable *table = tunnel->table;

	if (session == NULL)
		return;
	vpnr_table_close(table, VPNR_REASON_LINK_LOST);
	vpnr_table_wait_empty(table);
	pthread_mutex_lock(&tunnel->lock);
	tunnel->session = NULL;
	pthread_mutex_unlock(&tunnel->lock);
	vpnr_session_free(session);
	pthread_mutex_lock(&tunnel->lock);
	tunnel->table = NULL;
	pthread_mutex_unlock(&tunnel->lock);
	vpnr_table_free(table);
}

VpnrSession *
vpnr_tunnel_session(const VpnrTunnel *tunnel)
{
	return tunnel->session;
}

gboolean
vpnr_tunnel_can_resume(const VpnrTunnel *tunnel)
{
	return tunnel->session != NULL && tunnel->protocol == VPNR_PROTOCOL_V2;
}

/* --- a new link ------------------------------------------------------------------------------- */

static gboolean
is_violated(const VpnrSession *session)
{
	struct pollfd fds[VPNR_SESSION_FDS];

	if (!vpnr_session_is_attached(session))
		return FALSE;
	vpnr_session_prepare_poll(session, fds);
	return vpnr_session_link_end(session, fds) == VPNR_LINK_VIOLATION;
}

/* A server that has broken a rule is told so by the end of the session, on the link there is. */
gboolean
vpnr_tunnel_give_way(VpnrTunnel *tunnel)
{
	VpnrSession *session = tunnel->session;

	if (session == NULL)
		return TRUE;
	if (!is_violated(session) && vpnr_session_detach(session) == VPNR_LINK_LOST)
		return TRUE;
	vpnr_tunnel_end(tunnel);
	return FALSE;
}

/* HELLO for HELLO: we ask for the session that we have. */
static gboolean
greet(VpnrTunnel *tunnel, VpnrTransport *transport, int max_ms, const VpnrLatch *stop,
      VpnrHello *theirs, GByteArray *early, GError **error)
{
	int timeout_ms =
	    max_ms >= 0 ? MIN(max_ms, VPNR_GREETING_TIMEOUT_MS) : VPNR_GREETING_TIMEOUT_MS;
	VpnrHello ours = { .version = VPNR_HELLO_VERSION,
			   .capabilities = VPNR_CAPABILITY_DATAGRAM,
			   .max_streams = 1, /* the server opens none */
			   .initial_window = VPNR_WINDOW_MIN,
			   .has_origin = TRUE,
			   .origin = tunnel->origin,
			   .software = "vpnr " PACKAGE_VERSION };

	if (vpnr_tunnel_can_resume(tunnel)) {
		ours.has_session = TRUE;
		ours.session = tunnel->id;
		ours.received = vpnr_session_received(tunnel->session);
	}
	return vpnr_greeting_send(transport, &ours, error) &&
	       vpnr_greeting_receive(transport, theirs, early, timeout_ms, vpnr_latch_fd(stop),
				     error);
}

static gboolean
is_our_session(const VpnrTunnel *tunnel, const VpnrHello *hello)
{
	return vpnr_tunnel_can_resume(tunnel) &&
	       vpnr_session_id_equal(&tunnel->id, &hello->session);
}

static const char *
find_fault(const VpnrTunnel *tunnel, const VpnrHello *hello)
{
	if (!hello->has_session)
		return "HELLO names no session";
	if (is_our_session(tunnel, hello))
		return vpnr_session_can_resume(tunnel->session, hello->received)
			   ? NULL
			   : "HELLO has received what was not sent";
	return hello->received == 0 ? NULL : "HELLO has received frames of a new session";
}

/* TRUE if the server's HELLO says what it can. If not, the session cannot go on. */
static gboolean
check(VpnrTunnel *tunnel, VpnrTransport *transport, const VpnrHello *hello, GError **error)
{
	const char *fault = find_fault(tunnel, hello);

	if (fault == NULL)
		return TRUE;
	vpnr_stats_add(tunnel->stats, VPNR_STAT_VIOLATIONS, 1);
	g_set_error(error, VPNR_GREETING_ERROR, VPNR_GREETING_ERROR_VIOLATION,
		    "protocol violation: %s", fault);
	vpnr_greeting_refuse(transport, VPNR_REASON_PROTOCOL);
	vpnr_tunnel_end(tunnel);
	return FALSE;
}

VpnrTunnelTake
vpnr_tunnel_take(VpnrTunnel *tunnel, VpnrProtocol protocol, VpnrTransport *connected, int max_ms,
		 const VpnrLatch *stop, VpnrHello *hello, GError **error)
{
	g_autoptr(VpnrTransport) transport = connected;
	g_autoptr(GByteArray) early = g_byte_array_new();
	gboolean resumed = FALSE;

	*hello = (VpnrHello){ 0 };
	if (protocol == VPNR_PROTOCOL_V2) {
		if (!greet(tunnel, transport, max_ms, stop, hello, early, error) ||
		    !check(tunnel, transport, hello, error))
			return VPNR_TUNNEL_FAILED;
		resumed = is_our_session(tunnel, hello);
	}
	if (!resumed) {
		vpnr_tunnel_end(tunnel);
		if (!begin(tunnel, protocol, hello, error))
			return VPNR_TUNNEL_FAILED;
	}
	vpnr_table_set_far(tunnel->table, vpnr_transport_is_far(transport));
	if (!vpnr_session_attach(tunnel->session, g_steal_pointer(&transport), early,
				 hello->received, error))
		return VPNR_TUNNEL_FAILED;
	return resumed ? VPNR_TUNNEL_RESUMED : VPNR_TUNNEL_NEW;
}

/* --- any thread ------------------------------------------------------------------------------- */

VpnrTableResult
vpnr_tunnel_open(VpnrTunnel *tunnel, VpnrKind kind, const VpnrAddr *dest, const VpnrAddr *peer,
		 VpnrTable **table, VpnrStream **stream)
{
	VpnrTableResult result = VPNR_TABLE_CLOSED;

	pthread_mutex_lock(&tunnel->lock);
	if (tunnel->table != NULL) {
		*table = tunnel->table;
		result = vpnr_table_open(tunnel->table, kind, dest, peer, stream);
	}
	pthread_mutex_unlock(&tunnel->lock);
	return result;
}

gboolean
vpnr_tunnel_load(VpnrTunnel *tunnel, VpnrTableLoad *load)
{
	gboolean ok;

	pthread_mutex_lock(&tunnel->lock);
	ok = tunnel->table != NULL;
	if (ok)
		*load = vpnr_table_load(tunnel->table);
	pthread_mutex_unlock(&tunnel->lock);
	return ok;
}

guint
vpnr_tunnel_foreach(VpnrTunnel *tunnel, void (*func)(VpnrStream *stream, gpointer data),
		    gpointer data)
{
	guint n = 0;

	pthread_mutex_lock(&tunnel->lock);
	if (tunnel->table != NULL) {
		n = vpnr_table_size(tunnel->table);
		if (func != NULL)
			vpnr_table_foreach(tunnel->table, func, data);
	}
	pthread_mutex_unlock(&tunnel->lock);
	return n;
}

VpnrSessionStatus
vpnr_tunnel_status(VpnrTunnel *tunnel)
{
	VpnrSessionStatus status = { .rtt_us = -1 };

	pthread_mutex_lock(&tunnel->lock);
	if (tunnel->session != NULL)
		status = vpnr_session_status(tunnel->session);
	pthread_mutex_unlock(&tunnel->lock);
	return status;
}
