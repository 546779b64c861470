/* SPDX-License-Identifier: MIT
 *
 * ctl_show: the answers of the control socket in words.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Turn the JSON text of "status" and "connections" into lines for people (transfer full), or NULL
 * with an error if it is no JSON object. What is missing in it is shown as "-" or left out. width:
 * of the terminal in characters; 0 if there is none. */
char *vpnr_ctl_show_status(const char *json, GError **error);
char *vpnr_ctl_show_connections(const char *json, gsize width, GError **error);

G_END_DECLS
