/* SPDX-License-Identifier: MIT
 *
 * tally: what the frames on a link add to the counters of the program (thread-safe).
 */
#pragma once

#include <glib.h>

#include "base/stats.h"
#include "proto/frame.h"

G_BEGIN_DECLS

/* It has come. */
void vpnr_tally_received(VpnrStats *stats, const VpnrFrame *frame);

/* It is sent for the first time, or again on a new link. */
void vpnr_tally_sent(VpnrStats *stats, const VpnrFrame *frame);
void vpnr_tally_sent_again(VpnrStats *stats, const VpnrFrame *frame);

/* It was to be sent, and never will be. */
void vpnr_tally_dropped(VpnrStats *stats, const VpnrFrame *frame);

G_END_DECLS
