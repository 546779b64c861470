/* SPDX-License-Identifier: MIT
 *
 * greeting: see greeting.h.
 */
#include "link/greeting.h"

#include <poll.h>

#include "base/deadline.h"
#include "proto/v2.h"

/* Bytes that are read at once: whatever the peer has sent behind its HELLO, this bounds what is
 * kept. Not less than the longest HELLO. */
#define CHUNK 4096

/* Threads would race for the variable in which G_DEFINE_QUARK keeps it. */
GQuark
vpnr_greeting_error_quark(void)
{
	return g_quark_from_static_string("vpnr-greeting-error");
}

static gboolean
fail(GError **error, VpnrGreetingError code, const char *text)
{
	g_set_error_literal(error, VPNR_GREETING_ERROR, (gint)code, text);
	return FALSE;
}

static gboolean
send_frame(VpnrTransport *transport, const VpnrFrame *frame)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	vpnr_v2_encode(frame, bytes);
	return vpnr_transport_send(transport, bytes->data, bytes->len);
}

gboolean
vpnr_greeting_send(VpnrTransport *transport, const VpnrHello *hello, GError **error)
{
	g_autoptr(VpnrFrame) frame = vpnr_frame_new(VPNR_FRAME_HELLO, 0, 0);

	frame->hello = vpnr_hello_copy(hello);
	if (!send_frame(transport, frame))
		return fail(error, VPNR_GREETING_ERROR_LOST, "the connection broke before HELLO");
	return TRUE;
}

/* Appends what comes next. The transport may have bytes that poll() does not see, so it is asked
 * first. */
static gboolean
receive(VpnrTransport *transport, GByteArray *bytes, gint64 deadline, int cancel_fd, GError **error)
{
	guint8 chunk[CHUNK];
	struct pollfd fds[2] = { { .fd = transport->fd, .events = POLLIN },
				 { .fd = cancel_fd, .events = POLLIN } };

	for (;;) {
		gssize got = vpnr_transport_recv(transport, chunk, sizeof chunk, 0);
		int left;

		if (got > 0) {
			g_byte_array_append(bytes, chunk, (guint)got);
			return TRUE;
		}
		if (got == VPNR_TRANSPORT_END)
			return fail(error, VPNR_GREETING_ERROR_LOST,
				    "the peer closed the connection");
		if (got == VPNR_TRANSPORT_FAILED)
			return fail(error, VPNR_GREETING_ERROR_LOST,
				    vpnr_transport_error(transport));
		left = vpnr_deadline_left(deadline);
		if (left == 0)
			return fail(error, VPNR_GREETING_ERROR_LOST, "no HELLO in time");
		poll(fds, G_N_ELEMENTS(fds), got == VPNR_TRANSPORT_MORE ? 0 : left);
		if (fds[1].revents != 0)
			return fail(error, VPNR_GREETING_ERROR_CANCELLED, "cancelled");
	}
}

static gboolean
take_hello(const VpnrFrame *frame, VpnrHello *hello, GError **error)
{
	if (frame->type == VPNR_FRAME_HELLO) {
		*hello = *frame->hello;
		return TRUE;
	}
	if (frame->type == VPNR_FRAME_GOAWAY)
		return fail(error, VPNR_GREETING_ERROR_GOAWAY, vpnr_reason_text(frame->reason));
	return fail(error, VPNR_GREETING_ERROR_VIOLATION, "a frame before HELLO");
}

gboolean
vpnr_greeting_receive(VpnrTransport *transport, VpnrHello *hello, GByteArray *early, int timeout_ms,
		      int cancel_fd, GError **error)
{
	gint64 deadline = vpnr_deadline_after(timeout_ms);
	g_autoptr(VpnrFrame) frame = NULL;
	const char *why = NULL;
	gsize used = 0;

	for (;;) {
		VpnrDecode result = vpnr_v2_decode(early->data, early->len, &frame, &used, &why);

		if (result == VPNR_DECODE_BAD)
			return fail(error, VPNR_GREETING_ERROR_VIOLATION, why);
		if (result == VPNR_DECODE_OK)
			break;
		if (early->len >= CHUNK)
			return fail(error, VPNR_GREETING_ERROR_VIOLATION, "a frame before HELLO");
		if (!receive(transport, early, deadline, cancel_fd, error))
			return FALSE;
	}
	g_byte_array_remove_range(early, 0, (guint)used);
	return take_hello(frame, hello, error);
}

void
vpnr_greeting_refuse(VpnrTransport *transport, VpnrReason reason)
{
	g_autoptr(VpnrFrame) frame = vpnr_frame_new(VPNR_FRAME_GOAWAY, 0, 0);

	frame->reason = reason;
	if (send_frame(transport, frame))
		vpnr_transport_finish(transport);
}
