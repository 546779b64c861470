/* SPDX-License-Identifier: MIT
 *
 * entries: reads one entry of a list at a time. Called by settings_capture.
 */
#include "app/entries.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "base/network.h"
#include "base/ports.h"

#define INTERFACE_NAME_MAX 15 /* IFNAMSIZ with its NUL */

/* The depth that nftables can match: one byte. */
#define CGROUP_DEPTH_MAX 255

/* Room for an entry of passwd or group. glibc suggests 1024, and groups with many members need
 * more. */
#define ENTRY_ROOM_MAX (1 << 20)

gboolean
vpnr_entry_has_only(const char *text, const char *more)
{
	for (; *text != '\0'; text++) {
		if (!g_ascii_isalnum(*text) && strchr(more, *text) == NULL)
			return FALSE;
	}
	return TRUE;
}

gboolean
vpnr_entry_network(const char *text, gpointer list, const char **why)
{
	VpnrNetwork network;

	if (!vpnr_network_read(text, &network, why))
		return FALSE;
	g_array_append_val((GArray *)list, network);
	return TRUE;
}

gboolean
vpnr_entry_ports(const char *text, gpointer list, const char **why)
{
	VpnrPortRange range;

	*why = "is neither a port nor a range such as 8000-8999";
	if (!vpnr_ports_parse(text, &range))
		return FALSE;
	g_array_append_val((GArray *)list, range);
	return TRUE;
}

/* (uid_t)-1 and (gid_t)-1 mean "leave it" to system calls and are nobody's. */
static gboolean
read_id(const char *text, guint32 *id)
{
	guint64 number;

	if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT32 - 1, &number, NULL))
		return FALSE;
	*id = (guint32)number;
	return TRUE;
}

static gboolean
find_user(const char *name, guint32 *id)
{
	struct passwd entry;
	struct passwd *found = NULL;
	int result = ERANGE;

	for (gsize n = 1024; result == ERANGE && n <= ENTRY_ROOM_MAX; n *= 4) {
		g_autofree char *room = g_malloc(n);

		result = getpwnam_r(name, &entry, room, n, &found);
		if (found != NULL)
			*id = entry.pw_uid;
	}
	return found != NULL;
}

static gboolean
find_group(const char *name, guint32 *id)
{
	struct group entry;
	struct group *found = NULL;
	int result = ERANGE;

	for (gsize n = 1024; result == ERANGE && n <= ENTRY_ROOM_MAX; n *= 4) {
		g_autofree char *room = g_malloc(n);

		result = getgrnam_r(name, &entry, room, n, &found);
		if (found != NULL)
			*id = entry.gr_gid;
	}
	return found != NULL;
}

gboolean
vpnr_entry_user(const char *text, gpointer list, const char **why)
{
	uid_t id;

	*why = "is neither the name nor the number of a user";
	if (!read_id(text, &id) && !find_user(text, &id))
		return FALSE;
	g_array_append_val((GArray *)list, id);
	return TRUE;
}

gboolean
vpnr_entry_group(const char *text, gpointer list, const char **why)
{
	gid_t id;

	*why = "is neither the name nor the number of a group";
	if (!read_id(text, &id) && !find_group(text, &id))
		return FALSE;
	g_array_append_val((GArray *)list, id);
	return TRUE;
}

/* The path stands in a rule set between quotes, which have no escapes. */
gboolean
vpnr_entry_cgroup(const char *text, gpointer list, const char **why)
{
	gsize n = strlen(text);

	*why = "is not the path of a cgroup, such as user.slice/user-1000.slice";
	for (; n > 0 && text[n - 1] == '/'; n--)
		;
	if (n > 0 && text[0] == '/') {
		text++;
		n--;
	}
	g_autofree char *path = g_strndup(text, n);
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);
	if (n == 0 || strchr(path, '"') != NULL || g_strv_length(parts) > CGROUP_DEPTH_MAX)
		return FALSE;
	for (guint i = 0; parts[i] != NULL; i++) {
		if (*parts[i] == '\0' || strcmp(parts[i], ".") == 0 || strcmp(parts[i], "..") == 0)
			return FALSE;
	}
	g_ptr_array_add(list, g_steal_pointer(&path));
	return TRUE;
}

/* Fewer characters than the kernel takes: '*' and '+' are wildcards of nftables and iptables. */
gboolean
vpnr_entry_interface(const char *text, gpointer list, const char **why)
{
	*why = "is not the name of an interface: 1 to 15 letters, digits, '.', '_', '-' and '@'";
	if (strlen(text) > INTERFACE_NAME_MAX || !vpnr_entry_has_only(text, "._-@"))
		return FALSE;
	g_ptr_array_add(list, g_strdup(text));
	return TRUE;
}

gboolean
vpnr_section_get_entries(const VpnrSection *section, const char *key, VpnrEntryRead read,
			 gpointer list, GError **error)
{
	g_auto(GStrv) texts = NULL;
	const char *why = NULL;

	if (!vpnr_section_get_list(section, key, &texts, error))
		return FALSE;
	for (guint i = 0; texts != NULL && texts[i] != NULL; i++) {
		if (!read(texts[i], list, &why))
			return vpnr_section_fail_key(section, key, error, "\"%s\" %s", texts[i],
						     why);
	}
	return TRUE;
}
