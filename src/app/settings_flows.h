/* SPDX-License-Identifier: MIT
 *
 * settings_flows: the keys of [capture] that say what becomes of captured datagrams and of
 * questions to name servers. Called by settings.
 */
#pragma once

#include <glib.h>

#include "app/keyfile.h"
#include "client/dns.h"
#include "proto/frame.h"

G_BEGIN_DECLS

/* A plain value. */
typedef struct {
	VpnrDns dns_server;
	guint udp_timeout_s; /* after which a flow without a datagram ends */
	guint max_flows;
} VpnrFlowSettings;

/* Reads the section, which need not exist. dns: it captures questions to name servers. FALSE with
 * an error that names file, section, key and value. */
gboolean vpnr_settings_flows_read(const VpnrSection *section, VpnrProtocol protocol, gboolean dns,
				  VpnrFlowSettings *flows, GError **error);

G_END_DECLS
