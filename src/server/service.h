/* SPDX-License-Identifier: MIT
 *
 * service: one client's session on the server, from the accepted socket of its first link to the
 * end.
 *
 * A service begins as a connection: handshake, then HELLO. If that asks for a session that another
 * service has, the connection is handed over to that one (an arrival) and this service is over.
 * Otherwise it begins a session of its own and serves it: link after link, as they arrive, until
 * the client ends it, stays away for resume_timeout_s, or the service is dismissed.
 *
 * A service runs on a thread of the server's pool; the session's own threads and the workers do the
 * rest.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"
#include "base/key.h"
#include "base/pool.h"
#include "base/stats.h"
#include "link/session.h"
#include "proto/frame.h"
#include "proto/hello.h"
#include "server/acl.h"
#include "server/arrival.h"
#include "server/quotas.h"
#include "server/refusals.h"
#include "server/tenant.h"
#include "stream/stream.h"

G_BEGIN_DECLS

typedef struct VpnrService VpnrService;

/* What a service asks of the server. */
typedef struct {
	/* The entry of the client with this key, or FALSE: its name and ACL (both transfer
	 * full). */
	gboolean (*authorise)(gpointer data, const VpnrKey *key, char **name, VpnrAcl **acl);
	/* The client is authenticated and has said HELLO, or never will. Once. */
	void (*settled)(gpointer data, VpnrService *service);
	/* TRUE if a service has the session that the arrival asks for, and the key: it has taken
	 * the arrival (transfer full then). */
	gboolean (*hand_over)(gpointer data, const VpnrKey *key, VpnrArrival *arrival);
	/* The service has a session from now on. */
	void (*began)(gpointer data, VpnrService *service);
} VpnrServiceHost;

typedef struct {
	int fd; /* (transfer full) */
	VpnrAddr peer;
	VpnrTenantParams tenant;    /* for the client's session */
	VpnrQuotas *quotas;         /* nullable; outlives the service */
	VpnrRefusals *refusals;     /* outlives the service */
	VpnrAcl *acl;               /* VPNr/1 (transfer full); else NULL */
	const VpnrKey *private_key; /* outlives the service */
	guint resume_timeout_s;
	const VpnrServiceHost *host;
	gpointer host_data;
} VpnrServiceParams;

/* A snapshot, for reports. */
typedef struct {
	const char *client; /* name; NULL before authentication (valid as long as the service) */
	VpnrAddr peer;      /* of the link, or of the last one */
	VpnrProtocol protocol;
	gint64 since_us; /* monotonic, of the first connection */
	guint streams;
	VpnrHello hello;    /* that began the session; zero before, or VPNr/1 */
	gboolean welcoming; /* it has a session that can be resumed, and nobody has dismissed it */
	gint64 deserted_us; /* since when its session waits for the next link; 0: it does not */
	VpnrSessionStatus session; /* without one: nothing attached, nothing kept */
} VpnrServiceStatus;

/* NULL with an error when no descriptor is left; what params gave is freed then too. */
VpnrService *vpnr_service_new(const VpnrServiceParams *params, GError **error);

/* Serves the session until it has ended and all its workers too (pool thread). */
void vpnr_service_run(VpnrService *service);

/* Makes it end, and its session takes no more arrivals; a client that has a link is told the reason
 * (thread-safe). */
void vpnr_service_dismiss(VpnrService *service, VpnrReason reason);

/* Gives it the arrival (transfer full), if it has the session that this asks for and its client has
 * this key. FALSE: it has not (thread-safe). */
gboolean vpnr_service_offer(VpnrService *service, const VpnrKey *key, VpnrArrival *arrival);

/* The key that the client authenticated with, or NULL (thread-safe). */
const VpnrKey *vpnr_service_key(VpnrService *service);

/* Another access list from now on (transfer none, thread-safe). */
void vpnr_service_set_acl(VpnrService *service, VpnrAcl *acl);

/* The client's end of the first connection (thread-safe, transfer none). */
const VpnrAddr *vpnr_service_peer(const VpnrService *service);

/* How it is (thread-safe). */
VpnrServiceStatus vpnr_service_status(VpnrService *service);

/* Calls func for each stream, as vpnr_table_foreach() does (thread-safe). */
void vpnr_service_foreach(VpnrService *service, void (*func)(VpnrStream *stream, gpointer data),
			  gpointer data);

/* Frees it; it has run, or never will. */
void vpnr_service_free(VpnrService *service);

G_END_DECLS
