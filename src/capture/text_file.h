/* SPDX-License-Identifier: MIT
 *
 * text_file: a text as a file, for what takes nothing but files. Any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A file in memory with the text: a descriptor (transfer full) at its beginning, or -1 with an
 * error (VPNR_BACKEND_ERROR). */
int vpnr_text_file(const char *text, GError **error);

G_END_DECLS
