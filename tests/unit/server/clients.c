/* SPDX-License-Identifier: MIT
 *
 * clients: a key finds its owner, and only its owner.
 */
#include "server/clients.h"

static VpnrKey
key_of(guint8 last)
{
	VpnrKey key = { .bytes = { 1, 2, 3 } };

	key.bytes[VPNR_KEY_SIZE - 1] = last;
	return key;
}

static GPtrArray *
make_clients(guint n)
{
	GPtrArray *clients = g_ptr_array_new_with_free_func((GDestroyNotify)vpnr_client_entry_free);

	for (guint i = 0; i < n; i++) {
		VpnrClientEntry *entry = g_new0(VpnrClientEntry, 1);

		entry->name = g_strdup_printf("client-%u", i);
		entry->public_key = key_of((guint8)i);
		entry->acl = vpnr_acl_new(NULL, NULL, NULL);
		g_ptr_array_add(clients, entry);
	}
	return clients;
}

static void
test_find(void)
{
	g_test_summary("Keys that differ in their last byte alone are told apart.");

	g_autoptr(GPtrArray) clients = make_clients(20);

	for (guint i = 0; i < 20; i++) {
		VpnrKey key = key_of((guint8)i);
		g_autofree char *name = g_strdup_printf("client-%u", i);

		g_assert_cmpstr(vpnr_clients_find(clients, &key)->name, ==, name);
	}
}

static void
test_unknown(void)
{
	g_autoptr(GPtrArray) clients = make_clients(20);
	g_autoptr(GPtrArray) none = make_clients(0);
	VpnrKey key = key_of(20);

	g_assert_null(vpnr_clients_find(clients, &key));
	g_assert_null(vpnr_clients_find(none, &key));
	vpnr_client_entry_free(NULL);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/clients/find", test_find);
	g_test_add_func("/clients/unknown", test_unknown);
	return g_test_run();
}
