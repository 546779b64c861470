/* SPDX-License-Identifier: MIT
 *
 * clients: those that the server knows, each with its key and its access list.
 *
 * A set is made by the configuration and constant afterwards; a reload makes a new one. It is
 * reference-counted, since handshakes under way still read the old one.
 */
#pragma once

#include <glib.h>

#include "base/key.h"
#include "server/acl.h"

G_BEGIN_DECLS

typedef struct {
	char *name;
	VpnrKey public_key;
	VpnrAcl *acl;
} VpnrClientEntry;

/* Frees an entry with its name and its reference to the ACL. Takes NULL. */
void vpnr_client_entry_free(VpnrClientEntry *entry);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrClientEntry, vpnr_client_entry_free)

/* The entry that owns this key, in an array of VpnrClientEntry, or NULL (transfer none). */
const VpnrClientEntry *vpnr_clients_find(const GPtrArray *clients, const VpnrKey *public_key);

G_END_DECLS
