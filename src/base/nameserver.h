/* SPDX-License-Identifier: MIT
 *
 * nameserver: which name server this machine asks first.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"

G_BEGIN_DECLS

/* The first name server of the system's configuration, with its port: the one that vpnr_resolve()
 * asks first. FALSE with an error (VPNR_RESOLVE_ERROR) if there is none. Reads /etc/resolv.conf
 * (thread-safe). */
gboolean vpnr_nameserver(VpnrAddr *addr, GError **error);

G_END_DECLS
