/* SPDX-License-Identifier: MIT
 *
 * server: see server.h. on_accept_*() run on the accept threads, run_service() on a pool thread
 * each.
 */
#include "server/server.h"

#include <pthread.h>
#include <string.h>

#include "base/accept.h"
#include "base/fd.h"
#include "base/pool.h"
#include "link/link.h"
#include "server/clients.h"
#include "server/pending.h"
#include "server/resolver.h"

static const char too_many[] = "too many links that have not said HELLO";

struct VpnrServer {
	/* const after start */
	VpnrKey private_key;
	VpnrProtocol v1_dialect;
	guint max_streams;
	guint udp_timeout_s;
	guint resume_timeout_s;
	GArray *own_ports; /* guint16 */
	VpnrQuotas *quotas;
	VpnrResolver *resolver;
	VpnrRefusals *refusals;
	VpnrStats *stats;
	VpnrPool *pool;
	/* main */
	GPtrArray *acceptors; /* VpnrAccept */
	/* lock */
	pthread_mutex_t lock;
	GPtrArray *services; /* VpnrService, all that run */
	VpnrPending *pending;
	GPtrArray *clients; /* VpnrClientEntry */
	VpnrAcl *v1_acl;
	gboolean stopping;
};

/* --- admission -------------------------------------------------------------------------------- */

static void
on_settled(gpointer data, VpnrService *service)
{
	VpnrServer *server = data;

	pthread_mutex_lock(&server->lock);
	vpnr_pending_remove(server->pending, service);
	pthread_mutex_unlock(&server->lock);
}

static gboolean
on_authorise(gpointer data, const VpnrKey *key, char **name, VpnrAcl **acl)
{
	VpnrServer *server = data;
	const VpnrClientEntry *entry;

	pthread_mutex_lock(&server->lock);
	entry = vpnr_clients_find(server->clients, key);
	if (entry != NULL) {
		*name = g_strdup(entry->name);
		*acl = vpnr_acl_ref(entry->acl);
	}
	pthread_mutex_unlock(&server->lock);
	return entry != NULL;
}

/* --- sessions --------------------------------------------------------------------------------- */

/* The service that has the session takes the arrival. */
static gboolean
on_hand_over(gpointer data, const VpnrKey *key, VpnrArrival *arrival)
{
	VpnrServer *server = data;
	gboolean taken = FALSE;

	pthread_mutex_lock(&server->lock);
	for (guint i = 0; i < server->services->len && !taken; i++)
		taken = vpnr_service_offer(server->services->pdata[i], key, arrival);
	pthread_mutex_unlock(&server->lock);
	return taken;
}

/* TRUE if the service has a session of the client with this key, and is not about to end it. */
static gboolean
has_session_of(VpnrService *service, const VpnrKey *key, VpnrServiceStatus *status)
{
	const VpnrKey *other = vpnr_service_key(service);

	if (other == NULL || !vpnr_key_equal(other, key))
		return FALSE;
	*status = vpnr_service_status(service);
	return status->welcoming;
}

/* TRUE if the client would have asked for the old session instead of beginning the new one, unless
 * it has lost it (docs/protocol.md, 2.11.18). */
static gboolean
is_left_behind(const VpnrServiceStatus *old, const VpnrServiceStatus *begun)
{
	const VpnrHello *last = &old->hello;
	const VpnrHello *next = &begun->hello;

	if (last->has_origin && next->has_origin &&
	    vpnr_origin_same_client(&last->origin, &next->origin))
		return last->origin.number == next->origin.number;
	return old->deserted_us != 0;
}

/* A client that begins a session has lost the one it had in its place, and all that have no link if
 * it was started again. Other sessions of the same key may be other machines: they are bounded in
 * number, and the oldest goes. Those that have been told to go do not count, however long they
 * take: else a client that does not let them end could have any number. */
static void
on_began(gpointer data, VpnrService *service)
{
	VpnrServer *server = data;
	const VpnrKey *key = vpnr_service_key(service);
	VpnrServiceStatus begun = vpnr_service_status(service);
	VpnrService *oldest = NULL;
	gint64 oldest_us = G_MAXINT64;
	guint alive = 0;

	if (key == NULL)
		return;
	pthread_mutex_lock(&server->lock);
	for (guint i = 0; i < server->services->len; i++) {
		VpnrService *other = server->services->pdata[i];
		VpnrServiceStatus status;

		if (!has_session_of(other, key, &status) || other == service)
			continue;
		if (is_left_behind(&status, &begun)) {
			vpnr_service_dismiss(other, VPNR_REASON_NONE);
			continue;
		}
		alive++;
		if (status.since_us < oldest_us) {
			oldest = other;
			oldest_us = status.since_us;
		}
	}
	if (alive >= VPNR_SESSIONS_PER_CLIENT_MAX)
		vpnr_service_dismiss(oldest, VPNR_REASON_LIMIT);
	pthread_mutex_unlock(&server->lock);
}

static const VpnrServiceHost service_host = {
	.authorise = on_authorise,
	.settled = on_settled,
	.hand_over = on_hand_over,
	.began = on_began,
};

/* --- services --------------------------------------------------------------------------------- */

typedef struct {
	VpnrServer *server;
	VpnrService *service;
} Task;

static void
run_service(gpointer data)
{
	g_autofree Task *task = data;
	VpnrServer *server = task->server;

	vpnr_service_run(task->service);
	pthread_mutex_lock(&server->lock);
	g_ptr_array_remove_fast(server->services, task->service);
	pthread_mutex_unlock(&server->lock);
	vpnr_service_free(task->service);
}

/* Registers the service, unless there are too many links that have not said HELLO. The peer of the
 * one that makes way for it goes into *gone. */
static gboolean
admit_locked(VpnrServer *server, VpnrService *service, VpnrAddr *gone)
{
	VpnrService *oldest;

	if (server->stopping ||
	    !vpnr_pending_add(server->pending, service, vpnr_service_peer(service), &oldest))
		return FALSE;
	g_ptr_array_add(server->services, service);
	if (oldest != NULL) {
		*gone = *vpnr_service_peer(oldest);
		vpnr_service_dismiss(oldest, VPNR_REASON_NONE);
	}
	return TRUE;
}

static gboolean
admit(VpnrServer *server, VpnrService *service)
{
	VpnrAddr gone = { .type = VPNR_ADDR_NONE };
	gboolean admitted;

	pthread_mutex_lock(&server->lock);
	admitted = admit_locked(server, service, &gone);
	pthread_mutex_unlock(&server->lock);
	if (gone.type != VPNR_ADDR_NONE)
		vpnr_refusals_add(server->refusals, &gone, too_many);
	return admitted;
}

static void
dismiss_unserved(VpnrServer *server, VpnrService *service)
{
	on_settled(server, service);
	pthread_mutex_lock(&server->lock);
	g_ptr_array_remove_fast(server->services, service);
	pthread_mutex_unlock(&server->lock);
	vpnr_service_free(service);
}

/* NULL: taken in. Otherwise the connection is closed, for this reason. */
static const char *
take_in(VpnrServer *server, const VpnrServiceParams *params)
{
	VpnrService *service = vpnr_service_new(params, NULL);
	Task *task;

	if (service == NULL)
		return "no descriptor is left";
	if (!admit(server, service)) {
		vpnr_service_free(service);
		return too_many;
	}
	task = g_new0(Task, 1);
	task->server = server;
	task->service = service;
	if (vpnr_pool_run(server->pool, run_service, task))
		return NULL;
	g_free(task);
	dismiss_unserved(server, service);
	return "no thread is left";
}

static void
serve(VpnrServer *server, int fd, const VpnrAddr *peer, VpnrProtocol protocol)
{
	VpnrServiceParams params = { .fd = fd,
				     .peer = *peer,
				     .tenant = { .protocol = protocol,
						 .max_streams = server->max_streams,
						 .udp_timeout_s = server->udp_timeout_s,
						 .pool = server->pool,
						 .own_ports = server->own_ports,
						 .resolver = server->resolver,
						 .stats = server->stats },
				     .quotas = server->quotas,
				     .refusals = server->refusals,
				     .private_key = &server->private_key,
				     .resume_timeout_s = server->resume_timeout_s,
				     .host = &service_host,
				     .host_data = server };
	const char *why;

	if (protocol != VPNR_PROTOCOL_V2) {
		pthread_mutex_lock(&server->lock);
		params.acl = vpnr_acl_ref(server->v1_acl);
		pthread_mutex_unlock(&server->lock);
	}
	why = take_in(server, &params);
	if (why != NULL)
		vpnr_refusals_add(server->refusals, peer, why);
}

static void
on_accept(int fd, const VpnrAddr *peer, gpointer data)
{
	serve(data, fd, peer, VPNR_PROTOCOL_V2);
}

static void
on_accept_v1(int fd, const VpnrAddr *peer, gpointer data)
{
	VpnrServer *server = data;

	serve(server, fd, peer, server->v1_dialect);
}

/* --- start and stop --------------------------------------------------------------------------- */

/* What a link needs is set here, while this process still has the right to all of it. */
static gboolean
listen_on(VpnrServer *server, const GArray *addrs, VpnrProtocol protocol, GError **error)
{
	gboolean v2 = protocol == VPNR_PROTOCOL_V2;

	for (guint i = 0; i < addrs->len; i++) {
		int fd = vpnr_fd_listen(&g_array_index(addrs, VpnrAddr, i), error);

		if (fd < 0)
			return FALSE;
		vpnr_link_prepare_socket(fd, protocol);
		g_ptr_array_add(server->acceptors,
				vpnr_accept_new(fd, v2 ? "accept-v2" : "accept-v1",
						v2 ? on_accept : on_accept_v1, server));
	}
	return TRUE;
}

static void
collect_ports(VpnrServer *server, const GArray *addrs)
{
	for (guint i = 0; i < addrs->len; i++)
		g_array_append_val(server->own_ports, g_array_index(addrs, VpnrAddr, i).port);
}

VpnrServer *
vpnr_server_listen(const VpnrServerParams *params, GError **error)
{
	VpnrServer *server = g_new0(VpnrServer, 1);

	pthread_mutex_init(&server->lock, NULL);
	server->private_key = params->private_key;
	server->v1_dialect = params->v1_dialect;
	server->max_streams = params->max_streams;
	server->udp_timeout_s = params->udp_timeout_s;
	server->resume_timeout_s = params->resume_timeout_s;
	server->quotas = vpnr_quotas_new(params->budget);
	server->refusals = vpnr_refusals_new(params->stats);
	server->resolver = vpnr_resolver_new();
	server->stats = params->stats;
	server->own_ports = g_array_new(FALSE, FALSE, sizeof(guint16));
	collect_ports(server, params->listen);
	collect_ports(server, params->v1_listen);
	server->pool = vpnr_pool_new("vpnr-pool", vpnr_thread_limit());
	server->acceptors = g_ptr_array_new_with_free_func((GDestroyNotify)vpnr_accept_stop);
	server->services = g_ptr_array_new();
	server->pending = vpnr_pending_new();
	server->clients = g_ptr_array_ref(params->clients);
	server->v1_acl = params->v1_acl != NULL ? vpnr_acl_ref(params->v1_acl) : NULL;
	if (!listen_on(server, params->listen, VPNR_PROTOCOL_V2, error) ||
	    !listen_on(server, params->v1_listen, params->v1_dialect, error)) {
		vpnr_server_stop(server);
		return NULL;
	}
	return server;
}

gboolean
vpnr_server_start(VpnrServer *server, GError **error)
{
	for (guint i = 0; i < server->acceptors->len; i++)
		if (!vpnr_accept_start(server->acceptors->pdata[i], error))
			return FALSE;
	return TRUE;
}

void
vpnr_server_stop(VpnrServer *server)
{
	if (server == NULL)
		return;
	g_ptr_array_unref(server->acceptors);
	pthread_mutex_lock(&server->lock);
	server->stopping = TRUE;
	for (guint i = 0; i < server->services->len; i++)
		vpnr_service_dismiss(server->services->pdata[i], VPNR_REASON_NONE);
	pthread_mutex_unlock(&server->lock);
	vpnr_pool_free(server->pool);
	g_assert(server->services->len == 0);
	g_ptr_array_unref(server->services);
	vpnr_quotas_free(server->quotas);
	vpnr_refusals_free(server->refusals);
	vpnr_resolver_free(server->resolver);
	vpnr_pending_free(server->pending);
	g_array_unref(server->own_ports);
	g_ptr_array_unref(server->clients);
	vpnr_acl_unref(server->v1_acl);
	vpnr_key_wipe(&server->private_key);
	pthread_mutex_destroy(&server->lock);
	g_free(server);
}

/* --- for other threads ------------------------------------------------------------------------ */

/* A key that has moved to a section of another name is another client's: the name stands in every
 * line of the log until the session ends. */
static void
update_service_locked(const VpnrServer *server, VpnrService *service)
{
	const VpnrKey *key = vpnr_service_key(service); /* first: then its status has a name */
	VpnrServiceStatus status = vpnr_service_status(service);
	const VpnrClientEntry *entry;

	if (status.protocol != VPNR_PROTOCOL_V2) {
		if (server->v1_acl != NULL)
			vpnr_service_set_acl(service, server->v1_acl);
		return;
	}
	if (key == NULL)
		return; /* it will ask for itself */
	entry = vpnr_clients_find(server->clients, key);
	if (entry != NULL && strcmp(entry->name, status.client) == 0)
		vpnr_service_set_acl(service, entry->acl);
	else
		vpnr_service_dismiss(service, VPNR_REASON_REVOKED);
}

void
vpnr_server_reload(VpnrServer *server, GPtrArray *clients, VpnrAcl *v1_acl)
{
	pthread_mutex_lock(&server->lock);
	g_ptr_array_unref(server->clients);
	server->clients = g_ptr_array_ref(clients);
	if (v1_acl != NULL && server->v1_acl != NULL) {
		vpnr_acl_unref(server->v1_acl);
		server->v1_acl = vpnr_acl_ref(v1_acl);
	}
	for (guint i = 0; i < server->services->len; i++)
		update_service_locked(server, server->services->pdata[i]);
	pthread_mutex_unlock(&server->lock);
}

void
vpnr_server_foreach(VpnrServer *server, void (*func)(VpnrService *service, gpointer data),
		    gpointer data)
{
	pthread_mutex_lock(&server->lock);
	g_ptr_array_foreach(server->services, (GFunc)(void (*)(void))func, data);
	pthread_mutex_unlock(&server->lock);
}
