/* SPDX-License-Identifier: MIT
 *
 * addr: text and sockaddr to VpnrAddr and back. Pure functions, any thread.
 */
#include "base/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define LABEL_MAX 63 /* RFC 1035, section 2.3.4 */

/* Threads would race for the variable in which G_DEFINE_QUARK keeps it. */
GQuark
vpnr_addr_error_quark(void)
{
	return g_quark_from_static_string("vpnr-addr-error");
}

/* An IPv4-mapped address is the same host as the IPv4 address: keeping one form keeps access lists
 * from being walked around. */
static void
set_ip6(VpnrAddr *addr, const struct in6_addr *ip6)
{
	if (IN6_IS_ADDR_V4MAPPED(ip6)) {
		addr->type = VPNR_ADDR_IPV4;
		memcpy(addr->ip4, ip6->s6_addr + 12, sizeof(addr->ip4));
	} else {
		addr->type = VPNR_ADDR_IPV6;
		memcpy(addr->ip6, ip6->s6_addr, sizeof(addr->ip6));
	}
}

static gboolean
parse_literal(const char *host, gsize n, VpnrAddr *addr)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr ip6;

	if (n >= sizeof(text) || memchr(host, '\0', n) != NULL)
		return FALSE;
	memcpy(text, host, n);
	text[n] = '\0';

	if (inet_pton(AF_INET, text, addr->ip4) == 1) {
		addr->type = VPNR_ADDR_IPV4;
		return TRUE;
	}
	if (inet_pton(AF_INET6, text, &ip6) == 1) {
		set_ip6(addr, &ip6);
		return TRUE;
	}
	return FALSE;
}

static gboolean
label_is_valid(const char *label, gsize n)
{
	if (n == 0 || n > LABEL_MAX)
		return FALSE;
	for (gsize i = 0; i < n; i++)
		if (!g_ascii_isalnum(label[i]) && label[i] != '-' && label[i] != '_')
			return FALSE;
	return TRUE;
}

static gboolean
is_number(const char *label, gsize n)
{
	for (gsize i = 0; i < n; i++)
		if (!g_ascii_isdigit(label[i]))
			return FALSE;
	return TRUE;
}

gboolean
vpnr_name_is_valid(const char *name, gsize n)
{
	const char *end;

	if (n > 0 && name[n - 1] == '.')
		n--;
	if (n > VPNR_NAME_MAX)
		return FALSE;

	for (end = name + n;;) {
		const char *dot = memchr(name, '.', (gsize)(end - name));
		gsize label = (gsize)((dot != NULL ? dot : end) - name);

		if (!label_is_valid(name, label))
			return FALSE;
		if (dot == NULL)
			return !is_number(name, label);
		name = dot + 1;
	}
}

gboolean
vpnr_addr_from_host(const char *host, gsize n, guint16 port, VpnrAddr *addr)
{
	VpnrAddr parsed = { .port = port };

	if (!parse_literal(host, n, &parsed)) {
		if (!vpnr_name_is_valid(host, n))
			return FALSE;
		if (host[n - 1] == '.')
			n--;
		parsed.type = VPNR_ADDR_NAME;
		memcpy(parsed.name, host, n);
		parsed.name[n] = '\0';
	}
	*addr = parsed;
	return TRUE;
}

/* At most five digits, so that the number cannot overflow. */
static gboolean
parse_port(const char *text, guint16 *port)
{
	gsize n = strlen(text);
	guint64 value;

	if (n == 0 || n > 5 || !is_number(text, n))
		return FALSE;
	value = g_ascii_strtoull(text, NULL, 10);
	if (value == 0 || value > G_MAXUINT16)
		return FALSE;
	*port = (guint16)value;
	return TRUE;
}

/* Brackets belong around what has colons, and around nothing else. */
static gboolean
parse_host_port(const char *text, guint16 default_port, VpnrAddr *addr)
{
	gboolean bracketed = text[0] == '[';
	const char *host = text + (bracketed ? 1 : 0);
	gsize n = strcspn(host, bracketed ? "]" : ":");
	const char *rest = host + n;
	guint16 port = default_port;

	if (bracketed && *rest++ != ']')
		return FALSE;
	if (bracketed != (memchr(host, ':', n) != NULL))
		return FALSE;
	if (*rest != '\0' && (*rest != ':' || !parse_port(rest + 1, &port)))
		return FALSE;
	return port != 0 && vpnr_addr_from_host(host, n, port, addr);
}

gboolean
vpnr_addr_parse(const char *text, guint16 default_port, VpnrAddr *addr, GError **error)
{
	if (parse_host_port(text, default_port, addr))
		return TRUE;
	g_set_error(error, VPNR_ADDR_ERROR, VPNR_ADDR_ERROR_INVALID,
		    "\"%s\" is not of the form ADDRESS:PORT, [IPV6-ADDRESS]:PORT or NAME:PORT, "
		    "with a "
		    "port from 1 to 65535",
		    text);
	return FALSE;
}

const char *
vpnr_addr_format(const VpnrAddr *addr, char buf[static VPNR_ADDR_STRLEN])
{
	char text[INET6_ADDRSTRLEN];

	switch (addr->type) {
	case VPNR_ADDR_NONE:
		g_strlcpy(buf, "none", VPNR_ADDR_STRLEN);
		break;
	case VPNR_ADDR_IPV4:
		inet_ntop(AF_INET, addr->ip4, text, sizeof(text));
		snprintf(buf, VPNR_ADDR_STRLEN, "%s:%u", text, addr->port);
		break;
	case VPNR_ADDR_IPV6:
		inet_ntop(AF_INET6, addr->ip6, text, sizeof(text));
		snprintf(buf, VPNR_ADDR_STRLEN, "[%s]:%u", text, addr->port);
		break;
	case VPNR_ADDR_NAME:
		snprintf(buf, VPNR_ADDR_STRLEN, "%s:%u", addr->name, addr->port);
		break;
	}
	return buf;
}

/* The bytes of an address that say something, which are at its beginning. */
static gsize
used_size(const VpnrAddr *addr)
{
	switch (addr->type) {
	case VPNR_ADDR_NONE:
		break;
	case VPNR_ADDR_IPV4:
		return offsetof(VpnrAddr, ip4) + sizeof(addr->ip4);
	case VPNR_ADDR_IPV6:
		return offsetof(VpnrAddr, ip6) + sizeof(addr->ip6);
	case VPNR_ADDR_NAME:
		return offsetof(VpnrAddr, name) + strlen(addr->name) + 1;
	}
	return 0;
}

/* What they are is an opaque type, so that nobody copies a whole VpnrAddr from there. */
struct VpnrPackedAddr {
	gsize size;
	guint8 bytes[];
};

VpnrPackedAddr *
vpnr_addr_pack(const VpnrAddr *addr)
{
	gsize size = used_size(addr);
	VpnrPackedAddr *packed;

	if (size == 0)
		return NULL;
	packed = g_malloc(sizeof(*packed) + size);
	packed->size = size;
	memcpy(packed->bytes, addr, size);
	return packed;
}

VpnrAddr
vpnr_addr_unpack(const VpnrPackedAddr *packed)
{
	VpnrAddr addr = { 0 };

	if (packed != NULL)
		memcpy(&addr, packed->bytes, packed->size);
	return addr;
}

gboolean
vpnr_addr_equal(const VpnrAddr *a, const VpnrAddr *b)
{
	if (a->type != b->type || a->port != b->port)
		return FALSE;
	switch (a->type) {
	case VPNR_ADDR_NONE:
		return TRUE;
	case VPNR_ADDR_IPV4:
		return memcmp(a->ip4, b->ip4, sizeof(a->ip4)) == 0;
	case VPNR_ADDR_IPV6:
		return memcmp(a->ip6, b->ip6, sizeof(a->ip6)) == 0;
	case VPNR_ADDR_NAME:
		return g_ascii_strcasecmp(a->name, b->name) == 0;
	}
	g_assert_not_reached();
}

gboolean
vpnr_addr_is_wildcard(const VpnrAddr *addr)
{
	static const guint8 zero[sizeof addr->ip6];

	if (addr->type == VPNR_ADDR_IPV4)
		return memcmp(addr->ip4, zero, sizeof addr->ip4) == 0;
	return addr->type == VPNR_ADDR_IPV6 && memcmp(addr->ip6, zero, sizeof addr->ip6) == 0;
}

/* FNV-1a. */
static guint
mix(guint hash, guint8 byte)
{
	return (hash ^ byte) * 16777619U;
}

static guint
mix_bytes(guint hash, const guint8 *bytes, gsize n)
{
	for (gsize i = 0; i < n; i++)
		hash = mix(hash, bytes[i]);
	return hash;
}

guint
vpnr_addr_hash(const VpnrAddr *addr)
{
	guint hash = mix(2166136261U, (guint8)addr->type);

	hash = mix(mix(hash, (guint8)(addr->port >> 8)), (guint8)addr->port);
	switch (addr->type) {
	case VPNR_ADDR_NONE:
		break;
	case VPNR_ADDR_IPV4:
		return mix_bytes(hash, addr->ip4, sizeof(addr->ip4));
	case VPNR_ADDR_IPV6:
		return mix_bytes(hash, addr->ip6, sizeof(addr->ip6));
	case VPNR_ADDR_NAME:
		for (const char *c = addr->name; *c != '\0'; c++)
			hash = mix(hash, (guint8)g_ascii_tolower(*c));
		break;
	}
	return hash;
}

/* The caller's buffer may be aligned for a struct sockaddr only, hence the copies. */
VpnrAddr
vpnr_addr_from_sockaddr(const struct sockaddr *sa)
{
	VpnrAddr addr = { .type = VPNR_ADDR_NONE };
	struct sockaddr_in6 sin6;
	struct sockaddr_in sin;

	if (sa->sa_family == AF_INET) {
		memcpy(&sin, sa, sizeof(sin));
		addr.type = VPNR_ADDR_IPV4;
		addr.port = ntohs(sin.sin_port);
		memcpy(addr.ip4, &sin.sin_addr, sizeof(addr.ip4));
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&sin6, sa, sizeof(sin6));
		addr.port = ntohs(sin6.sin6_port);
		set_ip6(&addr, &sin6.sin6_addr);
	}
	return addr;
}

socklen_t
vpnr_addr_to_sockaddr(const VpnrAddr *addr, struct sockaddr_storage *ss)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(addr->port) };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = htons(addr->port) };

	memset(ss, 0, sizeof(*ss));
	switch (addr->type) {
	case VPNR_ADDR_IPV4:
		memcpy(&sin.sin_addr, addr->ip4, sizeof(addr->ip4));
		memcpy(ss, &sin, sizeof(sin));
		return sizeof(sin);
	case VPNR_ADDR_IPV6:
		memcpy(&sin6.sin6_addr, addr->ip6, sizeof(addr->ip6));
		memcpy(ss, &sin6, sizeof(sin6));
		return sizeof(sin6);
	default:
		return 0;
	}
}
