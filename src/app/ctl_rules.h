/* SPDX-License-Identifier: MIT
 *
 * ctl_rules: the commands of vpnrctl about what a client has told the kernel.
 *
 * Only the first asks a client; the others work without one, on the packet filter and the routing
 * themselves, and need CAP_NET_ADMIN.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The answer to "rules show" in words (transfer full). */
char *vpnr_ctl_show_rules(const char *json, GError **error);

/* Removes what a client that was killed has left. config is its configuration, for the names and
 * numbers; NULL: those that are the default. */
gboolean vpnr_ctl_rules_clear(const char *config, gboolean kill_switch, GError **error);

/* Turns on the kill switch of the configuration. */
gboolean vpnr_ctl_rules_hold(const char *config, GError **error);

G_END_DECLS
