/* SPDX-License-Identifier: MIT
 *
 * secret: a private key that stands in a configuration, kept apart from the rest of its text.
 *
 * A text is copied many times while it is read, and quoted in errors and logs. So the key is taken
 * out of it before any of that, and asterisks stand in its place. Plain functions, called by
 * keyfile.
 */
#pragma once

#include <glib.h>

#include "base/key.h"

G_BEGIN_DECLS

/* The key of a configuration whose value is a secret. */
#define VPNR_SECRET_KEY "private-key"

/* The whole content of the file (transfer full, NUL behind its *n bytes), without copies that stay
 * in freed memory; NULL with errno, which is EFBIG from 16 MiB on. */
char *vpnr_secret_read(int fd, gsize *n);

/* TRUE for the name of a key that has a secret value, and for one that may be meant so, such as
 * "PrivateKey"; FALSE for "private-key-file". */
gboolean vpnr_secret_is_meant(const char *name);

/* Overwrites with asterisks what stands behind each such name in the n bytes of text. TRUE if the
 * first "private-key" had a key there, which then is *key. */
gboolean vpnr_secret_take(char *text, gsize n, VpnrKey *key);

G_END_DECLS
