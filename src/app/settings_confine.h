/* SPDX-License-Identifier: MIT
 *
 * settings_confine: the keys of [client] and [server] that say what the program may still do once
 * it has started (confine.h). Called by settings.
 */
#pragma once

#include <glib.h>

#include "app/keyfile.h"

G_BEGIN_DECLS

typedef struct {
	char *user;       /* that the program becomes; NULL: it stays who it is */
	gboolean seccomp; /* system calls are filtered */
} VpnrConfineSettings;

/* Reads the keys over the defaults. A user must exist, unless the section came from no file. FALSE
 * with an error that names file, section, key and value. */
gboolean vpnr_settings_confine_read(const VpnrSection *section, VpnrConfineSettings *settings,
				    GError **error);

/* Frees what is in it. */
void vpnr_confine_settings_clear(VpnrConfineSettings *settings);

G_END_DECLS
