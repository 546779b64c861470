/* SPDX-License-Identifier: MIT
 *
 * rewrite: puts another text in the place of a file's, all of it or nothing.
 *
 * The file is locked from the start to the end (flock(2)), so that of two that rewrite it the
 * second one begins with what the first has made of it. Who does not ask for the lock, such as an
 * editor, is not kept out. A symbolic link stays one: it is its target that is replaced. Used by
 * vpnrctl's main thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct VpnrRewrite VpnrRewrite;

/* Waits for the lock and reads the file at path. NULL with an error (G_FILE_ERROR) that names it;
 * all errors here do. */
VpnrRewrite *vpnr_rewrite_begin(const char *path, GError **error);

/* What is in the file (transfer none): *n bytes and a NUL. */
const char *vpnr_rewrite_text(const VpnrRewrite *rewrite, gsize *n);

/* Writes n bytes of text to a temporary file in the same folder, with all that the file has beside
 * its text (attributes.h), and down to the disk; once at most. From then on the signals that end a
 * process wait, for they would leave it there. */
gboolean vpnr_rewrite_prepare(VpnrRewrite *rewrite, const char *text, gsize n, GError **error);

/* Puts the temporary file in the place of the other. */
gboolean vpnr_rewrite_commit(VpnrRewrite *rewrite, GError **error);

/* Removes the temporary file unless it has been committed, and lets go of the lock and the signals.
 * Takes NULL. */
void vpnr_rewrite_end(VpnrRewrite *rewrite);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrRewrite, vpnr_rewrite_end)

G_END_DECLS
