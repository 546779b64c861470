/* SPDX-License-Identifier: MIT
 *
 * retired: see retired.h. A queue for the order and hash tables for the look-up.
 */
#include "stream/retired.h"

struct VpnrRetired {
	guint max;
	GQueue order;         /* of ids, oldest first */
	GHashTable *ids;      /* id to its GList link in order */
	GHashTable *fin_sent; /* of ids */
};

VpnrRetired *
vpnr_retired_new(guint max)
{
	VpnrRetired *retired = g_new0(VpnrRetired, 1);

	retired->max = max;
	g_queue_init(&retired->order);
	retired->ids = g_hash_table_new(NULL, NULL);
	retired->fin_sent = g_hash_table_new(NULL, NULL);
	return retired;
}

void
vpnr_retired_free(VpnrRetired *retired)
{
	if (retired == NULL)
		return;
	g_queue_clear(&retired->order);
	g_hash_table_unref(retired->ids);
	g_hash_table_unref(retired->fin_sent);
	g_free(retired);
}

void
vpnr_retired_add(VpnrRetired *retired, guint32 id, gboolean fin_sent)
{
	gpointer key = GUINT_TO_POINTER(id);

	g_return_if_fail(!vpnr_retired_contains(retired, id));
	if (retired->order.length == retired->max)
		vpnr_retired_remove(retired, GPOINTER_TO_UINT(g_queue_peek_head(&retired->order)));
	g_queue_push_tail(&retired->order, key);
	g_hash_table_insert(retired->ids, key, retired->order.tail);
	if (fin_sent)
		g_hash_table_add(retired->fin_sent, key);
}

void
vpnr_retired_remove(VpnrRetired *retired, guint32 id)
{
	gpointer key = GUINT_TO_POINTER(id);
	GList *link = g_hash_table_lookup(retired->ids, key);

	if (link == NULL)
		return;
	g_queue_delete_link(&retired->order, link);
	g_hash_table_remove(retired->ids, key);
	g_hash_table_remove(retired->fin_sent, key);
}

gboolean
vpnr_retired_contains(const VpnrRetired *retired, guint32 id)
{
	return g_hash_table_contains(retired->ids, GUINT_TO_POINTER(id));
}

gboolean
vpnr_retired_fin_sent(const VpnrRetired *retired, guint32 id)
{
	return g_hash_table_contains(retired->fin_sent, GUINT_TO_POINTER(id));
}
