/* SPDX-License-Identifier: MIT
 *
 * tenant: see tenant.h. Frames come on the session's reader thread, one after the other; each
 * stream is served on a thread of the pool; everything else says at its section which thread it is
 * for.
 */
#include "config.h"

#include "server/tenant.h"

#include <errno.h>
#include <pthread.h>
#include <sys/random.h>

#include "base/fd.h"
#include "base/log.h"
#include "link/greeting.h"
#include "server/dialer.h"
#include "stream/credit.h"
#include "stream/flow.h"
#include "stream/worker.h"

/* Seconds. A client is told of each stream that is refused, and may go on asking. */
#define LOG_EVERY_S 60

struct VpnrTenant {
	/* const after start */
	VpnrTenantParams params;
	/* const after vpnr_tenant_begin() */
	const char *name;
	VpnrSessionId id; /* VPNr/2 */
	/* reader thread */
	gint64 silent_until; /* monotonic, us: about streams that are refused */
	/* lock; the service's thread changes them and may read them without, and so may the threads
	 * of session and streams, which end before they change */
	pthread_mutex_t lock;
	VpnrAcl *acl;
	VpnrSession *session;
	VpnrTable *table; /* of the session */
	gboolean ending;  /* the session is being freed: nobody may ask it how it is */
};

VpnrTenant *
vpnr_tenant_new(const VpnrTenantParams *params, VpnrAcl *acl)
{
	VpnrTenant *tenant = g_new0(VpnrTenant, 1);

	tenant->params = *params;
	tenant->acl = acl;
	pthread_mutex_init(&tenant->lock, NULL);
	return tenant;
}

void
vpnr_tenant_free(VpnrTenant *tenant)
{
	if (tenant == NULL)
		return;
	vpnr_acl_unref(tenant->acl);
	pthread_mutex_destroy(&tenant->lock);
	g_free(tenant);
}

/* --- streams (worker threads) ----------------------------------------------------------------- */

typedef struct {
	VpnrTenant *tenant;
	VpnrStream *stream;
} Task;

/* A socket that is connected with the stream's destination, or -1 with *reason. */
static int
connect_stream(VpnrTenant *tenant, const VpnrStream *stream, const VpnrCancel *cancel,
	       VpnrReason *reason)
{
	g_autoptr(VpnrAcl) acl = vpnr_tenant_acl(tenant);
	VpnrDialer dialer = { .client = tenant->name,
			      .acl = acl,
			      .own_ports = tenant->params.own_ports,
			      .resolver = tenant->params.resolver,
			      .stats = tenant->params.stats };
	VpnrAddr dest = vpnr_addr_unpack(stream->dest);

	return vpnr_dialer_connect(&dialer, stream->kind, &dest, cancel, reason);
}

static void
serve_connection(VpnrTenant *tenant, VpnrStream *stream)
{
	VpnrWorker worker;
	VpnrReason reason = VPNR_REASON_ABORTED;
	VpnrCancel cancel;
	int fd = -1;

	vpnr_worker_init(&worker, tenant->table, stream);
	if (vpnr_worker_prepare_cancel(&worker, &cancel))
		fd = connect_stream(tenant, stream, &cancel, &reason);
	if (fd >= 0) {
		vpnr_fd_set_keepalive(fd, VPNR_WORKER_KEEPALIVE_MS);
		vpnr_fd_set_urgent_inline(fd);
		vpnr_worker_run(&worker, fd);
	} else {
		vpnr_worker_fail(&worker, reason);
	}
}

static void
serve_flow(VpnrTenant *tenant, VpnrStream *stream)
{
	VpnrFlowParams params = { .idle_ms = (int)tenant->params.udp_timeout_s * 1000,
				  .stats = tenant->params.stats };
	VpnrAddr dest = vpnr_addr_unpack(stream->dest);
	VpnrFlow *flow = vpnr_flow_new(tenant->table, stream, &params);
	VpnrReason reason = VPNR_REASON_ABORTED;
	VpnrCancel cancel;
	int fd = -1;

	if (vpnr_flow_prepare_cancel(flow, &cancel))
		fd = connect_stream(tenant, stream, &cancel, &reason);
	if (fd < 0)
		vpnr_flow_fail(flow, reason);
	else if (vpnr_dialer_is_resolver(&dest))
		vpnr_resolver_serve(tenant->params.resolver, flow, fd);
	else
		vpnr_flow_run(flow, fd);
}

static void
serve_stream(gpointer data)
{
	VpnrTenant *tenant = ((Task *)data)->tenant;
	VpnrStream *stream = ((Task *)data)->stream;

	g_free(data);
	if (stream->kind == VPNR_KIND_UDP)
		serve_flow(tenant, stream);
	else
		serve_connection(tenant, stream);
}

/* --- frames (reader and writer thread) -------------------------------------------------------- */

static void
log_refusal(VpnrTenant *tenant, const char *why)
{
	gint64 now = g_get_monotonic_time();

	if (now < tenant->silent_until)
		return;
	tenant->silent_until = now + LOG_EVERY_S * G_TIME_SPAN_SECOND;
	vpnr_log(VPNR_LOG_WARN, "%s: streams are refused: %s", tenant->name, why);
}

/* Tells the client that there will be no such stream. */
static const char *
refuse(VpnrTenant *tenant, guint32 id, VpnrReason reason, const char *why)
{
	vpnr_stats_add(tenant->params.stats, VPNR_STAT_STREAMS_REFUSED, 1);
	log_refusal(tenant, why);
	if (!vpnr_session_answer(tenant->session, vpnr_frame_new_reset(id, reason)))
		return "too many OPENs beyond the limit";
	return NULL;
}

static const char *
start_stream(VpnrTenant *tenant, VpnrStream *stream)
{
	guint32 id = stream->id;
	Task *task = g_new(Task, 1);

	*task = (Task){ tenant, stream };
	if (vpnr_pool_run(tenant->params.pool, serve_stream, task))
		return NULL;
	g_free(task);
	vpnr_table_remove(tenant->table, stream);
	vpnr_stream_unref(stream);
	return refuse(tenant, id, VPNR_REASON_LIMIT, "no thread is left");
}

static const char *
on_open(VpnrTenant *tenant, const VpnrFrame *frame)
{
	VpnrStream *stream = NULL;

	switch (vpnr_table_accept(tenant->table, frame, &stream)) {
	case VPNR_TABLE_OK:
		return start_stream(tenant, stream);
	case VPNR_TABLE_FULL:
		return refuse(tenant, frame->stream, VPNR_REASON_LIMIT, VPNR_TABLE_FULL_TEXT);
	case VPNR_TABLE_UNSUPPORTED:
		return refuse(tenant, frame->stream, VPNR_REASON_DENIED, "it takes no UDP");
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
	VpnrTenant *tenant = data;
	const char *violation;

	if (frame->type != VPNR_FRAME_OPEN)
		return vpnr_table_deliver(tenant->table, frame);
	violation = on_open(tenant, frame);
	vpnr_frame_free(frame);
	return violation;
}

static void
on_released(gpointer data, const VpnrFrame *frame)
{
	VpnrTenant *tenant = data;

	vpnr_table_released(tenant->table, frame);
}

static void
on_paced(gpointer data, gsize most)
{
	VpnrTenant *tenant = data;

	vpnr_table_set_frame_size(tenant->table, most);
}

static const VpnrSessionHandler handler = {
	.frame = on_frame,
	.released = on_released,
	.paced = on_paced,
};

/* --- the session (service's thread) ----------------------------------------------------------- */

/* Nobody can guess it; it would be of no use to anybody else all the same. */
static void
make_id(VpnrSessionId *id)
{
	while (getrandom(id->bytes, sizeof id->bytes, 0) < 0)
		g_assert(errno == EINTR);
}

gboolean
vpnr_tenant_begin(VpnrTenant *tenant, const char *name, VpnrBudget *budget,
		  const VpnrArrival *arrival, GError **error)
{
	const VpnrTenantParams *params = &tenant->params;
	gboolean v2 = params->protocol == VPNR_PROTOCOL_V2;
	VpnrSession *session = vpnr_session_new(&(VpnrSessionParams){ .protocol = params->protocol,
								      .role = VPNR_ROLE_SERVER,
								      .handler = &handler,
								      .data = tenant,
								      .budget = budget,
								      .stats = params->stats },
						error);
	VpnrTable *table;

	if (session == NULL)
		return FALSE;
	table = vpnr_table_new(
	    &(VpnrTableParams){
		.protocol = params->protocol,
		.role = VPNR_ROLE_SERVER,
		.outbox = vpnr_session_outbox(session),
		.max_streams = params->max_streams,
		.send_limit = v2 ? arrival->hello.initial_window : G_MAXUINT64,
		.datagrams = vpnr_hello_takes_datagrams(&arrival->hello),
		.budget = budget,
		.stats = params->stats,
	    },
	    error);
	if (table == NULL) {
		vpnr_session_free(session);
		return FALSE;
	}
	make_id(&tenant->id);
	tenant->name = name;
	pthread_mutex_lock(&tenant->lock);
	tenant->session = session;
	tenant->table = table;
	pthread_mutex_unlock(&tenant->lock);
	return TRUE;
}

/* Workers push until they have ended, so the session must outlive them; its threads use the table,
 * and answer what they refuse, until they are joined, so both must stay in their place until
 * then. */
void
vpnr_tenant_end(VpnrTenant *tenant)
{
	VpnrTable *table = tenant->table;

	vpnr_table_close(table, VPNR_REASON_LINK_LOST);
	vpnr_table_wait_empty(table);
	pthread_mutex_lock(&tenant->lock);
	tenant->ending = TRUE;
	pthread_mutex_unlock(&tenant->lock);
	vpnr_session_free(tenant->session);
	pthread_mutex_lock(&tenant->lock);
	tenant->session = NULL;
	tenant->table = NULL;
	tenant->ending = FALSE;
	pthread_mutex_unlock(&tenant->lock);
	vpnr_table_free(table);
}

VpnrSession *
vpnr_tenant_session(const VpnrTenant *tenant)
{
	return tenant->session;
}

/* --- its links (service's thread) ------------------------------------------------------------- */

/* Frames that the client has received, by its HELLO: what it says of another session says nothing
 * of this one. */
static guint64
received_by_client(const VpnrTenant *tenant, const VpnrArrival *arrival)
{
	return vpnr_arrival_asks_for(arrival, &tenant->id) ? arrival->hello.received : 0;
}

/* Names the session that the link serves, and what has come in it. */
static gboolean
say_hello(VpnrTenant *tenant, VpnrTransport *transport, GError **error)
{
	VpnrHello hello = { .version = VPNR_HELLO_VERSION,
			    .capabilities = VPNR_CAPABILITY_DATAGRAM,
			    .max_streams = tenant->params.max_streams,
			    .initial_window = VPNR_WINDOW_MIN,
			    .software = "vpnr " PACKAGE_VERSION,
			    .has_session = TRUE,
			    .session = tenant->id,
			    .received = vpnr_session_received(tenant->session) };

	return vpnr_greeting_send(transport, &hello, error);
}

gboolean
vpnr_tenant_attach(VpnrTenant *tenant, VpnrArrival *arrival, GError **error)
{
	if (tenant->params.protocol == VPNR_PROTOCOL_V2 &&
	    !say_hello(tenant, arrival->transport, error))
		return FALSE;
	vpnr_table_set_far(tenant->table, vpnr_transport_is_far(arrival->transport));
	return vpnr_session_attach(tenant->session, g_steal_pointer(&arrival->transport),
				   arrival->early, received_by_client(tenant, arrival), error);
}

/* A client that counts up is never below what it has acknowledged, but a connection that was held
 * up by the network may come after the one that has taken its place. */
VpnrTenantResume
vpnr_tenant_resume(VpnrTenant *tenant, VpnrArrival *arrival, GError **error)
{
	guint64 received = received_by_client(tenant, arrival);

	if (vpnr_session_is_stale(tenant->session, received))
		return VPNR_TENANT_OVERTAKEN;
	if (vpnr_session_detach(tenant->session) != VPNR_LINK_LOST) {
		g_set_error_literal(error, VPNR_GREETING_ERROR, VPNR_GREETING_ERROR_LOST,
				    "the session has ended meanwhile");
		return VPNR_TENANT_OVER;
	}
	if (vpnr_session_is_stale(tenant->session, received)) { /* by what that link still had */
		g_set_error_literal(error, VPNR_GREETING_ERROR, VPNR_GREETING_ERROR_LOST,
				    "its HELLO is older than what the last link has brought");
		return VPNR_TENANT_LOST;
	}
	if (!vpnr_session_can_resume(tenant->session, received)) {
		vpnr_stats_add(tenant->params.stats, VPNR_STAT_VIOLATIONS, 1);
		vpnr_greeting_refuse(arrival->transport, VPNR_REASON_PROTOCOL);
		g_set_error_literal(error, VPNR_GREETING_ERROR, VPNR_GREETING_ERROR_VIOLATION,
				    "protocol violation: HELLO has received what was not sent");
		return VPNR_TENANT_OVER;
	}
	return vpnr_tenant_attach(tenant, arrival, error) ? VPNR_TENANT_RESUMED : VPNR_TENANT_LOST;
}

/* --- any thread ------------------------------------------------------------------------------- */

const VpnrSessionId *
vpnr_tenant_id(const VpnrTenant *tenant)
{
	return &tenant->id;
}

void
vpnr_tenant_set_acl(VpnrTenant *tenant, VpnrAcl *acl)
{
	VpnrAcl *old;

	pthread_mutex_lock(&tenant->lock);
	old = tenant->acl;
	tenant->acl = vpnr_acl_ref(acl);
	pthread_mutex_unlock(&tenant->lock);
	vpnr_acl_unref(old);
}

VpnrAcl *
vpnr_tenant_acl(VpnrTenant *tenant)
{
	VpnrAcl *acl;

	pthread_mutex_lock(&tenant->lock);
	acl = vpnr_acl_ref(tenant->acl);
	pthread_mutex_unlock(&tenant->lock);
	return acl;
}

void
vpnr_tenant_renew_acl(VpnrTenant *tenant, const VpnrAcl *expected, VpnrAcl *acl)
{
	pthread_mutex_lock(&tenant->lock);
	if (tenant->acl == expected) {
		vpnr_acl_unref(tenant->acl);
		tenant->acl = vpnr_acl_ref(acl);
	}
	pthread_mutex_unlock(&tenant->lock);
}

gboolean
vpnr_tenant_status(VpnrTenant *tenant, VpnrSessionStatus *status, guint *streams)
{
	gboolean has_session;

	pthread_mutex_lock(&tenant->lock);
	has_session = tenant->session != NULL && !tenant->ending;
	if (has_session) {
		*status = vpnr_session_status(tenant->session);
		*streams = vpnr_table_size(tenant->table);
	}
	pthread_mutex_unlock(&tenant->lock);
	return has_session;
}

void
vpnr_tenant_foreach(VpnrTenant *tenant, void (*func)(VpnrStream *stream, gpointer data),
		    gpointer data)
{
	pthread_mutex_lock(&tenant->lock);
	if (tenant->table != NULL)
		vpnr_table_foreach(tenant->table, func, data);
	pthread_mutex_unlock(&tenant->lock);
}
