/* SPDX-License-Identifier: MIT
 *
 * service: see service.h.
 *
 * Everything up to "for other threads" happens on the service's own thread. What reports, reloads
 * and other services may touch is under the lock.
 */
#include "server/service.h"

#include <pthread.h>
#include <string.h>

#include "base/deadline.h"
#include "base/fd.h"
#include "base/latch.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/thread.h"
#include "link/tls.h"

/* Milliseconds for the TLS handshake of a link, slow lines included, and for replacing one that
 * works: the client ends it before it says HELLO on the next, and that is no loss. */
#define HANDSHAKE_TIMEOUT_MS 10000
#define CHANGE_OVER_MS       2000

struct VpnrService {
	/* const after start */
	VpnrServiceParams params;
	VpnrLatch *dismissed;
	VpnrMailbox *arrivals; /* of VpnrArrival: links that are to go on with the session */
	VpnrTenant *tenant;
	gint64 born_us;
	/* service thread */
	int fd;
	gint64 give_up_at; /* base/deadline.h: when a session without a link ends */
	/* const after the handshake */
	char *client; /* its name, or its address where there is none */
	VpnrKey key;
	/* lock */
	pthread_mutex_t lock;
	gboolean authenticated; /* client and key are valid */
	gboolean welcoming;     /* arrivals that ask for the session get it */
	gint64 deserted_us;     /* since when the session waits for the next link; 0: it does not */
	VpnrReason dismissal;   /* what the client is told */
	VpnrAddr peer;
	VpnrHello hello; /* of the client, that began the session; zero before */
};

VpnrService *
vpnr_service_new(const VpnrServiceParams *params, GError **error)
{
	VpnrService *service = g_new0(VpnrService, 1);
	char address[VPNR_ADDR_STRLEN];

	service->params = *params;
	service->fd = params->fd;
	service->peer = params->peer;
	if (params->tenant.protocol != VPNR_PROTOCOL_V2)
		service->client = g_strdup(vpnr_addr_format(&params->peer, address));
	service->tenant = vpnr_tenant_new(&params->tenant, params->acl);
	service->born_us = g_get_monotonic_time();
	pthread_mutex_init(&service->lock, NULL);
	service->arrivals = vpnr_mailbox_new((GDestroyNotify)vpnr_arrival_free, error);
	if (service->arrivals != NULL)
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
	vpnr_mailbox_free(service->arrivals);
	vpnr_tenant_free(service->tenant);
	pthread_mutex_destroy(&service->lock);
	g_free(service->client);
	g_free(service);
}

static VpnrSession *
session(const VpnrService *service)
{
	return vpnr_tenant_session(service->tenant);
}

static guint
n_streams(VpnrService *service)
{
	return vpnr_service_status(service).streams;
}

static void
note_link(VpnrService *service, const VpnrArrival *arrival)
{
	pthread_mutex_lock(&service->lock);
	service->peer = arrival->peer;
	service->deserted_us = 0;
	pthread_mutex_unlock(&service->lock);
}

/* The session has no link: it waits for the next one. */
static void
wait_for_client(VpnrService *service)
{
	vpnr_session_detach(session(service));
	service->give_up_at =
	    vpnr_deadline_after(MAX((int)service->params.resume_timeout_s * 1000, CHANGE_OVER_MS));
	pthread_mutex_lock(&service->lock);
	service->deserted_us = g_get_monotonic_time();
	pthread_mutex_unlock(&service->lock);
}

static void
on_resumed(VpnrService *service, const VpnrArrival *arrival)
{
	char peer[VPNR_ADDR_STRLEN];

	note_link(service, arrival);
	vpnr_stats_add(service->params.tenant.stats, VPNR_STAT_RECONNECTS, 1);
	vpnr_stats_add(service->params.tenant.stats, VPNR_STAT_RESUMES, 1);
	vpnr_log(VPNR_LOG_INFO, "%s: another link from %s, %u streams go on", service->client,
		 vpnr_addr_format(&arrival->peer, peer), n_streams(service));
}

/* A new link of our client takes the place of what link there is. FALSE: the session is over. */
static gboolean
resume(VpnrService *service, VpnrArrival *arrival)
{
	g_autoptr(GError) error = NULL;
	VpnrTenantResume result = vpnr_tenant_resume(service->tenant, arrival, &error);

	if (result == VPNR_TENANT_RESUMED)
		on_resumed(service, arrival);
	else if (result == VPNR_TENANT_LOST)
		wait_for_client(service);
	if (error != NULL)
		vpnr_log(VPNR_LOG_WARN, "%s: no link: %s", service->client, error->message);
	return result != VPNR_TENANT_OVER;
}

/* FALSE: the session is over. */
static gboolean
take_arrivals(VpnrService *service)
{
	VpnrArrival *arrival;

	while ((arrival = vpnr_mailbox_try_pop(service->arrivals)) != NULL) {
		gboolean ok = resume(service, arrival);

		vpnr_arrival_free(arrival);
		if (!ok)
			return FALSE;
	}
	return TRUE;
}

/* FALSE: the session is over. */
static gboolean
on_link_end(VpnrService *service, VpnrLinkEnd end)
{
	vpnr_log(VPNR_LOG_INFO, "%s: link ended: %s", service->client,
		 vpnr_session_link_text(session(service)));
	if (end != VPNR_LINK_GOODBYE)
		vpnr_stats_add(service->params.tenant.stats, VPNR_STAT_LINKS_FAILED, 1);
	if (end != VPNR_LINK_LOST || service->params.tenant.protocol != VPNR_PROTOCOL_V2)
		return FALSE;
	wait_for_client(service);
	return TRUE;
}

static gboolean
stayed_away(VpnrService *service)
{
	if (vpnr_session_is_attached(session(service)) ||
	    vpnr_deadline_left(service->give_up_at) > 0)
		return FALSE;
	vpnr_stats_add(service->params.tenant.stats, VPNR_STAT_SESSIONS_LOST, 1);
	vpnr_log(VPNR_LOG_INFO, "%s: did not come back within %u s: %u streams are reset",
		 service->client, service->params.resume_timeout_s, n_streams(service));
	return TRUE;
}

static VpnrReason
dismissal(VpnrService *service)
{
	VpnrReason reason;

	pthread_mutex_lock(&service->lock);
	reason = service->dismissal;
	pthread_mutex_unlock(&service->lock);
	return reason;
}

/* Waits for what may happen to a session, and deals with it. FALSE: the session is over. */
static gboolean
serve_once(VpnrService *service)
{
	struct pollfd fds[VPNR_SESSION_FDS + 2];
	gboolean attached = vpnr_session_is_attached(session(service));
	VpnrLinkEnd end;

	vpnr_session_prepare_poll(session(service), fds);
	fds[VPNR_SESSION_FDS] =
	    (struct pollfd){ .fd = vpnr_latch_fd(service->dismissed), .events = POLLIN };
	fds[VPNR_SESSION_FDS + 1] =
	    (struct pollfd){ .fd = vpnr_mailbox_fd(service->arrivals), .events = POLLIN };
	if (vpnr_mailbox_begin_wait(service->arrivals) &&
	    poll(fds, G_N_ELEMENTS(fds), attached ? -1 : vpnr_deadline_left(service->give_up_at)) <
		0)
		memset(fds, 0, sizeof fds);
	vpnr_mailbox_end_wait(service->arrivals);
	if (vpnr_latch_is_tripped(service->dismissed)) {
		VpnrReason reason = dismissal(service);

		if (reason != VPNR_REASON_NONE)
			vpnr_log(VPNR_LOG_INFO, "%s: session ended: %s", service->client,
				 vpnr_reason_text(reason));
		vpnr_session_close(session(service), reason);
		return FALSE;
	}
	end = attached ? vpnr_session_link_end(session(service), fds) : VPNR_LINK_OPEN;
	if (end != VPNR_LINK_OPEN && !on_link_end(service, end))
		return FALSE;
	return take_arrivals(service) && !stayed_away(service);
}

/* --- the connection --------------------------------------------------------------------------- */

static gboolean
authorise(const VpnrKey *key, gpointer data)
{
	VpnrService *service = data;
	g_autoptr(VpnrAcl) acl = NULL;

	service->key = *key;
	if (!service->params.host->authorise(service->params.host_data, key, &service->client,
					     &acl))
		return FALSE;
	vpnr_tenant_set_acl(service->tenant, acl);
	return TRUE;
}

/* Makes the service one that a reload sees, and only then asks once more: a key that was taken away
 * during the handshake or given to another client, and an access list that was narrowed, must not
 * slip through. A list that a reload has put in force since is the newest. */
static gboolean
confirm(VpnrService *service)
{
	g_autofree char *client = NULL;
	g_autoptr(VpnrAcl) handshake = vpnr_tenant_acl(service->tenant);
	g_autoptr(VpnrAcl) confirmed = NULL;

	pthread_mutex_lock(&service->lock);
	service->authenticated = TRUE;
	pthread_mutex_unlock(&service->lock);
	if (!service->params.host->authorise(service->params.host_data, &service->key, &client,
					     &confirmed) ||
	    strcmp(client, service->client) != 0)
		return FALSE;
	vpnr_tenant_renew_acl(service->tenant, handshake, confirmed);
	return TRUE;
}

static VpnrTransport *
make_transport(VpnrService *service, GError **error)
{
	int fd = vpnr_fd_steal(&service->fd);

	if (service->params.tenant.protocol != VPNR_PROTOCOL_V2)
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

static void
log_link(const VpnrService *service, const VpnrArrival *arrival)
{
	char peer[VPNR_ADDR_STRLEN];

	vpnr_log(VPNR_LOG_INFO, "%s: link from %s (%s)", service->client,
		 vpnr_addr_format(&arrival->peer, peer),
		 arrival->hello.version != 0 ? arrival->hello.software : "VPNr/1, in the clear");
}

/* Arrivals are welcome from here on: nobody knows the name of the session before. */
static void
welcome(VpnrService *service, const VpnrArrival *arrival)
{
	gboolean v2 = service->params.tenant.protocol == VPNR_PROTOCOL_V2;

	pthread_mutex_lock(&service->lock);
	service->welcoming = v2 && !vpnr_latch_is_tripped(service->dismissed);
	service->hello = arrival->hello;
	pthread_mutex_unlock(&service->lock);
	service->params.host->began(service->params.host_data, service);
}

static void
serve_session(VpnrService *service, VpnrArrival *arrival)
{
	g_autoptr(GError) error = NULL;
	VpnrBudget *quota = vpnr_quotas_get(service->params.quotas, &service->key);

	if (!vpnr_tenant_begin(service->tenant, service->client, quota, arrival, &error)) {
		vpnr_log(VPNR_LOG_WARN, "%s: no session: %s", service->client, error->message);
		return;
	}
	log_link(service, arrival);
	welcome(service, arrival);
	if (vpnr_tenant_attach(service->tenant, arrival, &error)) {
		while (serve_once(service))
			;
	} else {
		vpnr_log(VPNR_LOG_WARN, "%s: no link: %s", service->client, error->message);
	}
	vpnr_service_dismiss(service, VPNR_REASON_NONE); /* arrivals come too late now */
	vpnr_tenant_end(service->tenant);
}

/* The client, when it is known and has said HELLO, or speaks VPNr/1; or NULL. */
static VpnrArrival *
wait_for_arrival(VpnrService *service)
{
	const VpnrServiceParams *params = &service->params;
	g_autoptr(GError) error = NULL;
	VpnrTransport *transport = make_transport(service, &error);
	g_autoptr(VpnrArrival) arrival = vpnr_arrival_new(transport, &params->peer);
	int cancel_fd = vpnr_latch_fd(service->dismissed);

	if (transport != NULL &&
	    (params->tenant.protocol != VPNR_PROTOCOL_V2 ||
	     (confirm(service) && vpnr_arrival_greet(arrival, cancel_fd, &error))))
		return g_steal_pointer(&arrival);
	if (transport != NULL && error != NULL) {
		vpnr_stats_add(params->tenant.stats, VPNR_STAT_LINKS_FAILED, 1);
		vpnr_log(VPNR_LOG_INFO, "%s: link ended: %s", service->client, error->message);
	} else if (transport == NULL && !vpnr_latch_is_tripped(service->dismissed)) {
		vpnr_refusals_add(params->refusals, &params->peer, error->message);
	}
	return NULL;
}

void
vpnr_service_run(VpnrService *service)
{
	const VpnrServiceParams *params = &service->params;
	g_autoptr(VpnrArrival) arrival = NULL;

	vpnr_thread_set_name("vpnr-service");
	arrival = wait_for_arrival(service);
	params->host->settled(params->host_data, service);
	if (arrival == NULL)
		return;
	if (params->tenant.protocol == VPNR_PROTOCOL_V2 &&
	    params->host->hand_over(params->host_data, &service->key, arrival))
		g_steal_pointer(&arrival);
	else
		serve_session(service, arrival);
}

/* --- for other threads ------------------------------------------------------------------------ */

void
vpnr_service_dismiss(VpnrService *service, VpnrReason reason)
{
	pthread_mutex_lock(&service->lock);
	service->welcoming = FALSE;
	service->dismissal = reason;
	pthread_mutex_unlock(&service->lock);
	vpnr_latch_trip(service->dismissed);
}

gboolean
vpnr_service_offer(VpnrService *service, const VpnrKey *key, VpnrArrival *arrival)
{
	gboolean taken;

	pthread_mutex_lock(&service->lock);
	taken = service->welcoming && vpnr_key_equal(&service->key, key) &&
		vpnr_arrival_asks_for(arrival, vpnr_tenant_id(service->tenant));
	if (taken)
		vpnr_mailbox_push(service->arrivals, arrival);
	pthread_mutex_unlock(&service->lock);
	return taken;
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
	vpnr_tenant_set_acl(service->tenant, acl);
}

const VpnrAddr *
vpnr_service_peer(const VpnrService *service)
{
	return &service->params.peer;
}

VpnrServiceStatus
vpnr_service_status(VpnrService *service)
{
	VpnrServiceStatus status = { .protocol = service->params.tenant.protocol,
				     .since_us = service->born_us,
				     .session = { .rtt_us = -1 } };

	pthread_mutex_lock(&service->lock);
	status.peer = service->peer;
	if (service->authenticated)
		status.client = service->client;
	status.welcoming = service->welcoming;
	status.deserted_us = service->deserted_us;
	status.hello = service->hello;
	pthread_mutex_unlock(&service->lock);
	vpnr_tenant_status(service->tenant, &status.session, &status.streams);
	return status;
}

void
vpnr_service_foreach(VpnrService *service, void (*func)(VpnrStream *stream, gpointer data),
		     gpointer data)
{
	vpnr_tenant_foreach(service->tenant, func, data);
}
