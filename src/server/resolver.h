/* SPDX-License-Identifier: MIT
 *
 * resolver: which of this machine's name servers clients' questions go to (docs/protocol.md,
 * 2.6.17): to the same one, until it is passed over because it has left a question without an
 * answer.
 *
 * Thread-safe.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"
#include "stream/flow.h"

G_BEGIN_DECLS

/* Milliseconds that a name server may take for an answer if there is another one. Applications ask
 * again after 5 s (resolv.conf(5)), and should then reach that. */
#define VPNR_RESOLVER_PATIENCE_MS 4500

typedef struct VpnrResolver VpnrResolver;

VpnrResolver *vpnr_resolver_new(void);

/* Takes NULL. */
void vpnr_resolver_free(VpnrResolver *resolver);

/* The name servers, the one to ask first (transfer full, VpnrAddr). NULL with an error as of
 * vpnr_nameserver_list(). */
GArray *vpnr_resolver_list(VpnrResolver *resolver, GError **error);

/* vpnr_flow_run() for a flow whose socket is connected with one of them. */
void vpnr_resolver_serve(VpnrResolver *resolver, VpnrFlow *flow, int fd);

/* This one does not answer: the one behind it is the first from now on. */
void vpnr_resolver_pass_over(VpnrResolver *resolver, const VpnrAddr *server);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrResolver, vpnr_resolver_free)

G_END_DECLS
