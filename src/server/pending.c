/* SPDX-License-Identifier: MIT
 *
 * pending: see pending.h.
 */
#include "server/pending.h"

#include <string.h>

typedef struct {
	VpnrService *service;
	VpnrAddr source; /* without port */
} Entry;

struct VpnrPending {
	GArray *entries; /* Entry, oldest first */
	guint n_leaving; /* that have made way, and are not among them any more */
};

VpnrPending *
vpnr_pending_new(void)
{
	VpnrPending *pending = g_new0(VpnrPending, 1);

	pending->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
	return pending;
}

void
vpnr_pending_free(VpnrPending *pending)
{
	if (pending == NULL)
		return;
	g_array_unref(pending->entries);
	g_free(pending);
}

static VpnrAddr
source_of(const VpnrAddr *peer)
{
	VpnrAddr source = *peer;

	source.port = 0;
	if (source.type == VPNR_ADDR_IPV6)
		memset(source.ip6 + 8, 0, 8);
	return source;
}

static guint
count(const VpnrPending *pending, const VpnrAddr *source)
{
	guint n = 0;

	for (guint i = 0; i < pending->entries->len; i++)
		n += vpnr_addr_equal(&g_array_index(pending->entries, Entry, i).source, source);
	return n;
}

gboolean
vpnr_pending_add(VpnrPending *pending, VpnrService *service, const VpnrAddr *peer,
		 VpnrService **oldest)
{
	Entry entry = { .service = service, .source = source_of(peer) };
	gboolean is_full = pending->entries->len >= VPNR_PENDING_MAX;

	*oldest = NULL;
	if (count(pending, &entry.source) >= VPNR_PENDING_PER_SOURCE_MAX ||
	    (is_full && pending->n_leaving >= VPNR_PENDING_MAX))
		return FALSE;
	if (is_full) {
		*oldest = g_array_index(pending->entries, Entry, 0).service;
		g_array_remove_index(pending->entries, 0);
		pending->n_leaving++;
	}
	g_array_append_val(pending->entries, entry);
	return TRUE;
}

void
vpnr_pending_remove(VpnrPending *pending, const VpnrService *service)
{
	for (guint i = 0; i < pending->entries->len; i++)
		if (g_array_index(pending->entries, Entry, i).service == service) {
			g_array_remove_index(pending->entries, i);
			return;
		}
	pending->n_leaving--;
}
