/* SPDX-License-Identifier: MIT
 *
 * acl: parses access lists and answers for one destination. Parsed by main at start and reload,
 * asked by the workers; constant in between.
 */
#include "server/acl.h"

#include <stdatomic.h>
#include <string.h>

#include "base/network.h"
#include "base/ports.h"

/* One entry: a network, or a name if network.type is VPNR_ADDR_NONE. */
typedef struct {
	VpnrNetwork network;
	gboolean below; /* the name stood behind "*." */
	VpnrPortRange ports;
	char name[VPNR_NAME_MAX + 1]; /* no final dot */
} Entry;

struct VpnrAcl {
	/* const after new */
	GArray *allow; /* Entry; NULL: everything */
	GArray *deny;  /* Entry; NULL: nothing */

	/* atomic */
	_Atomic guint refs;
};

/* Networks that lead to the server itself, to its neighbours on the link or to many hosts at once,
 * and so are never meant by "everything" (rule 2). */
static const VpnrNetwork guarded[] = {
	{ VPNR_ADDR_IPV4, 8, { 0 } },                   /* unspecified: Linux connects to itself */
	{ VPNR_ADDR_IPV4, 8, { 127 } },                 /* loopback */
	{ VPNR_ADDR_IPV4, 16, { 169, 254 } },           /* link-local, 169.254.169.254 in clouds */
	{ VPNR_ADDR_IPV4, 4, { 224 } },                 /* multicast */
	{ VPNR_ADDR_IPV4, 32, { 255, 255, 255, 255 } }, /* broadcast */
	{ VPNR_ADDR_IPV6, 128, { 0 } },                 /* unspecified */
	{ VPNR_ADDR_IPV6, 128, { [15] = 1 } },          /* loopback */
	{ VPNR_ADDR_IPV6, 10, { 0xfe, 0x80 } },         /* link-local */
	{ VPNR_ADDR_IPV6, 8, { 0xff } },                /* multicast */
	/* fd00:ec2::254, the metadata service of a large cloud */
	{ VPNR_ADDR_IPV6, 128, { 0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54 } },
};

/* Threads would race for the variable in which G_DEFINE_QUARK keeps it. */
GQuark
vpnr_acl_error_quark(void)
{
	return g_quark_from_static_string("vpnr-acl-error");
}

static gboolean
set_error(GError **error, const char *text, const char *why)
{
	g_set_error(error, VPNR_ACL_ERROR, VPNR_ACL_ERROR_INVALID,
		    "\"%s\" is not an access list entry: %s", text, why);
	return FALSE;
}

static gboolean
parse_name(const char *text, Entry *entry)
{
	entry->below = g_str_has_prefix(text, "*.");
	const char *name = entry->below ? text + 2 : text;
	gsize n = strlen(name);

	if (!vpnr_name_is_valid(name, n))
		return FALSE;
	if (name[n - 1] == '.')
		n--;
	memcpy(entry->name, name, n);
	entry->name[n] = '\0';
	return TRUE;
}

/* Other programs have these words in lists like ours; as the name of a host each would match
 * nothing of what is meant, and a deny would let everything through. */
static gboolean
means_everything(const char *host)
{
	return g_ascii_strcasecmp(host, "all") == 0 || g_ascii_strcasecmp(host, "any") == 0 ||
	       g_str_equal(host, "*");
}

/* Parses the part of an entry before its ports. text is the whole entry, for errors. */
static gboolean
parse_host(const char *host, gboolean bracketed, const char *text, Entry *entry, GError **error)
{
	g_autoptr(GError) why = NULL;

	if (vpnr_network_parse(host, &entry->network, &why))
		return TRUE;
	entry->network.type = VPNR_ADDR_NONE;
	if (bracketed || strpbrk(host, "/:") != NULL)
		return set_error(error, text, why->message);
	if (means_everything(host))
		return set_error(error, text, "everything is 0.0.0.0/0;::/0");
	if (!parse_name(host, entry))
		return set_error(error, text, "it is neither a network nor a name");
	return TRUE;
}

/* Splits host and ports in place: "HOST:PORTS", "[HOST]", "[HOST]:PORTS", or all of it host, as
 * with a bare IPv6 network, which has more than one colon. Ports stays NULL where there are none.
 */
static gboolean
split(char *text, gboolean bracketed, char **host, char **ports)
{
	*host = bracketed ? text + 1 : text;
	*ports = NULL;
	char *end = strchr(text, bracketed ? ']' : ':');

	if (bracketed && end == NULL)
		return FALSE;
	if (bracketed) {
		*end++ = '\0';
		if (*end == '\0')
			return TRUE;
		if (*end != ':')
			return FALSE;
	} else if (end == NULL || strchr(end + 1, ':') != NULL) {
		return TRUE;
	}
	*end = '\0';
	*ports = end + 1;
	return TRUE;
}

static gboolean
parse_entry(const char *text, Entry *entry, GError **error)
{
	g_autofree char *copy = g_strdup(text);
	gboolean bracketed = text[0] == '[';
	char *host;
	char *ports;

	*entry = (Entry){ .ports = { 1, G_MAXUINT16 } };
	if (!split(copy, bracketed, &host, &ports))
		return set_error(error, text, "its brackets are not in order");
	if (ports != NULL && !vpnr_ports_parse(ports, &entry->ports))
		return set_error(error, text, "its ports are not PORT or FROM-TO, from 1 to 65535");
	return parse_host(host, bracketed, text, entry, error);
}

static gboolean
parse_list(const char *const *texts, GArray **list, GError **error)
{
	if (texts == NULL)
		return TRUE;
	*list = g_array_new(FALSE, FALSE, sizeof(Entry));
	for (; *texts != NULL; texts++) {
		Entry entry;

		if (!parse_entry(*texts, &entry, error))
			return FALSE;
		g_array_append_val(*list, entry);
	}
	return TRUE;
}

VpnrAcl *
vpnr_acl_new(const char *const *allow, const char *const *deny, GError **error)
{
	g_autoptr(VpnrAcl) acl = g_new0(VpnrAcl, 1);

	acl->refs = 1;
	if (!parse_list(allow, &acl->allow, error) || !parse_list(deny, &acl->deny, error))
		return NULL;
	return g_steal_pointer(&acl);
}

VpnrAcl *
vpnr_acl_ref(VpnrAcl *acl)
{
	atomic_fetch_add(&acl->refs, 1);
	return acl;
}

void
vpnr_acl_unref(VpnrAcl *acl)
{
	if (acl == NULL || atomic_fetch_sub(&acl->refs, 1) != 1)
		return;
	g_clear_pointer(&acl->allow, g_array_unref);
	g_clear_pointer(&acl->deny, g_array_unref);
	g_free(acl);
}

static gboolean
matches_name(const Entry *entry, const VpnrAddr *dest)
{
	const char *name = dest->name;

	if (dest->type != VPNR_ADDR_NAME)
		return FALSE;
	if (entry->below) {
		gsize n = strlen(name);
		gsize tail = strlen(entry->name);

		if (n < tail + 2 || name[n - tail - 1] != '.')
			return FALSE;
		name += n - tail;
	}
	return g_ascii_strcasecmp(name, entry->name) == 0;
}

static gboolean
matches_port(const Entry *entry, guint16 port)
{
	return port >= entry->ports.first && port <= entry->ports.last;
}

static gboolean
matches(const Entry *entry, const VpnrAddr *dest, const VpnrAddr *addr)
{
	if (!matches_port(entry, addr->port))
		return FALSE;
	if (entry->network.type == VPNR_ADDR_NONE)
		return matches_name(entry, dest);
	return vpnr_network_contains(&entry->network, addr);
}

/* The guarded network that addr lies in, or NULL. */
static const VpnrNetwork *
find_guard(const VpnrAddr *addr)
{
	for (gsize i = 0; i < G_N_ELEMENTS(guarded); i++) {
		if (vpnr_network_contains(&guarded[i], addr))
			return &guarded[i];
	}
	return NULL;
}

/* TRUE if an entry of list matches. With a guard only networks inside it count. */
static gboolean
list_matches(const GArray *list, const VpnrAddr *dest, const VpnrAddr *addr,
	     const VpnrNetwork *guard)
{
	for (guint i = 0; list != NULL && i < list->len; i++) {
		const Entry *entry = &g_array_index(list, Entry, i);

		if (guard != NULL && (entry->network.type == VPNR_ADDR_NONE ||
				      !vpnr_network_covers(guard, &entry->network)))
			continue;
		if (matches(entry, dest, addr))
			return TRUE;
	}
	return FALSE;
}

gboolean
vpnr_acl_allows(const VpnrAcl *acl, const VpnrAddr *dest, const VpnrAddr *addr)
{
	const VpnrNetwork *guard = find_guard(addr);

	if (addr->type != VPNR_ADDR_IPV4 && addr->type != VPNR_ADDR_IPV6)
		return FALSE;
	if (list_matches(acl->deny, dest, addr, NULL))
		return FALSE;
	if (acl->allow == NULL && guard == NULL)
		return TRUE;
	return list_matches(acl->allow, dest, addr, guard);
}

gboolean
vpnr_acl_denies_name(const VpnrAcl *acl, const VpnrAddr *dest)
{
	for (guint i = 0; acl->deny != NULL && i < acl->deny->len; i++) {
		const Entry *entry = &g_array_index(acl->deny, Entry, i);

		if (entry->network.type == VPNR_ADDR_NONE && matches_port(entry, dest->port) &&
		    matches_name(entry, dest))
			return TRUE;
	}
	return FALSE;
}
