/* SPDX-License-Identifier: MIT
 *
 * settings_clients: see settings_clients.h.
 */
#include "app/settings_clients.h"

#include <string.h>

#include "app/values.h"
#include "server/clients.h"

/* Bytes of a client's name, which stands in logs and tables. */
#define CLIENT_NAME_MAX 64

static gboolean
check_client_name(const VpnrSection *section, const char *name, GError **error)
{
	gsize n = strlen(name);

	if (n == 0 || n > CLIENT_NAME_MAX)
		return vpnr_section_fail(section, error, "a client's name has 1 to %d bytes",
					 CLIENT_NAME_MAX);
	if (g_ascii_isspace(name[0]) || g_ascii_isspace(name[n - 1]))
		return vpnr_section_fail(section, error,
					 "a client's name neither starts nor ends with a space");
	for (const char *c = name; *c != '\0'; c = g_utf8_next_char(c)) {
		if (!g_unichar_isprint(g_utf8_get_char(c)))
			return vpnr_section_fail(section, error,
						 "a client's name has printable characters only");
	}
	return TRUE;
}

/* Two clients with one key could not be told apart: the key is the identity. */
static gboolean
check_client_key(const VpnrSection *section, const GPtrArray *clients, const VpnrKey *key,
		 GError **error)
{
	for (guint i = 0; i < clients->len; i++) {
		const VpnrClientEntry *other = g_ptr_array_index(clients, i);
		char text[VPNR_KEY_STRLEN];

		if (vpnr_key_equal(&other->public_key, key))
			return vpnr_section_fail_key(section, "public-key", error,
						     "\"%s\" is also the key of [client %s]",
						     vpnr_key_format(key, text), other->name);
	}
	return TRUE;
}

static gboolean
read_client_entry(const VpnrSection *section, GPtrArray *clients, GError **error)
{
	g_autoptr(VpnrClientEntry) entry = g_new0(VpnrClientEntry, 1);

	entry->name = g_strdup(section->name + strlen(VPNR_CLIENT_PREFIX));
	if (!check_client_name(section, entry->name, error) ||
	    !vpnr_section_require(section, "public-key", error) ||
	    !vpnr_section_get_key(section, "public-key", &entry->public_key, error) ||
	    !check_client_key(section, clients, &entry->public_key, error) ||
	    !vpnr_section_get_acl(section, &entry->acl, error))
		return FALSE;
	g_ptr_array_add(clients, g_steal_pointer(&entry));
	return TRUE;
}

static int
compare_clients(gconstpointer a, gconstpointer b)
{
	const VpnrClientEntry *const *left = a;
	const VpnrClientEntry *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

gboolean
vpnr_settings_clients_read(const VpnrKeyfile *file, gboolean allowed, GPtrArray *clients,
			   GError **error)
{
	g_auto(GStrv) names = vpnr_keyfile_sections(file);

	for (guint i = 0; names[i] != NULL; i++) {
		VpnrSection section = { file, names[i] };

		if (!g_str_has_prefix(names[i], VPNR_CLIENT_PREFIX))
			continue;
		if (!allowed)
			return vpnr_section_fail(&section, error,
						 "there is no [server] for this client");
		if (!read_client_entry(&section, clients, error))
			return FALSE;
	}
	g_ptr_array_sort(clients, compare_clients);
	return TRUE;
}
