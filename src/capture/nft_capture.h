/* SPDX-License-Identifier: MIT
 *
 * nft_capture: the rule set that captures, as text for nftables (nft(8)). A pure function: nothing
 * is asked of the kernel.
 *
 * The order in every chain is the same: what is never captured, what is not chosen by process or
 * source, questions for names, what is not chosen by destination, and then the rest, which is
 * captured or refused.
 */
#pragma once

#include <glib.h>

#include "capture/rules.h"

G_BEGIN_DECLS

/* "table inet NAME { flags owner ...", which the kernel binds to the socket that it comes by
 * (transfer full). The mode is not off. */
char *vpnr_nft_capture_text(const VpnrRules *rules);

G_END_DECLS
