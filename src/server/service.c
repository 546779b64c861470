/* SPDX-License-Identifier: MIT
 *
 * service: see service.h.
 *
 * Three kinds of threads meet here: the service's own (vpnr_service_run() and what it calls), the
 * link's reader and writer (the on_*() functions), and the workers (serve_stream()). What they
 * share is under the lock.
 */
#include "config.h"

#include "server/service.h"

#include <pthread.h>

#include "base/fd.h"
#include "base/latch.h"
#include "base/log.h"
#include "base/thread.h"
#include "link/link.h"
#include "link/tls.h"
#include "server/dialer.h"
#include "stream/credit.h"
#include "stream/worker.h"

/* Milliseconds for the TLS handshake of a link, slow lines included. */
#define HANDSHAKE_TIMEOUT_MS 10000

struct VpnrService {
	/* const after start */
	VpnrServiceParams params;
	VpnrLatch *dismissed;
	gint64 born_us;
	/* service thread */
	int fd;
	/* const after the handshake */
	char *client;
	VpnrKey key;
	/* set before the link starts */
	VpnrLink *link;
	/* lock */
	pthread_mutex_t lock;
	gboolean authenticated; /* client and key are valid */
	VpnrAcl *acl;
	VpnrTable *table;  /* made by on_up() */
	gboolean dropping; /* the link is being taken down */
	char software[VPNR_SOFTWARE_MAX + 1];
};

VpnrService *
vpnr_service_new(const VpnrServiceParams *params, GError **error)
{
	VpnrService *service = g_new0(VpnrService, 1);

	service->params = *params;
	service->fd = params->fd;
	service->acl = params->acl;
	service->born_us = g_get_monotonic_time();
	pthread_mutex_init(&service->lock, NULL);
	service->dismissed = vpnr_latch_new(error);
	if (service->dismissed == NULL) {
		vpnr_service_free(service);
		return NULL;
	}
	return service;
}

void
vpnr_service_free(VpnrService *service)
{
	vpnr_fd_close(service->fd);
	vpnr_latch_free(service->dismissed);
	vpnr_acl_unref(service->acl);
	pthread_mutex_destroy(&service->lock);
	g_free(service->client);
	g_free(service);
}

/* What logs call the client: its name, or its address where there is none. */
static const char *
name_for_logs(const VpnrService *service, char buffer[static VPNR_ADDR_STRLEN])
{
	if (service->client != NULL)
		return service->client;
	return vpnr_addr_format(&service->params.peer, buffer);
}

/* --- streams (worker threads) ----------------------------------------------------------------- */

typedef struct {
	VpnrService *service;
	VpnrTable *table;
	VpnrStream *stream;
} Task;

static void
serve_stream(gpointer data)
{
	g_autofree Task *task = data;
	VpnrService *service = task->service;
	VpnrWorker *worker = vpnr_worker_new(task->table, task->stream);
	g_autoptr(VpnrAcl) acl = vpnr_service_acl(service);
	char name[VPNR_ADDR_STRLEN];
	VpnrDialer dialer = { .client = name_for_logs(service, name),
			      .acl = acl,
			      .own_ports = service->params.own_ports,
			      .stats = service->params.stats };
	VpnrReason reason;
	int fd = vpnr_dialer_connect(&dialer, worker, &task->stream->dest, &reason);

	if (fd >= 0)
		vpnr_worker_run(worker, fd);
	else
		vpnr_worker_fail(worker, reason);
}

/* --- the link's handler (reader and writer thread) -------------------------------------------- */

static void
on_up(gpointer data, const VpnrHello *hello)
{
	VpnrService *service = data;
	gboolean v2 = hello != NULL;
	VpnrTable *table = vpnr_table_new(&(VpnrTableParams){
	    .protocol = service->params.protocol,
	    .role = VPNR_ROLE_SERVER,
	    .outbox = vpnr_link_outbox(service->link),
	    .max_streams = service->params.max_streams,
	    .send_limit = v2 ? hello->initial_window : G_MAXUINT64,
	    .stats = service->params.stats,
	});
	char name[VPNR_ADDR_STRLEN], peer[VPNR_ADDR_STRLEN];

	pthread_mutex_lock(&service->lock);
	if (service->dropping) /* drop_link() has not seen this table: nobody else would close it */
		vpnr_table_close(table, VPNR_REASON_LINK_LOST);
	service->table = table;
	g_strlcpy(service->software, v2 ? hello->software : "", sizeof service->software);
	pthread_mutex_unlock(&service->lock);
	vpnr_log(VPNR_LOG_INFO, "%s: link from %s (%s)", name_for_logs(service, name),
		 vpnr_addr_format(&service->params.peer, peer),
		 v2 ? hello->software : "VPNr/1, in the clear");
}

/* Tells the client that there will be no such stream. */
static const char *
refuse(VpnrService *service, guint32 id, VpnrReason reason)
{
	vpnr_stats_add(service->params.stats, VPNR_STAT_STREAMS_REFUSED, 1);
	if (!vpnr_link_answer(service->link, vpnr_frame_new_reset(id, reason)))
		return "too many OPENs beyond the limit";
	return NULL;
}

static const char *
start_stream(VpnrService *service, VpnrStream *stream, VpnrKind kind)
{
	VpnrReason reason = kind == VPNR_KIND_TCP ? VPNR_REASON_LIMIT : VPNR_REASON_DENIED;
	guint32 id = stream->id;
	Task *task = g_new0(Task, 1);

	task->service = service;
	task->table = service->table;
	task->stream = stream;
	if (kind == VPNR_KIND_TCP && vpnr_pool_run(service->params.pool, serve_stream, task))
		return NULL;
	g_free(task);
	vpnr_table_remove(service->table, stream);
	vpnr_stream_unref(stream);
	return refuse(service, id, reason);
}

static const char *
on_open(VpnrService *service, const VpnrFrame *frame)
{
	VpnrStream *stream = NULL;

	switch (vpnr_table_accept(service->table, frame, &stream)) {
	case VPNR_TABLE_OK:
		return start_stream(service, stream, frame->open.kind);
	case VPNR_TABLE_FULL:
		return refuse(service, frame->stream, VPNR_REASON_LIMIT);
	case VPNR_TABLE_FLOOD:
		return "OPENs without reading what earlier ones were answered";
	case VPNR_TABLE_VIOLATION:
		return "OPEN with an id that is not above all earlier ones";
	default:
		return NULL;
	}
}

static const char *
on_frame(gpointer data, VpnrFrame *frame)
{
	VpnrService *service = data;
	const char *violation;

	if (frame->type != VPNR_FRAME_OPEN)
		return vpnr_table_deliver(service->table, frame);
	violation = on_open(service, frame);
	vpnr_frame_free(frame);
	return violation;
}

static void
on_released(gpointer data, const VpnrFrame *frame)
{
	VpnrService *service = data;

	vpnr_table_released(service->table, frame);
}

static const VpnrLinkHandler handler = {
	.up = on_up,
	.frame = on_frame,
	.released = on_released,
};

/* --- the service thread ----------------------------------------------------------------------- */

static gboolean
authorise(const VpnrKey *key, gpointer data)
{
	VpnrService *service = data;

	service->key = *key;
	return service->params.host->authorise(service->params.host_data, key, &service->client,
					       &service->acl);
}

/* Puts in force the access list that a service was confirmed with, unless a reload has put another
 * one in the place of that of the handshake: then that is the newest. */
static void
renew_acl(VpnrService *service, const VpnrAcl *handshake, VpnrAcl *confirmed)
{
	pthread_mutex_lock(&service->lock);
	if (service->acl == handshake) {
		vpnr_acl_unref(service->acl);
		service->acl = vpnr_acl_ref(confirmed);
	}
	pthread_mutex_unlock(&service->lock);
}

/* Makes the service one that a reload sees, and only then asks once more: a key that was taken away
 * during the handshake, and an access list that was narrowed, must not slip through. */
static gboolean
confirm(VpnrService *service)
{
	g_autofree char *client = NULL;
	g_autoptr(VpnrAcl) handshake = NULL;
	g_autoptr(VpnrAcl) confirmed = NULL;

	if (service->params.protocol != VPNR_PROTOCOL_V2)
		return TRUE;
	pthread_mutex_lock(&service->lock);
	service->authenticated = TRUE;
	handshake = vpnr_acl_ref(service->acl);
	pthread_mutex_unlock(&service->lock);
	if (!service->params.host->authorise(service->params.host_data, &service->key, &client,
					     &confirmed))
		return FALSE;
	renew_acl(service, handshake, confirmed);
	return TRUE;
}

static VpnrTransport *
make_transport(VpnrService *service, GError **error)
{
	int fd = vpnr_fd_steal(&service->fd);

	vpnr_link_prepare_socket(fd, service->params.protocol);
	if (service->params.protocol != VPNR_PROTOCOL_V2)
		return vpnr_transport_new_plain(fd);
	return vpnr_tls_handshake(fd,
				  &(VpnrTlsParams){ .role = VPNR_ROLE_SERVER,
						    .private_key = service->params.private_key,
						    .authorise = authorise,
						    .data = service,
						    .timeout_ms = HANDSHAKE_TIMEOUT_MS,
						    .cancel_fd =
							vpnr_latch_fd(service->dismissed) },
				  NULL, error);
}

static gboolean
start_link(VpnrService *service, VpnrTransport *transport, GError **error)
{
	service->link =
	    vpnr_link_new(&(VpnrLinkParams){ .transport = transport,
					     .protocol = service->params.protocol,
					     .role = VPNR_ROLE_SERVER,
					     .hello = { .version = VPNR_HELLO_VERSION,
							.max_streams = service->params.max_streams,
							.initial_window = VPNR_WINDOW,
							.software = "vpnr " PACKAGE_VERSION },
					     .handler = &handler,
					     .data = service,
					     .stats = service->params.stats },
			  error);
	return service->link != NULL && vpnr_link_start(service->link, error);
}

/* Aborts the streams, waits for their workers, and frees link and table. */
static void
drop_link(VpnrService *service)
{
	VpnrTable *table;

	pthread_mutex_lock(&service->lock);
	service->dropping = TRUE;
	table = service->table;
	pthread_mutex_unlock(&service->lock);
	if (table != NULL) {
		vpnr_table_close(table, VPNR_REASON_LINK_LOST);
		vpnr_table_wait_empty(table);
	}
	vpnr_link_free(service->link);
	pthread_mutex_lock(&service->lock);
	table = g_steal_pointer(&service->table);
	pthread_mutex_unlock(&service->lock);
	vpnr_table_free(table);
}

static void
serve_link(VpnrService *service, VpnrTransport *transport)
{
	g_autoptr(GError) error = NULL;
	char name[VPNR_ADDR_STRLEN];

	if (start_link(service, transport, &error)) {
		vpnr_link_wait(service->link, service->dismissed);
		vpnr_log(VPNR_LOG_INFO, "%s: link ended: %s", name_for_logs(service, name),
			 vpnr_link_end_text(service->link));
		if (!vpnr_link_ended_in_order(service->link))
			vpnr_stats_add(service->params.stats, VPNR_STAT_LINKS_FAILED, 1);
	} else {
		vpnr_log(VPNR_LOG_WARN, "%s: no link: %s", name_for_logs(service, name),
			 error->message);
	}
	drop_link(service);
}

void
vpnr_service_run(VpnrService *service)
{
	g_autoptr(GError) error = NULL;
	char peer[VPNR_ADDR_STRLEN];
	VpnrTransport *transport;

	vpnr_thread_set_name("vpnr-service");
	transport = make_transport(service, &error);
	service->params.host->settled(service->params.host_data, service);
	if (transport != NULL && confirm(service)) {
		serve_link(service, transport);
	} else if (transport != NULL) {
		vpnr_transport_free(transport);
	} else if (!vpnr_latch_is_tripped(service->dismissed)) {
		vpnr_stats_add(service->params.stats, VPNR_STAT_AUTH_REFUSED, 1);
		vpnr_log(VPNR_LOG_WARN, "refused the link from %s: %s",
			 vpnr_addr_format(&service->params.peer, peer), error->message);
	}
}

/* --- for other threads ------------------------------------------------------------------------ */

void
vpnr_service_dismiss(VpnrService *service)
{
	vpnr_latch_trip(service->dismissed);
}

const VpnrKey *
vpnr_service_key(VpnrService *service)
{
	gboolean authenticated;

	pthread_mutex_lock(&service->lock);
	authenticated = service->authenticated;
	pthread_mutex_unlock(&service->lock);
	return authenticated ? &service->key : NULL;
}

void
vpnr_service_set_acl(VpnrService *service, VpnrAcl *acl)
{
	VpnrAcl *old;

	pthread_mutex_lock(&service->lock);
	old = service->acl;
	service->acl = vpnr_acl_ref(acl);
	pthread_mutex_unlock(&service->lock);
	vpnr_acl_unref(old);
}

VpnrAcl *
vpnr_service_acl(VpnrService *service)
{
	VpnrAcl *acl;

	pthread_mutex_lock(&service->lock);
	acl = vpnr_acl_ref(service->acl);
	pthread_mutex_unlock(&service->lock);
	return acl;
}

const VpnrAddr *
vpnr_service_peer(const VpnrService *service)
{
	return &service->params.peer;
}

VpnrServiceStatus
vpnr_service_status(VpnrService *service)
{
	VpnrServiceStatus status = { .peer = service->params.peer,
				     .protocol = service->params.protocol,
				     .since_us = service->born_us,
				     .rtt_us = -1 };

	pthread_mutex_lock(&service->lock);
	if (service->authenticated)
		status.client = service->client;
	if (service->table != NULL && !service->dropping) {
		status.streams = vpnr_table_size(service->table);
		status.rtt_us = vpnr_link_rtt_us(service->link);
	}
	g_strlcpy(status.software, service->software, sizeof status.software);
	pthread_mutex_unlock(&service->lock);
	return status;
}

void
vpnr_service_foreach(VpnrService *service, void (*func)(VpnrStream *stream, gpointer data),
		     gpointer data)
{
	pthread_mutex_lock(&service->lock);
	if (service->table != NULL)
		vpnr_table_foreach(service->table, func, data);
	pthread_mutex_unlock(&service->lock);
}
