/* SPDX-License-Identifier: MIT
 *
 * privilege: gives up what a user namespace gave.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Drops every capability of this process, and those that a program which it starts would get by
 * being root. The user stays who he is. For a process with one thread. */
gboolean vpnr_privilege_drop(GError **error);

G_END_DECLS
