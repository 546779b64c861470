/* SPDX-License-Identifier: MIT
 *
 * values: the values of a section (keyfile.h) as what they mean: keys, addresses, access lists.
 *
 * Every function returns FALSE with an error that names file, section, key and value. Where the key
 * is missing it returns TRUE and leaves *value as it was.
 */
#pragma once

#include "app/keyfile.h"
#include "base/addr.h"
#include "base/key.h"
#include "server/acl.h"

G_BEGIN_DECLS

/* A key whose value is a list of addresses to listen on. */
typedef struct {
	const char *name;
	guint16 port;         /* for an entry without one */
	const char *fallback; /* the value where the key is missing */
} VpnrListenKey;

/* Addresses (VpnrAddr) that are to be listened on already. */
typedef struct {
	const GArray *addrs;
	const char *where; /* what has them, for errors; NULL: the same list */
} VpnrListenTaken;

/* A key whose value is a number. */
typedef struct {
	const char *name;
	guint min;
	guint max;
	gboolean none; /* TRUE: "none" may stand in the number's place, and is read as 0 */
} VpnrNumberKey;

/* A key whose value is a number of bytes. */
typedef struct {
	const char *name;
	guint64 min;
	guint64 max; /* at most G_MAXINT64 */
} VpnrSizeKey;

/* A public key in base64. */
gboolean
vpnr_section_get_key(const VpnrSection *section, const char *key, VpnrKey *value, GError **error);

/* The private key in the file that the value names; not read unless the configuration came from a
 * file itself. */
gboolean vpnr_section_get_private_key(const VpnrSection *section, const char *key, VpnrKey *value,
				      GError **error);

/* The private key that is the value of key, which is VPNR_SECRET_KEY (secret.h). An error if others
 * can read the file; it never quotes the value. */
gboolean vpnr_section_get_secret(const VpnrSection *section, const char *key, VpnrKey *value,
				 GError **error);

/* An address or a name, with this port if it has none. */
gboolean vpnr_section_get_addr(const VpnrSection *section, const char *key, guint16 port,
			       VpnrAddr *value, GError **error);

/* Appends the addresses of the list to addrs (VpnrAddr), where the key is missing those of its
 * fallback. "none" is the empty list; names are errors, and so are addresses that cannot be
 * listened on side by side. If the configuration came from a file, the fallback is without IPv6
 * where the host has none; then *no_ipv6 (nullable) is TRUE. */
gboolean vpnr_section_get_listen(const VpnrSection *section, const VpnrListenKey *key,
				 GArray *addrs, gboolean *no_ipv6, GError **error);

/* An error about the key if one of addrs, its addresses, cannot be listened on beside those that
 * are taken. */
gboolean vpnr_section_check_listen(const VpnrSection *section, const char *key, const GArray *addrs,
				   const VpnrListenTaken *taken, GError **error);

/* The absolute path of a Unix socket (transfer full, frees what was there), or NULL for "none". One
 * that is too long for a socket is an error. */
gboolean vpnr_section_get_socket_path(const VpnrSection *section, const char *key, char **value,
				      GError **error);

/* The access list of the section's keys "allow" and "deny" (transfer full). */
gboolean vpnr_section_get_acl(const VpnrSection *section, VpnrAcl **acl, GError **error);

/* The index of the value in choices (NULL-terminated). */
gboolean vpnr_section_get_choice(const VpnrSection *section, const char *key,
				 const char *const *choices, guint *value, GError **error);

/* "yes" or "no". */
gboolean vpnr_section_get_switch(const VpnrSection *section, const char *key, gboolean *value,
				 GError **error);

/* A number within the key's bounds. */
gboolean vpnr_section_get_number(const VpnrSection *section, const VpnrNumberKey *key, guint *value,
				 GError **error);

/* A number of bytes within the key's bounds; behind it may stand K, M or G for 1024, its square or
 * its cube. */
gboolean vpnr_section_get_size(const VpnrSection *section, const VpnrSizeKey *key, guint64 *value,
			       GError **error);

G_END_DECLS
