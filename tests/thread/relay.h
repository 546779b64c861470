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

/* Cuts, and listens no more. Takes NULL. */
void relay_stop(Relay *relay);

G_END_DECLS
