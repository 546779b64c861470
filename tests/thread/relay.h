/* SPDX-License-Identifier: MIT
 *
 * relay: stands between client and server, so that a test can cut their link.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"

G_BEGIN_DECLS

typedef struct Relay Relay;

/* Listens on one address and passes every connection on to another. */
Relay *relay_start(const VpnrAddr *listen, const VpnrAddr *target);

/* Breaks the connections of the moment, both ends, without a word. */
void relay_cut(Relay *relay);

/* Cuts as soon as n bytes more have come, both directions and all connections together: what stands
 * behind them is lost. Once. */
void relay_cut_after(Relay *relay, guint64 n);

/* How often it has cut. */
guint relay_n_cuts(const Relay *relay);

/* Cuts, and listens no more. Takes NULL. */
void relay_stop(Relay *relay);

G_END_DECLS
