/* SPDX-License-Identifier: MIT
 *
 * network: prefixes and what is inside them. Pure functions, any thread.
 */
#include "base/network.h"

#include <arpa/inet.h>
#include <string.h>

/* Bytes before the IPv4 address in an IPv4-mapped IPv6 address (RFC 4291, section 2.5.5.2). */
static const guint8 mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

static gboolean
same_prefix(const guint8 *a, const guint8 *b, guint bits)
{
	guint bytes = bits / 8;
	guint8 mask = (guint8)(0xff00 >> (bits % 8));

	if (memcmp(a, b, bytes) != 0)
		return FALSE;
	return mask == 0 || ((a[bytes] ^ b[bytes]) & mask) == 0;
}

static gboolean
has_bits_past(const VpnrNetwork *network, guint size)
{
	guint8 bits = (guint8)(0xff >> (network->prefix % 8));

	for (guint i = network->prefix / 8; i < size; i++, bits = 0xff)
		if ((network->bytes[i] & bits) != 0)
			return TRUE;
	return FALSE;
}

/* TRUE if an IPv4-mapped address, of n bytes, stands before "/BITS". Its bits count from where IPv6
 * begins, and who denies ::ffff:0:0/96 may not mean to deny all of IPv4. */
static gboolean
is_mapped(const char *text, gsize n, const VpnrAddr *addr)
{
	return addr->type == VPNR_ADDR_IPV4 && text[n] == '/' && memchr(text, ':', n) != NULL;
}

/* text is "ADDRESS" or "ADDRESS/BITS". */
gboolean
vpnr_network_read(const char *text, VpnrNetwork *network, const char **why)
{
	gsize n = strcspn(text, "/");
	VpnrNetwork parsed;
	guint64 bits;
	guint size;
	VpnrAddr addr;

	*why = "is not an address or ADDRESS/BITS without bits past the prefix";
	if (!vpnr_addr_from_host(text, n, 0, &addr) || addr.type == VPNR_ADDR_NAME)
		return FALSE;
	if (is_mapped(text, n, &addr)) {
		*why = "is an IPv4 network in the form of IPv6: write it in its own";
		return FALSE;
	}
	size = addr.type == VPNR_ADDR_IPV4 ? sizeof(addr.ip4) : sizeof(addr.ip6);

	bits = size * 8;
	if (text[n] == '/' && !g_ascii_string_to_unsigned(text + n + 1, 10, 0, bits, &bits, NULL))
		return FALSE;
	parsed = (VpnrNetwork){ .type = addr.type, .prefix = (guint8)bits };
	memcpy(parsed.bytes, addr.ip6, size); /* ip4 begins where ip6 does */
	if (has_bits_past(&parsed, size))
		return FALSE;
	*network = parsed;
	return TRUE;
}

gboolean
vpnr_network_parse(const char *text, VpnrNetwork *network, GError **error)
{
	const char *why;

	if (vpnr_network_read(text, network, &why))
		return TRUE;
	g_set_error(error, VPNR_ADDR_ERROR, VPNR_ADDR_ERROR_INVALID, "\"%s\" %s", text, why);
	return FALSE;
}

const char *
vpnr_network_format(const VpnrNetwork *network, char buf[static VPNR_NETWORK_STRLEN])
{
	gboolean v4 = network->type == VPNR_ADDR_IPV4;

	inet_ntop(v4 ? AF_INET : AF_INET6, network->bytes, buf, VPNR_NETWORK_STRLEN);
	if (network->prefix < (v4 ? 32 : 128)) {
		gsize n = strlen(buf);

		g_snprintf(buf + n, VPNR_NETWORK_STRLEN - n, "/%u", network->prefix);
	}
	return buf;
}

gboolean
vpnr_network_contains(const VpnrNetwork *network, const VpnrAddr *addr)
{
	switch (addr->type) {
	case VPNR_ADDR_IPV4:
		return network->type == VPNR_ADDR_IPV4 &&
		       same_prefix(network->bytes, addr->ip4, network->prefix);
	case VPNR_ADDR_IPV6:
		if (memcmp(addr->ip6, mapped_prefix, sizeof(mapped_prefix)) == 0)
			return network->type == VPNR_ADDR_IPV4 &&
			       same_prefix(network->bytes, addr->ip6 + sizeof(mapped_prefix),
					   network->prefix);
		return network->type == VPNR_ADDR_IPV6 &&
		       same_prefix(network->bytes, addr->ip6, network->prefix);
	default:
		return FALSE;
	}
}

gboolean
vpnr_network_covers(const VpnrNetwork *outer, const VpnrNetwork *inner)
{
	return outer->type == inner->type && outer->prefix <= inner->prefix &&
	       same_prefix(outer->bytes, inner->bytes, outer->prefix);
}
