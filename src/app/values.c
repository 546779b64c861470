/* SPDX-License-Identifier: MIT
 *
 * values: reads one key of a section as what it means. Called by settings, on main's thread.
 */
#include "app/values.h"

#include <string.h>
#include <sys/un.h>

#include "app/keys.h"
#include "base/fd.h"

gboolean
vpnr_section_get_key(const VpnrSection *section, const char *key, VpnrKey *value, GError **error)
{
	g_autofree char *text = NULL;

	if (!vpnr_section_get_text(section, key, &text, error))
		return FALSE;
	if (text != NULL && !vpnr_key_parse(text, value))
		return vpnr_section_fail_key(section, key, error,
					     "\"%s\" is not a key of 32 bytes in base64, which has "
					     "%d characters",
					     text, VPNR_KEY_STRLEN - 1);
	return TRUE;
}

gboolean
vpnr_section_get_private_key(const VpnrSection *section, const char *key, VpnrKey *value,
			     GError **error)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) why = NULL;

	if (!vpnr_section_get_text(section, key, &text, error))
		return FALSE;
	if (text == NULL || !vpnr_keyfile_is_loaded(section->file))
		return TRUE;
	g_autofree char *path = vpnr_keyfile_resolve(section->file, text);
	if (!vpnr_keys_load_private(path, value, &why))
		return vpnr_section_fail_key(section, key, error, "%s", why->message);
	return TRUE;
}

gboolean
vpnr_section_get_secret(const VpnrSection *section, const char *key, VpnrKey *value, GError **error)
{
	const VpnrKey *secret = vpnr_keyfile_secret(section->file);
	mode_t mode = vpnr_keyfile_mode(section->file);
	g_autofree char *text = NULL;

	if (!vpnr_section_get_text(section, key, &text, error))
		return FALSE;
	if (text == NULL)
		return TRUE;
	if (!vpnr_keys_mode_is_safe(mode))
		return vpnr_section_fail_key(section, key, error,
					     "the file has mode %04o, which lets others in, make "
					     "it 0600",
					     (unsigned)mode & 07777);
	if (secret == NULL)
		return vpnr_section_fail_key(section, key, error,
					     "not a private key: %d characters of base64 are "
					     "expected",
					     VPNR_KEY_STRLEN - 1);
	*value = *secret;
	return TRUE;
}

gboolean
vpnr_section_get_socket_path(const VpnrSection *section, const char *key, char **value,
			     GError **error)
{
	const gsize room = sizeof((struct sockaddr_un){ 0 }.sun_path);
	g_autofree char *text = NULL;

	if (!vpnr_section_get_text(section, key, &text, error))
		return FALSE;
	if (text == NULL)
		return TRUE;
	g_clear_pointer(value, g_free);
	if (strcmp(text, "none") == 0)
		return TRUE;
	*value = vpnr_keyfile_resolve(section->file, text);
	if (strlen(*value) >= room)
		return vpnr_section_fail_key(section, key, error,
					     "\"%s\" is longer than a socket's path may be, %zu "
					     "bytes",
					     *value, room - 1);
	return TRUE;
}

/* The address among addrs beside which addr cannot be listened on, or NULL. */
static const VpnrAddr *
find_clash(const GArray *addrs, const VpnrAddr *addr)
{
	for (guint i = 0; i < addrs->len; i++) {
		const VpnrAddr *other = &g_array_index(addrs, VpnrAddr, i);

		if (vpnr_fd_listeners_clash(other, addr))
			return other;
	}
	return NULL;
}

static gboolean
check_beside(const VpnrSection *section, const char *key, const VpnrAddr *addr,
	     const VpnrListenTaken *taken, GError **error)
{
	const VpnrAddr *other = find_clash(taken->addrs, addr);
	char text[VPNR_ADDR_STRLEN];
	char other_text[VPNR_ADDR_STRLEN];

	if (other == NULL)
		return TRUE;
	return vpnr_section_fail_key(section, key, error,
				     "\"%s\" cannot be listened on beside \"%s\"%s%s",
				     vpnr_addr_format(addr, text),
				     vpnr_addr_format(other, other_text),
				     taken->where != NULL ? " in " : "",
				     taken->where != NULL ? taken->where : "");
}

gboolean
vpnr_section_check_listen(const VpnrSection *section, const char *key, const GArray *addrs,
			  const VpnrListenTaken *taken, GError **error)
{
	for (guint i = 0; i < addrs->len; i++) {
		if (!check_beside(section, key, &g_array_index(addrs, VpnrAddr, i), taken, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
append_address(const VpnrSection *section, const VpnrListenKey *key, const char *text,
	       GArray *addrs, GError **error)
{
	g_autoptr(GError) why = NULL;
	VpnrAddr addr;

	if (!vpnr_addr_parse(text, key->port, &addr, &why))
		return vpnr_section_fail_key(section, key->name, error, "%s", why->message);
	if (addr.type == VPNR_ADDR_NAME)
		return vpnr_section_fail_key(section, key->name, error,
					     "\"%s\" is a name, an address is needed", text);
	for (guint i = 0; i < addrs->len; i++) {
		if (vpnr_addr_equal(&g_array_index(addrs, VpnrAddr, i), &addr))
			return vpnr_section_fail_key(section, key->name, error,
						     "\"%s\" stands twice", text);
	}
	if (!check_beside(section, key->name, &addr, &(VpnrListenTaken){ .addrs = addrs }, error))
		return FALSE;
	g_array_append_val(addrs, addr);
	return TRUE;
}

/* The defaults are for hosts with both families. Nobody has asked for IPv6 where it is turned off,
 * as in many containers. TRUE if an address that this host lacks was left out of the default. */
static gboolean
leave_out_ipv6(const VpnrSection *section, const VpnrListenKey *key, GArray *addrs)
{
	guint before = addrs->len;

	if (vpnr_section_has(section, key->name) || !vpnr_keyfile_is_loaded(section->file))
		return FALSE;
	for (guint i = addrs->len; i-- > 0;) {
		const VpnrAddr *addr = &g_array_index(addrs, VpnrAddr, i);

		if (addr->type == VPNR_ADDR_IPV6 && !vpnr_fd_is_local(addr))
			g_array_remove_index(addrs, i);
	}
	return addrs->len < before;
}

gboolean
vpnr_section_get_listen(const VpnrSection *section, const VpnrListenKey *key, GArray *addrs,
			gboolean *no_ipv6, GError **error)
{
	g_auto(GStrv) texts = g_strsplit(key->fallback, ";", -1);

	if (!vpnr_section_get_list(section, key->name, &texts, error))
		return FALSE;
	if (strcmp(texts[0], "none") == 0 && texts[1] == NULL)
		return TRUE;
	for (guint i = 0; texts[i] != NULL; i++) {
		if (!append_address(section, key, texts[i], addrs, error))
			return FALSE;
	}
	gboolean lacking = leave_out_ipv6(section, key, addrs);
	if (no_ipv6 != NULL)
		*no_ipv6 = lacking;
	return TRUE;
}

/* The two lists are tried one after the other, so that an error names the right one. */
gboolean
vpnr_section_get_acl(const VpnrSection *section, VpnrAcl **acl, GError **error)
{
	g_auto(GStrv) allow = NULL;
	g_auto(GStrv) deny = NULL;
	g_autoptr(GError) why = NULL;

	if (!vpnr_section_get_list(section, "allow", &allow, error) ||
	    !vpnr_section_get_list(section, "deny", &deny, error))
		return FALSE;

	const char *const *allowed = (const char *const *)allow;
	g_autoptr(VpnrAcl) half = vpnr_acl_new(allowed, NULL, &why);
	if (half == NULL)
		return vpnr_section_fail_key(section, "allow", error, "%s", why->message);
	*acl = vpnr_acl_new(allowed, (const char *const *)deny, &why);
	if (*acl == NULL)
		return vpnr_section_fail_key(section, "deny", error, "%s", why->message);
	return TRUE;
}

gboolean
vpnr_section_get_choice(const VpnrSection *section, const char *key, const char *const *choices,
			guint *value, GError **error)
{
	g_autofree char *text = NULL;

	if (!vpnr_section_get_text(section, key, &text, error))
		return FALSE;
	if (text == NULL)
		return TRUE;
	for (guint i = 0; choices[i] != NULL; i++) {
		if (strcmp(text, choices[i]) == 0) {
			*value = i;
			return TRUE;
		}
	}
	g_autofree char *known = g_strjoinv(", ", (char **)choices);
	return vpnr_section_fail_key(section, key, error, "\"%s\" is not one of: %s", text, known);
}

gboolean
vpnr_section_get_switch(const VpnrSection *section, const char *key, gboolean *value,
			GError **error)
{
	static const char *const choices[] = { "no", "yes", NULL };
	guint choice = *value ? 1 : 0;

	if (!vpnr_section_get_choice(section, key, choices, &choice, error))
		return FALSE;
	*value = choice == 1;
	return TRUE;
}

gboolean
vpnr_section_get_number(const VpnrSection *section, const VpnrNumberKey *key, guint *value,
			GError **error)
{
	g_autofree char *text = NULL;
	guint64 number = 0;

	if (!vpnr_section_get_text(section, key->name, &text, error))
		return FALSE;
	if (text == NULL)
		return TRUE;
	if (!(key->none && strcmp(text, "none") == 0) &&
	    !g_ascii_string_to_unsigned(text, 10, key->min, key->max, &number, NULL))
		return vpnr_section_fail_key(section, key->name, error,
					     "\"%s\" is not %sa number from %u to %u", text,
					     key->none ? "none or " : "", key->min, key->max);
	*value = (guint)number;
	return TRUE;
}

/* Takes the unit off the end of text. Returns how many bits the number in front of it moves. */
static guint
take_unit(char *text)
{
	static const char units[] = "KMG";
	gsize n = strlen(text);
	const char *unit = n > 0 ? strchr(units, text[n - 1]) : NULL;

	if (unit == NULL)
		return 0;
	text[n - 1] = '\0';
	return 10 * (guint)(unit - units + 1);
}

gboolean
vpnr_section_get_size(const VpnrSection *section, const VpnrSizeKey *key, guint64 *value,
		      GError **error)
{
	g_autofree char *text = NULL;

	if (!vpnr_section_get_text(section, key->name, &text, error))
		return FALSE;
	if (text == NULL)
		return TRUE;

	g_autofree char *digits = g_strdup(text);
	guint shift = take_unit(digits);
	guint64 number;

	if (!g_ascii_string_to_unsigned(digits, 10, 0, key->max >> shift, &number, NULL) ||
	    number << shift < key->min)
		return vpnr_section_fail_key(section, key->name, error,
					     "\"%s\" is not a number of bytes, such as 512M or "
					     "1G, from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
					     text, key->min, key->max);
	*value = number << shift;
	return TRUE;
}

gboolean
vpnr_section_get_addr(const VpnrSection *section, const char *key, guint16 port, VpnrAddr *value,
		      GError **error)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) why = NULL;

	if (!vpnr_section_get_text(section, key, &text, error))
		return FALSE;
	if (text != NULL && !vpnr_addr_parse(text, port, value, &why))
		return vpnr_section_fail_key(section, key, error, "%s", why->message);
	return TRUE;
}
