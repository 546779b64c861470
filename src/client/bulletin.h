/* SPDX-License-Identifier: MIT
 *
 * bulletin: what the uplink's thread and the others tell each other: how the link is, and whom to
 * dial. Copies of plain values under a lock; all functions are thread-safe.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"
#include "client/connect.h"
#include "proto/hello.h"

G_BEGIN_DECLS

typedef enum {
	VPNR_UPLINK_DISCONNECTED, /* waiting for the next try */
	VPNR_UPLINK_CONNECTING,
	VPNR_UPLINK_CONNECTED,
} VpnrUplinkState;

typedef struct {
	VpnrUplinkState state;
	gint64 since_us;                      /* monotonic, of the state */
	gint64 down_since_us;                 /* since when there is no link; 0: there is one */
	VpnrAddr server;                      /* the address in use, or the configured one */
	char software[VPNR_SOFTWARE_MAX + 1]; /* of the last server; empty: none yet, or VPNr/1 */
} VpnrBulletinNews;

typedef struct VpnrBulletin VpnrBulletin;

/* One that says disconnected. Never fails. */
VpnrBulletin *vpnr_bulletin_new(const VpnrUplinkTarget *target);

/* Wipes the keys and frees. Takes NULL. */
void vpnr_bulletin_free(VpnrBulletin *bulletin);

/* Whom to dial; vpnr_key_wipe() the copy's private key. */
void vpnr_bulletin_set_target(VpnrBulletin *bulletin, const VpnrUplinkTarget *target);
void vpnr_bulletin_get_target(VpnrBulletin *bulletin, VpnrUplinkTarget *target);

/* Milliseconds that the target gives streams and new connections to wait for a link. */
int vpnr_bulletin_patience_ms(VpnrBulletin *bulletin);

/* The state, from now on. */
void vpnr_bulletin_set_state(VpnrBulletin *bulletin, VpnrUplinkState state);

/* The address that is dialled, and what the server calls itself. */
void vpnr_bulletin_set_server(VpnrBulletin *bulletin, const VpnrAddr *server);
void vpnr_bulletin_set_software(VpnrBulletin *bulletin, const char *software);

/* All of it. */
VpnrBulletinNews vpnr_bulletin_news(VpnrBulletin *bulletin);

/* The server's address for logs; returns buffer. */
const char *vpnr_bulletin_server(VpnrBulletin *bulletin, char buffer[static VPNR_ADDR_STRLEN]);

/* "disconnected", "connecting", "connected" (transfer none). */
const char *vpnr_uplink_state_name(VpnrUplinkState state);

G_END_DECLS
