/* SPDX-License-Identifier: MIT
 *
 * dns: see dns.h.
 */
#include "client/dns.h"

#include <string.h>

#include "proto/frame.h"

/* IPv6 has brackets without a port, too, as everywhere: without them 2001:db8::53:5353 would be
 * another address than what was meant. */
static gboolean
parse_address(const char *text, VpnrAddr *addr)
{
	return vpnr_addr_parse(text, VPNR_RESOLVER_PORT, addr, NULL) &&
	       addr->type != VPNR_ADDR_NAME;
}

gboolean
vpnr_dns_parse(const char *text, VpnrDns *dns, GError **error)
{
	VpnrDns parsed = { .who = VPNR_DNS_ADDRESS };

	if (strcmp(text, "original") == 0)
		parsed.who = VPNR_DNS_ORIGINAL;
	else if (strcmp(text, "server") == 0)
		parsed.who = VPNR_DNS_SERVER;
	else if (!parse_address(text, &parsed.address)) {
		g_set_error(error, VPNR_ADDR_ERROR, VPNR_ADDR_ERROR_INVALID,
			    "\"%s\" is neither original nor server nor of the form ADDRESS, "
			    "ADDRESS:PORT, [IPV6-ADDRESS] or [IPV6-ADDRESS]:PORT",
			    text);
		return FALSE;
	}
	*dns = parsed;
	return TRUE;
}

static gboolean
is_loopback(const VpnrAddr *addr)
{
	static const guint8 loopback6[16] = { [15] = 1 };

	return (addr->type == VPNR_ADDR_IPV4 && addr->ip4[0] == 127) ||
	       (addr->type == VPNR_ADDR_IPV6 && memcmp(addr->ip6, loopback6, 16) == 0);
}

static VpnrAddr
server_resolver(void)
{
	VpnrAddr resolver = { .type = VPNR_ADDR_NAME, .port = VPNR_RESOLVER_PORT };

	g_strlcpy(resolver.name, VPNR_RESOLVER_NAME, sizeof resolver.name);
	return resolver;
}

VpnrAddr
vpnr_dns_route(const VpnrDns *dns, const VpnrAddr *dest)
{
	if (dest->port != VPNR_RESOLVER_PORT)
		return *dest;
	switch (dns->who) {
	case VPNR_DNS_ORIGINAL:
		return is_loopback(dest) ? server_resolver() : *dest;
	case VPNR_DNS_SERVER:
		return server_resolver();
	case VPNR_DNS_ADDRESS:
		return dns->address;
	}
	return *dest;
}
