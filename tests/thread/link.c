/* SPDX-License-Identifier: MIT
 *
 * Goal: a session may be freed while the reader of its link is still busy with what the peer has
 * sent: the answers that it makes then go nowhere, and nothing that they need is gone.
 */
#include "link/session.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/thread.h"
#include "proto/codec.h"

#define N_PINGS 100

typedef struct {
	int peer; /* the far end of the link's socket */
	VpnrLatch *entered;
	VpnrLatch *leave;
} Fixture;

/* Holds the reader up, as a machine would that has given the processor to somebody else. */
static const char *
on_frame(gpointer data, VpnrFrame *frame)
{
	Fixture *fixture = data;

	vpnr_frame_free(frame);
	vpnr_latch_trip(fixture->entered);
	vpnr_latch_wait(fixture->leave, -1);
	return NULL;
}

static void
on_released(gpointer data, const VpnrFrame *frame)
{
	g_assert_not_reached();
}

static const VpnrSessionHandler handler = { .frame = on_frame, .released = on_released };

static void
append(VpnrEncoder *encoder, VpnrFrame *frame, GByteArray *bytes)
{
	vpnr_encoder_append(encoder, frame, bytes);
	vpnr_frame_free(frame);
}

/* A frame of a stream and, in the same segment, PINGs that want answers. */
static void
greet(int fd)
{
	VpnrEncoder *encoder = vpnr_encoder_new(VPNR_PROTOCOL_V2, VPNR_ROLE_CLIENT);
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	append(encoder, vpnr_frame_new(VPNR_FRAME_FIN, 1, 0), bytes);
	for (guint i = 0; i < N_PINGS; i++)
		append(encoder, vpnr_frame_new(VPNR_FRAME_PING, 0, 0), bytes);
	g_assert_cmpint(send(fd, bytes->data, bytes->len, 0), ==, bytes->len);
	vpnr_encoder_free(encoder);
}

/* The link is shut when its writer has gone and only its reader is waited for. */
static void
release_when_shut(gpointer data)
{
	Fixture *fixture = data;
	struct pollfd pollfd = { .fd = fixture->peer };

	while (poll(&pollfd, 1, -1) < 0 || (pollfd.revents & POLLHUP) == 0)
		;
	vpnr_latch_trip(fixture->leave);
}

static void
test_answers_after_the_end(void)
{
	g_autoptr(VpnrLatch) entered = vpnr_latch_new(NULL);
	g_autoptr(VpnrLatch) leave = vpnr_latch_new(NULL);
	VpnrStats stats = { 0 };
	VpnrThread *thread;
	VpnrSession *session;
	int fds[2];
	Fixture fixture = { .entered = entered, .leave = leave };

	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), ==, 0);
	fixture.peer = fds[1];
	session = vpnr_session_new(&(VpnrSessionParams){ .protocol = VPNR_PROTOCOL_V2,
							 .role = VPNR_ROLE_SERVER,
							 .handler = &handler,
							 .data = &fixture,
							 .stats = &stats },
				   NULL);
	greet(fixture.peer);
	g_assert_true(
	    vpnr_session_attach(session, vpnr_transport_new_plain(fds[0]), NULL, 0, NULL));
	vpnr_latch_wait(entered, -1);

	vpnr_session_close(session, VPNR_REASON_NONE);
	thread = vpnr_thread_start("release", release_when_shut, &fixture, NULL);
	vpnr_session_free(session);
	vpnr_thread_join(thread);
	g_assert_cmpuint(vpnr_stats_get(&stats, VPNR_STAT_FRAMES_RECEIVED), ==, N_PINGS + 1);
	close(fixture.peer);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/link/answers-after-the-end", test_answers_after_the_end);
	return g_test_run();
}
