/* SPDX-License-Identifier: MIT
 *
 * clients: see clients.h. A linear search: a server has tens of clients and looks one up per link.
 */
#include "server/clients.h"

void
vpnr_client_entry_free(VpnrClientEntry *entry)
{
	if (entry == NULL)
		return;
	g_free(entry->name);
	vpnr_acl_unref(entry->acl);
	g_free(entry);
}

const VpnrClientEntry *
vpnr_clients_find(const GPtrArray *clients, const VpnrKey *public_key)
{
	for (guint i = 0; i < clients->len; i++) {
		const VpnrClientEntry *entry = clients->pdata[i];

		if (vpnr_key_equal(&entry->public_key, public_key))
			return entry;
	}
	return NULL;
}
