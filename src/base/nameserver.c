/* SPDX-License-Identifier: MIT
 *
 * nameserver: see nameserver.h. c-ares is asked, since it is what looks names up here.
 */
#include "base/nameserver.h"

/* Newer versions want the servers to be asked for as text, which does not parse itself. */
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <netinet/in.h>
#include <string.h>

#include "base/resolve.h"

#define PORT 53

G_DEFINE_AUTO_CLEANUP_FREE_FUNC(ares_channel, ares_destroy, NULL)

static VpnrAddr
addr_of(const struct ares_addr_port_node *server)
{
	gboolean ipv4 = server->family == AF_INET;
	VpnrAddr addr = { .type = ipv4 ? VPNR_ADDR_IPV4 : VPNR_ADDR_IPV6,
			  .port = server->udp_port != 0 ? (guint16)server->udp_port : PORT };

	if (ipv4)
		memcpy(addr.ip4, &server->addr.addr4, sizeof addr.ip4);
	else
		memcpy(addr.ip6, &server->addr.addr6, sizeof addr.ip6);
	return addr;
}

static GArray *
fail(int status, GError **error)
{
	g_set_error(error, VPNR_RESOLVE_ERROR,
		    status == ARES_SUCCESS ? VPNR_RESOLVE_ERROR_NOT_FOUND
					   : VPNR_RESOLVE_ERROR_FAILED,
		    "this machine has no name server: %s",
		    status == ARES_SUCCESS ? "none is configured" : ares_strerror(status));
	return NULL;
}

GArray *
vpnr_nameserver_list(GError **error)
{
	g_auto(ares_channel) channel = NULL;
	struct ares_addr_port_node *servers = NULL;
	int status = ares_init(&channel);
	GArray *list;

	if (status == ARES_SUCCESS)
		status = ares_get_servers_ports(channel, &servers);
	if (status != ARES_SUCCESS || servers == NULL)
		return fail(status, error);
	list = g_array_new(FALSE, FALSE, sizeof(VpnrAddr));
	for (const struct ares_addr_port_node *s = servers; s != NULL; s = s->next) {
		VpnrAddr addr = addr_of(s);

		g_array_append_val(list, addr);
	}
	ares_free_data(servers);
	return list;
}
