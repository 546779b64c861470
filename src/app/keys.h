/* SPDX-License-Identifier: MIT
 *
 * keys: Ed25519 keys as people see them: 32 bytes in base64, one line, as WireGuard's users know
 * them.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "base/key.h"

G_BEGIN_DECLS

#define VPNR_KEYS_ERROR (vpnr_keys_error_quark())
GQuark vpnr_keys_error_quark(void);

typedef enum {
	VPNR_KEYS_ERROR_INVALID,    /* not a file, or not of 32 bytes of base64 */
	VPNR_KEYS_ERROR_PERMISSION, /* a private key that others can read */
	VPNR_KEYS_ERROR_FAILED,     /* the library refused */
} VpnrKeysError;

/* Makes a new private key from the system's random source. */
gboolean vpnr_keys_generate(VpnrKey *private_key, GError **error);

/* The public key of a private one (RFC 8032, section 5.1.5). */
gboolean vpnr_keys_derive_public(const VpnrKey *private_key, VpnrKey *public_key, GError **error);

/* Reads the private key in the file at path: one line of base64. Refused, with an error that names
 * the file, when it is no regular file, when group or others have any access to it, or when it is
 * no key (G_FILE_ERROR when it cannot be opened). The error never quotes a private key. */
gboolean vpnr_keys_load_private(const char *path, VpnrKey *private_key, GError **error);

/* The same from an open descriptor, whatever its mode; name stands for it in errors. */
gboolean vpnr_keys_read_private(int fd, const char *name, VpnrKey *private_key, GError **error);

/* FALSE if a file of this mode is no place for a private key: group or others have access to it. */
gboolean vpnr_keys_mode_is_safe(mode_t mode);

G_END_DECLS
