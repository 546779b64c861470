/* SPDX-License-Identifier: MIT
 *
 * nft_write: pieces of a rule set for nftables (nft(8)), written one line at a time into a table
 * that the caller has begun. Pure functions. An empty list gives nothing.
 */
#pragma once

#include <glib.h>

#include "capture/rules.h"

G_BEGIN_DECLS

/* One line of a table, or, where the format starts with a tab, of a chain in it. */
void vpnr_nft_line(GString *text, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* A chain, with a comment that says what for; the second kind is called by the kernel, at a hook
 * such as "filter hook output priority 0". */
void vpnr_nft_begin_chain(GString *text, const char *name, const char *why);
void vpnr_nft_begin_hook(GString *text, const char *name, const char *why, const char *hook);
void vpnr_nft_end_chain(GString *text);

/* TRUE if one of the networks (VpnrNetwork) is of the family. */
gboolean vpnr_nft_has_family(const GArray *networks, VpnrAddrType type);

/* Sets NAME_networks4 and NAME_networks6, for each family that there is. */
void vpnr_nft_network_sets(GString *text, const char *name, const GArray *networks);

/* The set NAME_ports (VpnrPortRange). */
void vpnr_nft_port_set(GString *text, const char *name, const GArray *ports);

/* A rule with a verdict for what matches ("skuid", "skgid !=") one of the ids (uid_t or gid_t). */
void vpnr_nft_ids(GString *text, const char *match, const GArray *ids, const char *verdict);

/* The same for interfaces (char *); match is "iifname" or "oifname". */
void
vpnr_nft_interfaces(GString *text, const char *match, const GPtrArray *names, const char *verdict);

G_END_DECLS
