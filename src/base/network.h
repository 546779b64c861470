/* SPDX-License-Identifier: MIT
 *
 * network: an IPv4 or IPv6 prefix, such as 10.0.0.0/8. A plain value.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"

G_BEGIN_DECLS

/* Room for an IPv6 address, "/128" and its NUL. */
#define VPNR_NETWORK_STRLEN (45 + 4 + 1)

typedef struct {
	VpnrAddrType type; /* VPNR_ADDR_IPV4 or VPNR_ADDR_IPV6 */
	guint8 prefix;     /* bits, 0 to 32 or 0 to 128 */
	guint8 bytes[16];  /* network byte order; bits past the prefix are zero */
} VpnrNetwork;

/* Parses "10.0.0.0/8", "2001:db8::/32" or a single address (prefix 32 or 128; an IPv4-mapped one
 * becomes IPv4). Bits set past the prefix are an error, and so is the prefix of an IPv4-mapped
 * address. On failure the error (VPNR_ADDR_ERROR) quotes the text. */
gboolean vpnr_network_parse(const char *text, VpnrNetwork *network, GError **error);

/* The same without an error of its own: FALSE, and *why then says so, as "is not ..." (transfer
 * none). */
gboolean vpnr_network_read(const char *text, VpnrNetwork *network, const char **why);

/* Writes the form that vpnr_network_parse() reads, a single address without its prefix. Returns
 * buf. */
const char *vpnr_network_format(const VpnrNetwork *network, char buf[static VPNR_NETWORK_STRLEN]);

/* TRUE if addr is an address inside network; names never are. An IPv4-mapped IPv6 address is
 * inside an IPv4 network, since that is where a connection to it would go. */
gboolean vpnr_network_contains(const VpnrNetwork *network, const VpnrAddr *addr);

/* TRUE if every address of inner is in outer. */
gboolean vpnr_network_covers(const VpnrNetwork *outer, const VpnrNetwork *inner);

G_END_DECLS
