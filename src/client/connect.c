/* SPDX-License-Identifier: MIT
 *
 * connect: see connect.h.
 */
#include "client/connect.h"

#include "base/dial.h"
#include "base/resolve.h"
#include "link/link.h"
#include "link/tls.h"

/* A connected socket to the server, or -1. */
static int
dial(const VpnrUplinkTarget *target, int timeout_ms, int cancel_fd, VpnrAddr *which, GError **error)
{
	VpnrCancel cancel = { .fd = cancel_fd };
	g_autoptr(GArray) addrs = vpnr_resolve(&target->server, &cancel, error);
	VpnrDialOptions options = { .timeout_ms = timeout_ms, .cancel = cancel };
	int fd;

	if (addrs == NULL)
		return -1;
	fd = vpnr_dial((VpnrAddr *)addrs->data, addrs->len, &options, which, error);
	if (fd >= 0)
		vpnr_link_prepare_socket(fd, target->protocol);
	return fd;
}

static gboolean
is_the_server(const VpnrKey *peer, gpointer data)
{
	const VpnrUplinkTarget *target = data;

	return vpnr_key_equal(peer, &target->server_public_key);
}

VpnrTransport *
vpnr_connect(const VpnrUplinkTarget *target, int max_ms, int cancel_fd, VpnrAddr *which,
	     GError **error)
{
	int timeout_ms = max_ms >= 0 ? MIN(max_ms, VPNR_CONNECT_DIAL_MS) : VPNR_CONNECT_DIAL_MS;
	int fd = dial(target, timeout_ms, cancel_fd, which, error);

	if (fd < 0)
		return NULL;
	if (target->protocol != VPNR_PROTOCOL_V2)
		return vpnr_transport_new_plain(fd);
	return vpnr_tls_handshake(fd,
				  &(VpnrTlsParams){ .role = VPNR_ROLE_CLIENT,
						    .private_key = &target->private_key,
						    .authorise = is_the_server,
						    .data = (gpointer)target,
						    .timeout_ms = VPNR_CONNECT_HANDSHAKE_MS,
						    .cancel_fd = cancel_fd },
				  NULL, error);
}
