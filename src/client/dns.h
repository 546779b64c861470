/* SPDX-License-Identifier: MIT
 *
 * dns: which name server answers what was captured on its way to port 53.
 *
 * Pure; any thread.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"

G_BEGIN_DECLS

/* A plain value: zero is "original". */
typedef struct {
	enum {
		VPNR_DNS_ORIGINAL, /* the one that was asked */
		VPNR_DNS_SERVER,   /* the resolver of the server */
		VPNR_DNS_ADDRESS,  /* always the same */
	} who;
	VpnrAddr address; /* VPNR_DNS_ADDRESS */
} VpnrDns;

/* Parses "original", "server", or an address, IPv6 in brackets, with or without a port. FALSE with
 * an error (VPNR_ADDR_ERROR) that quotes the text. */
gboolean vpnr_dns_parse(const char *text, VpnrDns *dns, GError **error);

/* Where a captured connection or flow to dest goes. A name server on loopback is the application's
 * own host's, which the server cannot ask: its own resolver takes that one's place. */
VpnrAddr vpnr_dns_route(const VpnrDns *dns, const VpnrAddr *dest);

G_END_DECLS
