/* SPDX-License-Identifier: MIT
 *
 * inbounds: all ways into the client that its configuration asks for: which kinds, on which
 * addresses, for what. Called by main.
 */
#pragma once

#include <glib.h>

#include "app/settings.h"
#include "base/pool.h"
#include "base/stats.h"
#include "client/uplinks.h"

G_BEGIN_DECLS

typedef struct VpnrInbounds VpnrInbounds;

/* What the settings ask for (transfer full), without anything that listens: for who keeps the
 * settings no longer. */
VpnrInbounds *vpnr_inbounds_new(const VpnrClientSettings *settings);

/* Listens and serves from now on; all arguments outlive the inbounds. FALSE with an error that
 * names the address, or the missing capability. */
gboolean vpnr_inbounds_start(VpnrInbounds *inbounds, VpnrPool *pool, VpnrUplinks *uplinks,
			     VpnrStats *stats, GError **error);

/* The addresses of all listeners (transfer none): VpnrAddr (client/own.h). */
const GArray *vpnr_inbounds_own(const VpnrInbounds *inbounds);

/* Connections and UDP flows that wait for a link now (thread-safe). */
guint vpnr_inbounds_waiting(const VpnrInbounds *inbounds);

/* Lets nothing new in and gives up what waits; streams go on. */
void vpnr_inbounds_stop(VpnrInbounds *inbounds);

/* Frees them; their streams have ended (vpnr_pool_free()). Takes NULL. */
void vpnr_inbounds_free(VpnrInbounds *inbounds);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrInbounds, vpnr_inbounds_free)

G_END_DECLS
