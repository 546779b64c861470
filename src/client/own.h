/* SPDX-License-Identifier: MIT
 *
 * own: is a destination one of the client's own listeners? A connection to one that came as a
 * captured one would go round in a circle.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"

G_BEGIN_DECLS

/* TRUE if dest is one of the listeners (VpnrAddr; nullable: none). One that listens on every
 * address (0.0.0.0, [::]) listens on those that this host has now. Thread-safe. */
gboolean vpnr_own_contains(const GArray *listeners, const VpnrAddr *dest);

G_END_DECLS
