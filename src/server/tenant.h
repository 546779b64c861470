/* SPDX-License-Identifier: MIT
 *
 * tenant: what the server has for one client, whatever link carries it: a session, the table of its
 * streams, and the access list that they are under. An OPEN becomes a stream with a worker that
 * dials (dialer.h).
 *
 * The service's thread owns it; access lists and reports come from any thread.
 */
#pragma once

#include <glib.h>

#include "base/budget.h"
#include "base/pool.h"
#include "base/stats.h"
#include "link/session.h"
#include "proto/frame.h"
#include "proto/hello.h"
#include "server/acl.h"
#include "server/arrival.h"
#include "server/resolver.h"
#include "stream/table.h"

G_BEGIN_DECLS

typedef struct VpnrTenant VpnrTenant;

typedef struct {
	VpnrProtocol protocol;
	guint max_streams;
	guint udp_timeout_s;     /* without a datagram, after which a flow ends */
	VpnrPool *pool;          /* for workers; outlives the tenant */
	const GArray *own_ports; /* guint16, see dialer.h; likewise */
	VpnrResolver *resolver;  /* likewise */
	VpnrStats *stats;
} VpnrTenantParams;

/* One without a session, and with this access list (transfer full; NULL: none yet). Never fails. */
VpnrTenant *vpnr_tenant_new(const VpnrTenantParams *params, VpnrAcl *acl);

/* Frees it; it has no session. Takes NULL. */
void vpnr_tenant_free(VpnrTenant *tenant);

/* --- the service's thread --------------------------------------------------------------------- */

/* Begins a session for the arrival's client; name is for logs and outlives the tenant, and so does
 * budget (nullable), from which it takes. FALSE with an error when a descriptor or a thread is
 * missing. */
gboolean vpnr_tenant_begin(VpnrTenant *tenant, const char *name, VpnrBudget *budget,
			   const VpnrArrival *arrival, GError **error);

/* Begins the session's first link with the arrival's connection, which is taken. VPNr/2: says
 * HELLO. FALSE with an error; there is no link then. */
gboolean vpnr_tenant_attach(VpnrTenant *tenant, VpnrArrival *arrival, GError **error);

/* What becomes of an arrival that asks for the session. */
typedef enum {
	VPNR_TENANT_RESUMED,   /* the session goes on with it; what link it had has been detached */
	VPNR_TENANT_OVERTAKEN, /* a later one has said more since: nothing has changed */
	VPNR_TENANT_LOST,      /* there is no link now; *error says why */
	VPNR_TENANT_OVER,      /* the session cannot go on; *error says why */
} VpnrTenantResume;

/* Goes on with the arrival's connection, which is taken (docs/protocol.md, 2.11.9 to 2.11.13). */
VpnrTenantResume vpnr_tenant_resume(VpnrTenant *tenant, VpnrArrival *arrival, GError **error);

/* The session (transfer none): for waiting for its link's end, detaching and closing it. */
VpnrSession *vpnr_tenant_session(const VpnrTenant *tenant);

/* Aborts the streams, waits for their workers, and ends the session. */
void vpnr_tenant_end(VpnrTenant *tenant);

/* --- any thread ------------------------------------------------------------------------------- */

/* The name of the session (after vpnr_tenant_begin()). */
const VpnrSessionId *vpnr_tenant_id(const VpnrTenant *tenant);

/* Another access list from now on (a reference is taken), and the one in force (transfer full). */
void vpnr_tenant_set_acl(VpnrTenant *tenant, VpnrAcl *acl);
VpnrAcl *vpnr_tenant_acl(VpnrTenant *tenant);

/* Replaces the access list, unless it is another than expected by now. */
void vpnr_tenant_renew_acl(VpnrTenant *tenant, const VpnrAcl *expected, VpnrAcl *acl);

/* How the session is; FALSE: there is none. */
gboolean vpnr_tenant_status(VpnrTenant *tenant, VpnrSessionStatus *status, guint *streams);

/* Calls func for each stream, as vpnr_table_foreach() does. */
void vpnr_tenant_foreach(VpnrTenant *tenant, void (*func)(VpnrStream *stream, gpointer data),
			 gpointer data);

G_END_DECLS
