/* SPDX-License-Identifier: MIT
 *
 * entries: the entries of the lists in [capture] as what they mean.
 */
#pragma once

#include <glib.h>

#include "app/keyfile.h"

G_BEGIN_DECLS

/* Reads one entry and appends it to list. FALSE if it is not what it should be; *why then says so,
 * as "is not ...". */
typedef gboolean (*VpnrEntryRead)(const char *text, gpointer list, const char **why);

/* TRUE if there is nothing in text but letters and digits of ASCII and what is in more. */
gboolean vpnr_entry_has_only(const char *text, const char *more);

/* An address or a network; list: GArray of VpnrNetwork. */
gboolean vpnr_entry_network(const char *text, gpointer list, const char **why);

/* "80" or "8000-8999"; list: GArray of VpnrPortRange. */
gboolean vpnr_entry_ports(const char *text, gpointer list, const char **why);

/* The number of a user or group, or a name, which is looked up; list: GArray of uid_t or gid_t. */
gboolean vpnr_entry_user(const char *text, gpointer list, const char **why);
gboolean vpnr_entry_group(const char *text, gpointer list, const char **why);

/* The path of a cgroup, appended without slashes around it; list: GPtrArray of char *. */
gboolean vpnr_entry_cgroup(const char *text, gpointer list, const char **why);

/* The name of an interface; list: GPtrArray of char *. */
gboolean vpnr_entry_interface(const char *text, gpointer list, const char **why);

/* Reads every entry of the list that the key has, if it is there. FALSE with an error that names
 * file, section, key and entry. */
gboolean vpnr_section_get_entries(const VpnrSection *section, const char *key, VpnrEntryRead read,
				  gpointer list, GError **error);

G_END_DECLS
