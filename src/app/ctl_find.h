/* SPDX-License-Identifier: MIT
 *
 * ctl_find: which of the programs on this machine vpnrctl talks to when nobody says it.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The one of the paths (NULL-terminated) at which a program answers (transfer none). NULL with an
 * error that names the paths if there is none, or more than one. */
const char *vpnr_ctl_find(const char *const *paths, GError **error);

G_END_DECLS
