/* SPDX-License-Identifier: MIT
 *
 * iptables_run: runs iptables-save(8) and iptables-restore(8). A call blocks until the program has
 * ended; it may be made by any thread, and is about the network namespace of that thread.
 *
 * There are two variants, which have their rules at different places of the kernel: iptables-nft
 * and iptables-legacy. What is called iptables is either of them, as the administrator has chosen.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
	VPNR_IPTABLES_DEFAULT,
	VPNR_IPTABLES_NFT,
	VPNR_IPTABLES_LEGACY,
	VPNR_IPTABLES_VARIANTS, /* how many there are */
} VpnrIptablesVariant;

/* What iptables-save prints of all tables (transfer full); NULL with an error (VPNR_BACKEND_ERROR)
 * that has what it complained about. */
char *vpnr_iptables_run_save(VpnrIptablesVariant variant, int family, GError **error);

/* Has iptables-restore --noflush carry out the text. An error quotes the line, if it is one line's
 * fault, and those about cgroups, if it may be theirs. */
gboolean vpnr_iptables_run_restore(VpnrIptablesVariant variant, int family, const char *text,
				   GError **error);

G_END_DECLS
