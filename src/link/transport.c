/* SPDX-License-Identifier: MIT
 *
 * transport: see transport.h. The plain kind lives here too; it is wire.h with a class around it.
 */
#include "link/transport.h"

#include <errno.h>
#include <linux/tcp.h> /* the C library's tcp_info has no tcpi_min_rtt */
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "link/batch.h"
#include "proto/v2.h"

/* Bytes of the largest batch: the frame that fills it may go beyond, and each record adds 22 (RFC
 * 8446, section 5.2), of which small frames in between large ones may make some more. */
#define ROOM (VPNR_BATCH_MAX + VPNR_V2_FRAME_MAX + 4096)

/* us of a round trip. */
#define FAR 10000

static gboolean
plain_put(VpnrTransport *transport, const guint8 *bytes, gsize n)
{
	g_byte_array_append(transport->gathered, bytes, (guint)n);
	return TRUE;
}

static gssize
plain_recv(VpnrTransport *transport, guint8 *bytes, gsize n, int timeout_ms)
{
	gssize got = vpnr_wire_recv(&transport->input, bytes, n, timeout_ms);

	if (got == VPNR_WIRE_FAILED) {
		g_strlcpy(transport->error, g_strerror(errno), sizeof transport->error);
		return VPNR_TRANSPORT_FAILED;
	}
	return got == VPNR_WIRE_IDLE ? VPNR_TRANSPORT_IDLE : got;
}

static void
plain_finish(VpnrTransport *transport)
{
	shutdown(transport->fd, SHUT_WR);
}

static void
plain_free(VpnrTransport *transport)
{
	g_free(transport);
}

static const VpnrTransportClass plain_class = {
	.put = plain_put,
	.flush = vpnr_transport_send_gathered,
	.recv = plain_recv,
	.finish = plain_finish,
	.free = plain_free,
};

VpnrTransport *
vpnr_transport_new_plain(int fd)
{
	VpnrTransport *transport = g_new0(VpnrTransport, 1);

	vpnr_transport_init(transport, &plain_class, fd);
	return transport;
}

void
vpnr_transport_init(VpnrTransport *transport, const VpnrTransportClass *class, int fd)
{
	transport->class = class;
	transport->fd = fd;
	transport->gathered = g_byte_array_sized_new(ROOM);
	transport->input = (VpnrWireInput){ .fd = fd, .cancel_fd = -1 };
}

/* Not the mean, which a queue makes long, and a receiver that puts off what it acknowledges. */
gboolean
vpnr_transport_is_far(const VpnrTransport *transport)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof info;

	return getsockopt(transport->fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
	       info.tcpi_min_rtt >= FAR;
}

void
vpnr_transport_limit_unsent(VpnrTransport *transport, gsize bytes)
{
	vpnr_fd_set_notsent_lowat(transport->fd, (guint)bytes);
}

gsize
vpnr_transport_under_way(const VpnrTransport *transport)
{
	return vpnr_fd_under_way(transport->fd);
}

gboolean
vpnr_transport_put(VpnrTransport *transport, const guint8 *bytes, gsize n)
{
	return transport->class->put(transport, bytes, n);
}

gboolean
vpnr_transport_flush(VpnrTransport *transport)
{
	return transport->class->flush(transport);
}

gboolean
vpnr_transport_send(VpnrTransport *transport, const guint8 *bytes, gsize n)
{
	return vpnr_transport_put(transport, bytes, n) && vpnr_transport_flush(transport);
}

gboolean
vpnr_transport_send_gathered(VpnrTransport *transport)
{
	GByteArray *gathered = transport->gathered;
	gboolean ok = vpnr_wire_send(transport->fd, gathered->data, gathered->len);

	g_byte_array_set_size(gathered, 0); /* keeps its room */
	return ok;
}

gssize
vpnr_transport_recv(VpnrTransport *transport, guint8 *bytes, gsize n, int timeout_ms)
{
	return transport->class->recv(transport, bytes, n, timeout_ms);
}

void
vpnr_transport_finish(VpnrTransport *transport)
{
	transport->class->finish(transport);
}

void
vpnr_transport_shut(VpnrTransport *transport)
{
	shutdown(transport->fd, SHUT_RDWR);
}

const char *
vpnr_transport_error(const VpnrTransport *transport)
{
	return transport->error;
}

void
vpnr_transport_free(VpnrTransport *transport)
{
	GByteArray *gathered;
	int fd;

	if (transport == NULL)
		return;
	gathered = transport->gathered;
	fd = transport->fd;
	transport->class->free(transport);
	g_byte_array_unref(gathered);
	vpnr_fd_close(fd);
}
