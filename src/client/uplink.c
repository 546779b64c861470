/* SPDX-License-Identifier: MIT
 *
 * uplink: see uplink.h. Everything below uplink_run() happens on the uplink thread, except on_up(),
 * on_frame() and on_released(), which the link's threads call.
 */
#include "config.h"

#include "client/uplink.h"

#include <pthread.h>

#include "base/dial.h"
#include "base/fd.h"
#include "base/latch.h"
#include "base/log.h"
#include "base/resolve.h"
#include "base/thread.h"
#include "client/backoff.h"
#include "link/link.h"
#include "link/tls.h"
#include "stream/credit.h"

/* Milliseconds for connecting to the server, all its addresses together, and for the TLS
 * handshake. */
#define DIAL_TIMEOUT_MS      10000
#define HANDSHAKE_TIMEOUT_MS 10000

struct VpnrUplink {
	/* const after start */
	VpnrStats *stats;
	VpnrLatch *stop;
	VpnrThread *thread;
	/* uplink thread */
	VpnrBackoff backoff;
	VpnrLink *link;
	VpnrProtocol protocol; /* of link */
	char *last_failure;    /* as logged: the same again is not worth a line */
	/* lock */
	pthread_mutex_t lock;
	VpnrUplinkTarget target;
	VpnrUplinkStatus status;
	VpnrTable *table;  /* of link; made by on_up() */
	gboolean dropping; /* link is being taken down: no stream may be opened any more */
	gboolean was_up;   /* some link was up since the start */
};

static void
set_state(VpnrUplink *uplink, VpnrUplinkState state)
{
	pthread_mutex_lock(&uplink->lock);
	uplink->status.state = state;
	uplink->status.since_us = g_get_monotonic_time();
	if (state == VPNR_UPLINK_CONNECTING)
		uplink->status.server = uplink->target.server;
	pthread_mutex_unlock(&uplink->lock);
}

/* --- one link --------------------------------------------------------------------------------- */

static void
log_connected(VpnrUplink *uplink, const VpnrHello *hello)
{
	char server[VPNR_ADDR_STRLEN];

	vpnr_addr_format(&uplink->status.server, server);
	if (hello != NULL)
		vpnr_log(VPNR_LOG_INFO, "connected to %s (%s)", server, hello->software);
	else
		vpnr_log(VPNR_LOG_WARN,
			 "connected to %s by VPNr/1: IN THE CLEAR, without authentication", server);
}

/* Reader thread: the server has greeted. From here on streams can be opened. */
static void
on_up(gpointer data, const VpnrHello *hello)
{
	VpnrUplink *uplink = data;
	gboolean v2 = hello != NULL;
	VpnrTable *table = vpnr_table_new(&(VpnrTableParams){
	    .protocol = uplink->protocol,
	    .role = VPNR_ROLE_CLIENT,
	    .outbox = vpnr_link_outbox(uplink->link),
	    .max_streams = v2 ? hello->max_streams : G_MAXUINT16,
	    .send_limit = v2 ? hello->initial_window : G_MAXUINT64,
	    .stats = uplink->stats,
	});

	pthread_mutex_lock(&uplink->lock);
	uplink->table = table;
	if (uplink->was_up)
		vpnr_stats_add(uplink->stats, VPNR_STAT_RECONNECTS, 1);
	uplink->was_up = TRUE;
	g_strlcpy(uplink->status.software, v2 ? hello->software : "",
		  sizeof uplink->status.software);
	pthread_mutex_unlock(&uplink->lock);
	set_state(uplink, VPNR_UPLINK_CONNECTED);
	log_connected(uplink, hello);
}

/* Reader thread. The table stays until the reader has been joined. */
static const char *
on_frame(gpointer data, VpnrFrame *frame)
{
	VpnrUplink *uplink = data;

	return vpnr_table_deliver(uplink->table, frame);
}

/* Writer thread. There is data only after on_up(). */
static void
on_released(gpointer data, const VpnrFrame *frame)
{
	VpnrUplink *uplink = data;

	vpnr_table_released(uplink->table, frame);
}

static const VpnrLinkHandler handler = {
	.up = on_up,
	.frame = on_frame,
	.released = on_released,
};

/* A connected socket to the server, or -1. */
static int
dial(VpnrUplink *uplink, const VpnrUplinkTarget *target, GError **error)
{
	VpnrCancel cancel = { .fd = vpnr_latch_fd(uplink->stop) };
	g_autoptr(GArray) addrs = vpnr_resolve(&target->server, &cancel, error);
	VpnrDialOptions options = { .timeout_ms = DIAL_TIMEOUT_MS, .cancel = cancel };
	VpnrAddr which;
	int fd;

	if (addrs == NULL)
		return -1;
	fd = vpnr_dial((VpnrAddr *)addrs->data, addrs->len, &options, &which, error);
	if (fd < 0)
		return -1;
	vpnr_link_prepare_socket(fd, target->protocol);
	pthread_mutex_lock(&uplink->lock);
	uplink->status.server = which;
	pthread_mutex_unlock(&uplink->lock);
	return fd;
}

static gboolean
is_the_server(const VpnrKey *peer, gpointer data)
{
	const VpnrUplinkTarget *target = data;

	return vpnr_key_equal(peer, &target->server_public_key);
}

static VpnrTransport *
connect_transport(VpnrUplink *uplink, VpnrUplinkTarget *target, GError **error)
{
	int fd = dial(uplink, target, error);

	if (fd < 0)
		return NULL;
	if (target->protocol != VPNR_PROTOCOL_V2)
		return vpnr_transport_new_plain(fd);
	return vpnr_tls_handshake(fd,
				  &(VpnrTlsParams){ .role = VPNR_ROLE_CLIENT,
						    .private_key = &target->private_key,
						    .authorise = is_the_server,
						    .data = target,
						    .timeout_ms = HANDSHAKE_TIMEOUT_MS,
						    .cancel_fd = vpnr_latch_fd(uplink->stop) },
				  NULL, error);
}

static gboolean
start_link(VpnrUplink *uplink, GError **error)
{
	VpnrUplinkTarget target;
	VpnrTransport *transport;

	pthread_mutex_lock(&uplink->lock);
	target = uplink->target;
	pthread_mutex_unlock(&uplink->lock);
	transport = connect_transport(uplink, &target, error);
	vpnr_key_wipe(&target.private_key);
	if (transport == NULL)
		return FALSE;
	uplink->protocol = target.protocol;
	uplink->link =
	    vpnr_link_new(&(VpnrLinkParams){ .transport = transport,
					     .protocol = target.protocol,
					     .role = VPNR_ROLE_CLIENT,
					     .hello = { .version = VPNR_HELLO_VERSION,
							.max_streams =
							    1, /* the server opens none */
							.initial_window = VPNR_WINDOW,
							.software = "vpnr " PACKAGE_VERSION },
					     .handler = &handler,
					     .data = uplink,
					     .stats = uplink->stats },
			  error);
	return uplink->link != NULL && vpnr_link_start(uplink->link, error);
}

/* Takes the link away from those who open streams, aborts the streams and frees both. TRUE if the
 * link had been up. A link that is closed before its HELLO came may call on_up() as long as its
 * reader runs: then the table is made too late for any stream. */
static gboolean
drop_link(VpnrUplink *uplink)
{
	VpnrTable *table;

	pthread_mutex_lock(&uplink->lock);
	uplink->dropping = TRUE;
	table = uplink->table;
	pthread_mutex_unlock(&uplink->lock);
	if (table != NULL) {
		vpnr_table_close(table, VPNR_REASON_LINK_LOST);
		vpnr_table_wait_empty(table);
	}
	vpnr_link_free(g_steal_pointer(&uplink->link));
	pthread_mutex_lock(&uplink->lock);
	table = g_steal_pointer(&uplink->table);
	uplink->dropping = FALSE;
	pthread_mutex_unlock(&uplink->lock);
	vpnr_table_free(table);
	return table != NULL;
}

/* --- the thread ------------------------------------------------------------------------------- */

/* The same failure over and over is one line, until something else happens. */
static void
log_failure(VpnrUplink *uplink, const char *failure)
{
	char server[VPNR_ADDR_STRLEN];
	gboolean again = g_strcmp0(failure, uplink->last_failure) == 0;

	pthread_mutex_lock(&uplink->lock);
	vpnr_addr_format(&uplink->status.server, server);
	pthread_mutex_unlock(&uplink->lock);
	vpnr_log(again ? VPNR_LOG_DEBUG : VPNR_LOG_WARN, "no link to %s: %s", server, failure);
	g_free(uplink->last_failure);
	uplink->last_failure = g_strdup(failure);
}

/* One try: from the dial to the end of the link. */
static void
try_link(VpnrUplink *uplink)
{
	g_autoptr(GError) error = NULL;
	gboolean started;

	set_state(uplink, VPNR_UPLINK_CONNECTING);
	started = start_link(uplink, &error);
	if (started)
		vpnr_link_wait(uplink->link, uplink->stop);
	set_state(uplink, VPNR_UPLINK_DISCONNECTED);
	if (vpnr_latch_is_tripped(uplink->stop))
		return;
	log_failure(uplink, started ? vpnr_link_end_text(uplink->link) : error->message);
	if (!started || !vpnr_link_ended_in_order(uplink->link))
		vpnr_stats_add(uplink->stats, VPNR_STAT_LINKS_FAILED, 1);
}

static void
uplink_run(gpointer data)
{
	VpnrUplink *uplink = data;

	while (!vpnr_latch_is_tripped(uplink->stop)) {
		try_link(uplink);
		if (drop_link(uplink)) {
			vpnr_backoff_reset(&uplink->backoff);
			g_clear_pointer(&uplink->last_failure, g_free);
		}
		vpnr_latch_wait(uplink->stop,
				(int)vpnr_backoff_next(&uplink->backoff, g_random_int()));
	}
}

VpnrUplink *
vpnr_uplink_start(const VpnrUplinkTarget *target, VpnrStats *stats, GError **error)
{
	VpnrUplink *uplink = g_new0(VpnrUplink, 1);

	pthread_mutex_init(&uplink->lock, NULL);
	uplink->stats = stats;
	uplink->target = *target;
	uplink->status.server = target->server;
	uplink->stop = vpnr_latch_new(error);
	if (uplink->stop != NULL)
		uplink->thread = vpnr_thread_start("vpnr-uplink", uplink_run, uplink, error);
	if (uplink->thread == NULL) {
		vpnr_uplink_free(uplink);
		return NULL;
	}
	return uplink;
}

void
vpnr_uplink_stop(VpnrUplink *uplink)
{
	if (uplink->stop != NULL)
		vpnr_latch_trip(uplink->stop);
	vpnr_thread_join(g_steal_pointer(&uplink->thread));
}

void
vpnr_uplink_free(VpnrUplink *uplink)
{
	if (uplink == NULL)
		return;
	vpnr_uplink_stop(uplink);
	vpnr_latch_free(uplink->stop);
	vpnr_key_wipe(&uplink->target.private_key);
	pthread_mutex_destroy(&uplink->lock);
	g_free(uplink->last_failure);
	g_free(uplink);
}

/* --- for other threads ------------------------------------------------------------------------ */

void
vpnr_uplink_set_target(VpnrUplink *uplink, const VpnrUplinkTarget *target)
{
	pthread_mutex_lock(&uplink->lock);
	uplink->target = *target;
	pthread_mutex_unlock(&uplink->lock);
}

/* The link, its table and its round-trip time may be used while the lock is held. */
static gboolean
is_up_locked(const VpnrUplink *uplink)
{
	return uplink->table != NULL && !uplink->dropping;
}

VpnrTableResult
vpnr_uplink_open(VpnrUplink *uplink, const VpnrAddr *dest, const VpnrAddr *peer, VpnrTable **table,
		 VpnrStream **stream)
{
	VpnrTableResult result = VPNR_TABLE_CLOSED;

	pthread_mutex_lock(&uplink->lock);
	if (is_up_locked(uplink)) {
		*table = uplink->table;
		result = vpnr_table_open(uplink->table, dest, peer, stream);
	}
	pthread_mutex_unlock(&uplink->lock);
	return result;
}

VpnrUplinkStatus
vpnr_uplink_status(VpnrUplink *uplink)
{
	VpnrUplinkStatus status;

	pthread_mutex_lock(&uplink->lock);
	status = uplink->status;
	status.rtt_us = is_up_locked(uplink) ? vpnr_link_rtt_us(uplink->link) : -1;
	pthread_mutex_unlock(&uplink->lock);
	return status;
}

guint
vpnr_uplink_foreach(VpnrUplink *uplink, void (*func)(VpnrStream *stream, gpointer data),
		    gpointer data)
{
	guint n = 0;

	pthread_mutex_lock(&uplink->lock);
	if (uplink->table != NULL) {
		n = vpnr_table_size(uplink->table);
		if (func != NULL)
			vpnr_table_foreach(uplink->table, func, data);
	}
	pthread_mutex_unlock(&uplink->lock);
	return n;
}

const char *
vpnr_uplink_state_name(VpnrUplinkState state)
{
	static const char *const names[] = {
		[VPNR_UPLINK_DISCONNECTED] = "disconnected",
		[VPNR_UPLINK_CONNECTING] = "connecting",
		[VPNR_UPLINK_CONNECTED] = "connected",
	};

	return names[state];
}
