/* SPDX-License-Identifier: MIT
 *
 * meeting: see meeting.h.
 */
#include "tests/unit/link/meeting.h"

#include <sys/socket.h>

#include "link/greeting.h"

VpnrHello
meeting_hello(guint64 received)
{
	return (VpnrHello){ .version = VPNR_HELLO_VERSION,
			    .max_streams = 100,
			    .initial_window = 65536,
			    .has_session = TRUE,
			    .session = { "the one session" },
			    .received = received,
			    .software = "test" };
}

void
meeting_sockets(int *client_fd, int *server_fd)
{
	int fds[2];

	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), ==,
			0);
	*client_fd = fds[0];
	*server_fd = fds[1];
}

void
meeting_connect(Meeting *meeting)
{
	int client_fd, server_fd;

	meeting_sockets(&client_fd, &server_fd);
	meeting->client_end = vpnr_transport_new_plain(client_fd);
	meeting->server_end = vpnr_transport_new_plain(server_fd);
}

static gboolean
say_hello(VpnrSession *session, VpnrTransport *transport, gint lie)
{
	VpnrHello hello = meeting_hello(vpnr_session_received(session) + (guint64)lie);

	return vpnr_greeting_send(transport, &hello, NULL);
}

/* The peer's HELLO has come: the session goes on with this link (transport: transfer full). */
static MeetingResult
attach(VpnrSession *session, VpnrTransport **transport, const VpnrHello *hello, GByteArray *early)
{
	g_autoptr(GError) error = NULL;

	if (!vpnr_session_can_resume(session, hello->received))
		return MEETING_REFUSED;
	vpnr_session_attach(session, g_steal_pointer(transport), early, hello->received, &error);
	g_assert_no_error(error);
	return MEETING_HELD;
}

static MeetingResult
serve(Meeting *meeting)
{
	g_autoptr(GByteArray) early = g_byte_array_new();
	VpnrHello hello;

	if (!vpnr_greeting_receive(meeting->server_end, &hello, early, VPNR_GREETING_TIMEOUT_MS, -1,
				   NULL) ||
	    !say_hello(meeting->server, meeting->server_end, meeting->lie))
		return MEETING_BROKEN;
	return attach(meeting->server, &meeting->server_end, &hello, early);
}

static MeetingResult
finish(Meeting *meeting)
{
	g_autoptr(GByteArray) early = g_byte_array_new();
	VpnrHello hello;

	if (!vpnr_greeting_receive(meeting->client_end, &hello, early, VPNR_GREETING_TIMEOUT_MS, -1,
				   NULL))
		return MEETING_BROKEN;
	return attach(meeting->client, &meeting->client_end, &hello, early);
}

MeetingResult
meeting_hold(Meeting *meeting)
{
	MeetingResult result = MEETING_BROKEN;

	if (say_hello(meeting->client, meeting->client_end, 0))
		result = serve(meeting);
	if (result == MEETING_HELD)
		result = finish(meeting);
	g_clear_pointer(&meeting->client_end, vpnr_transport_free);
	g_clear_pointer(&meeting->server_end, vpnr_transport_free);
	return result;
}
