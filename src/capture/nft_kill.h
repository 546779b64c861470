/* SPDX-License-Identifier: MIT
 *
 * nft_kill: the kill switch as text for nftables (nft(8)). Pure functions: nothing is asked of the
 * kernel.
 */
#pragma once

#include <glib.h>

#include "capture/backend.h"
#include "capture/rules.h"

G_BEGIN_DECLS

/* The name of its table, "NAME-killswitch" (transfer full). */
char *vpnr_nft_kill_name(const VpnrRules *rules);

/* The table, which no process owns: it stays until it is removed (transfer full). */
char *vpnr_nft_kill_text(const VpnrRules *rules);

/* How much of the table is in what nft lists of it, in the sense of find_kill_switch() (backend.h).
 * What is in its sets is not looked at, nor are its flags. */
VpnrKillSwitch vpnr_nft_kill_find(const VpnrRules *rules, const char *listed);

G_END_DECLS
