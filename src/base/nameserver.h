/* SPDX-License-Identifier: MIT
 *
 * nameserver: the name servers that this machine asks.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"

G_BEGIN_DECLS

/* The name servers of the system's configuration, with their ports, in the order in which
 * vpnr_resolve() asks them, as a GArray of VpnrAddr (transfer full), at least one. NULL with an
 * error (VPNR_RESOLVE_ERROR) if there is none. Reads /etc/resolv.conf (thread-safe). */
GArray *vpnr_nameserver_list(GError **error);

G_END_DECLS
