/* SPDX-License-Identifier: MIT
 *
 * unhurried: linked with --wrap=vpnr_writer_join, so that the writer of a session that ends has as
 * long as a test has patience to say GOAWAY to a peer that is there. The half second that a session
 * gives it is enough for a network, and not for a machine that is too busy to run it at all.
 */
#include <poll.h>

#include "link/writer.h"
#include "tests/unit/patience.h"

void __real_vpnr_writer_join(VpnrWriter *writer, VpnrTransport *transport, int patience_ms);
void __wrap_vpnr_writer_join(VpnrWriter *writer, VpnrTransport *transport, int patience_ms);

static gboolean
peer_is_there(const VpnrTransport *transport)
{
	struct pollfd pfd = { .fd = transport->fd, .events = POLLRDHUP };

	return poll(&pfd, 1, 0) == 0;
}

void
__wrap_vpnr_writer_join(VpnrWriter *writer, VpnrTransport *transport, int patience_ms)
{
	if (patience_ms > 0 && peer_is_there(transport))
		patience_ms = PATIENCE_MS;
	__real_vpnr_writer_join(writer, transport, patience_ms);
}
