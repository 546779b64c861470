/* SPDX-License-Identifier: MIT
 *
 * connect: see connect.h.
 */
#include "client/connect.h"

#include "base/deadline.h"
#include "base/dial.h"
#include "base/resolve.h"
#include "link/link.h"
#include "link/tls.h"

/* Milliseconds that a step may take, which has so many of its own. */
static int
bounded(int own_ms, gint64 deadline)
{
	int left = vpnr_deadline_left(deadline);

	return left >= 0 ? MIN(own_ms, left) : own_ms;
}

/* A connected socket to the server, or -1. */
static int
dial(const VpnrUplinkTarget *target, gint64 deadline, int cancel_fd, VpnrAddr *which,
     GError **error)
{
	VpnrDialOptions options = { .cancel = { .fd = cancel_fd } };
	g_autoptr(GArray) addrs =
	    vpnr_resolve(&target->server, bounded(VPNR_RESOLVE_TIMEOUT_MS, deadline),
			 &options.cancel, error);
	int fd;

	if (addrs == NULL)
		return -1;
	options.timeout_ms = bounded(VPNR_CONNECT_DIAL_MS, deadline);
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
	gint64 deadline = vpnr_deadline_after(max_ms);
	int fd = dial(target, deadline, cancel_fd, which, error);

	if (fd < 0)
		return NULL;
	if (target->protocol != VPNR_PROTOCOL_V2)
		return vpnr_transport_new_plain(fd);
	return vpnr_tls_handshake(fd,
				  &(VpnrTlsParams){
				      .role = VPNR_ROLE_CLIENT,
				      .private_key = &target->private_key,
				      .authorise = is_the_server,
				      .data = (gpointer)target,
				      .timeout_ms = bounded(VPNR_CONNECT_HANDSHAKE_MS, deadline),
				      .cancel_fd = cancel_fd },
				  NULL, error);
}
