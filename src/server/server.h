/* SPDX-License-Identifier: MIT
 *
 * server: everything that serves clients: accept threads, one service per link, the pool that lends
 * them and the workers their threads.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"
#include "base/budget.h"
#include "base/key.h"
#include "base/stats.h"
#include "proto/frame.h"
#include "server/acl.h"
#include "server/service.h"

G_BEGIN_DECLS

/* Sessions of one client: four times the most that one has side by side, since whoever has a key
 * may use it on several machines, or lose his links without a word and begin anew; each session
 * costs memory. */
#define VPNR_SESSIONS_PER_CLIENT_MAX 64

typedef struct VpnrServer VpnrServer;

typedef struct {
	const GArray *listen;    /* VpnrAddr, VPNr/2 */
	const GArray *v1_listen; /* VpnrAddr, VPNr/1 */
	VpnrProtocol v1_dialect;
	VpnrKey private_key;
	guint max_streams;      /* per session */
	guint udp_timeout_s;    /* without a datagram, after which a flow ends */
	guint resume_timeout_s; /* how long a session without a link is kept */
	VpnrBudget *budget;     /* nullable, outlives the server */
	GPtrArray *clients;     /* VpnrClientEntry; a reference is taken */
	VpnrAcl *v1_acl;        /* nullable; a reference is taken */
	VpnrStats *stats;       /* outlives the server */
} VpnrServerParams;

/* Listens, without a thread and without accepting anything: what the process may do for that it
 * need not do any more afterwards. NULL with an error that names the address that could not be
 * listened on. */
VpnrServer *vpnr_server_listen(const VpnrServerParams *params, GError **error);

/* Serves from now on. FALSE with an error when no thread or descriptor is left. */
gboolean vpnr_server_start(VpnrServer *server, GError **error);

/* Takes other clients and access lists: links of clients that are gone or have another key are
 * closed, the others get their new list at once (thread-safe). */
void vpnr_server_reload(VpnrServer *server, GPtrArray *clients, VpnrAcl *v1_acl);

/* Calls func for each link, which must not block (thread-safe). */
void vpnr_server_foreach(VpnrServer *server, void (*func)(VpnrService *service, gpointer data),
			 gpointer data);

/* Stops accepting, ends all links and streams, joins all threads, frees. Takes NULL, and one that
 * was not started. */
void vpnr_server_stop(VpnrServer *server);

G_END_DECLS
