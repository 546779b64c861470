/* SPDX-License-Identifier: MIT
 *
 * attributes: what a file has beside its bytes and its name: owner, group, mode, access control
 * list and extended attributes (xattr(7)). Called by rewrite.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Makes the file behind to, which is empty and open to nobody else, like the one behind from. FALSE
 * with an error (G_FILE_ERROR) that says what it could not be given. */
gboolean vpnr_attributes_copy(int from, int to, GError **error);

G_END_DECLS
