/* SPDX-License-Identifier: MIT
 *
 * seclusion: keeps programs from asking a service of the host for names. Such a service is reached
 * by a socket in the file system, whatever the network namespace, and would ask the network that
 * the program is to be kept from. Without it the C library asks the servers of resolv.conf.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Hides those of the paths (ended by NULL; NULL: of the known services) that exist, in a mount
 * namespace of this process and what it starts. Without any nothing is done. Needs CAP_SYS_ADMIN;
 * for a process with one thread. */
gboolean vpnr_seclusion_enter(const char *const *paths, GError **error);

G_END_DECLS
