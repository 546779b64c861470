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
dial(const VpnrUplinkTarget *target, VpnrLookup *lookup, gint64 deadline, int cancel_fd,
     GError **error)
{
	VpnrDialOptions options = { .mark = target->link_mark, .cancel = { .fd = cancel_fd } };
	VpnrLookupParams params = { .server = target->server,
				    .mark = target->link_mark,
				    .timeout_ms = bounded(VPNR_RESOLVE_TIMEOUT_MS, deadline),
				    .cancel = options.cancel };
	const GArray *addrs = vpnr_lookup_find(lookup, &params, error);
	VpnrAddr which = target->server;
	int fd;

	if (addrs == NULL)
		return -1;
	options.timeout_ms = bounded(VPNR_CONNECT_DIAL_MS, deadline);
	fd = vpnr_dial((const VpnrAddr *)addrs->data, addrs->len, &options, &which, error);
	vpnr_lookup_set_dialled(lookup, &which);
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
vpnr_connect(const VpnrUplinkTarget *target, VpnrLookup *lookup, int max_ms, int cancel_fd,
	     GError **error)
{
	gint64 deadline = vpnr_deadline_after(max_ms);
	int fd = dial(target, lookup, deadline, cancel_fd, error);

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
