/* SPDX-License-Identifier: MIT
 *
 * settings_clients: the sections [client NAME] of the server's configuration. Called by settings.
 */
#pragma once

#include <glib.h>

#include "app/keyfile.h"

G_BEGIN_DECLS

#define VPNR_CLIENT_PREFIX "client "

/* Appends a VpnrClientEntry (transfer full) for each section, then sorts them by name. allowed:
 * there may be some. FALSE with an error that names file, section, key and value. */
gboolean vpnr_settings_clients_read(const VpnrKeyfile *file, gboolean allowed, GPtrArray *clients,
				    GError **error);

G_END_DECLS
