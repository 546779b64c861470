/* SPDX-License-Identifier: MIT
 *
 * key: 32 bytes that are an Ed25519 public or private key (RFC 8032), and their base64 form. A
 * plain value.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define VPNR_KEY_SIZE   32
#define VPNR_KEY_STRLEN 45 /* 44 characters and NUL */

typedef struct {
	guint8 bytes[VPNR_KEY_SIZE];
} VpnrKey;

/* Parses 44 characters of base64 (RFC 4648, section 4, with its padding); FALSE if text is anything
 * else. Surrounding white space is the caller's to strip. */
gboolean vpnr_key_parse(const char *text, VpnrKey *key);

/* Writes the base64 form. Returns buf. */
const char *vpnr_key_format(const VpnrKey *key, char buf[static VPNR_KEY_STRLEN]);

/* Compares in constant time. */
gboolean vpnr_key_equal(const VpnrKey *a, const VpnrKey *b);

/* Overwrites a private key so that the compiler cannot leave it out. */
void vpnr_key_wipe(VpnrKey *key);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VpnrKey, vpnr_key_wipe)

G_END_DECLS
