/* SPDX-License-Identifier: MIT
 *
 * outflow: order and number of the bytes, whatever the frames and the socket do, and the memory
 * that frames take.
 *
 * Linked with the wraps of alive.h.
 */
#include "stream/outflow.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "tests/unit/loopback.h"
#include "tests/unit/stream/alive.h"

/* A socket that takes little, and its other end. */
typedef struct {
	VpnrFd ours;
	VpnrFd theirs;
} Pipe;

static void
pipe_clear(Pipe *pipe)
{
	vpnr_fd_close(pipe->ours);
	vpnr_fd_close(pipe->theirs);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pipe, pipe_clear)

static Pipe
make_pipe(void)
{
	int fds[2];
	int least = 1;

	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), ==,
			0);
	g_assert_cmpint(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &least, sizeof least), ==, 0);
	return (Pipe){ fds[0], fds[1] };
}

static void
push(VpnrOutflow *outflow, guint64 offset, gsize n)
{
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_DATA, 1, n);

	pattern_fill(frame->data, offset, n);
	vpnr_outflow_push(outflow, frame);
}

/* Reads what there is, which must be the pattern from *offset on, and moves *offset behind it. */
static void
drain(const Pipe *pipe, guint64 *offset)
{
	guint8 bytes[4096];
	gssize got;

	while ((got = recv(pipe->theirs, bytes, sizeof bytes, 0)) > 0) {
		g_assert_true(pattern_matches(bytes, *offset, (gsize)got));
		*offset += (guint64)got;
	}
	g_assert_cmpint(errno, ==, EAGAIN);
}

static void
test_empty(void)
{
	g_auto(VpnrOutflow) outflow = { 0 };
	g_auto(Pipe) pipe = make_pipe();
	gsize written = 1;

	g_assert_true(vpnr_outflow_is_empty(&outflow));
	g_assert_true(vpnr_outflow_write(&outflow, pipe.ours, &written));
	g_assert_cmpuint(written, ==, 0);
}

static void
test_write(void)
{
	g_auto(VpnrOutflow) outflow = { 0 };
	g_auto(Pipe) pipe = make_pipe();
	guint64 received = 0;
	gsize written;

	push(&outflow, 0, 10);
	g_assert_false(vpnr_outflow_is_empty(&outflow));
	push(&outflow, 10, 1);
	g_assert_true(vpnr_outflow_write(&outflow, pipe.ours, &written));
	g_assert_cmpuint(written, ==, 11);
	g_assert_true(vpnr_outflow_is_empty(&outflow));
	drain(&pipe, &received);
	g_assert_cmpuint(received, ==, 11);
}

static gsize
random_size(void)
{
	static const gsize most[] = { 3, 100, 4096, 4097, 30000, VPNR_DATA_MAX };

	return (gsize)
	    g_test_rand_int_range(1, (gint)most[g_test_rand_int_range(0, G_N_ELEMENTS(most))] + 1);
}

static void
test_random(void)
{
	g_test_summary("Any sizes, written to a socket that takes a little at a time, now and "
		       "then.");

	gint before = alive_frames();
	g_auto(VpnrOutflow) outflow = { 0 };
	g_auto(Pipe) pipe = make_pipe();
	guint64 pushed = 0, written = 0, received = 0;

	while (pushed < 20 * 1024 * 1024 || !vpnr_outflow_is_empty(&outflow)) {
		gsize n = random_size();
		gsize now;

		if (pushed < 20 * 1024 * 1024) {
			push(&outflow, pushed, n);
			pushed += n;
		}
		if (g_test_rand_int_range(0, 3) == 0)
			continue;
		g_assert_true(vpnr_outflow_write(&outflow, pipe.ours, &now));
		written += now;
		drain(&pipe, &received);
		g_assert_cmpuint(received, ==, written);
	}
	g_assert_cmpuint(written, ==, pushed);
	g_assert_cmpint(alive_frames(), ==, before);
}

static void
test_small_frames(void)
{
	g_test_summary("What frames of one byte cost in memory stays near their bytes.");

	gint before = alive_frames();
	g_auto(VpnrOutflow) outflow = { 0 };
	g_auto(Pipe) pipe = make_pipe();
	guint64 received = 0;
	gsize written = 1;

	for (guint i = 0; i < 100000; i++)
		push(&outflow, i, 1);
	g_assert_cmpint(alive_frames() - before, <=, 1 + 100000 / 16384 + 1);
	while (!vpnr_outflow_is_empty(&outflow)) {
		g_assert_cmpuint(written, >, 0);
		g_assert_true(vpnr_outflow_write(&outflow, pipe.ours, &written));
		drain(&pipe, &received);
	}
	g_assert_cmpuint(received, ==, 100000);
	g_assert_cmpint(alive_frames(), ==, before);
}

static gsize
memory_of(const VpnrOutflow *outflow)
{
	gsize n = 0;

	for (GList *l = outflow->frames.head; l != NULL; l = l->next)
		n += malloc_usable_size(l->data);
	return n;
}

static void
test_mixed_frames(void)
{
	g_test_summary("Nor do small and long frames in turn cost more.");

	gint before = alive_frames();
	g_auto(VpnrOutflow) outflow = { 0 };
	g_auto(Pipe) pipe = make_pipe();
	guint64 pushed = 0, received = 0;
	gsize written;

	for (guint i = 0; i < 1000; i++) {
		push(&outflow, pushed, 4097);
		push(&outflow, pushed + 4097, 1);
		pushed += 4098;
	}
	g_assert_cmpuint(memory_of(&outflow), <=, pushed + pushed / 10);
	while (!vpnr_outflow_is_empty(&outflow)) {
		g_assert_true(vpnr_outflow_write(&outflow, pipe.ours, &written));
		g_assert_cmpuint(written, >, 0);
		drain(&pipe, &received);
	}
	g_assert_cmpuint(received, ==, pushed);
	g_assert_cmpint(alive_frames(), ==, before);
}

static void
test_full_socket(void)
{
	g_test_summary("A socket that takes nothing is no error, and nothing is lost.");

	g_auto(VpnrOutflow) outflow = { 0 };
	g_auto(Pipe) pipe = make_pipe();
	guint64 received = 0;
	gsize first, second;

	for (guint i = 0; i < 20; i++)
		push(&outflow, i * (guint64)VPNR_DATA_MAX, VPNR_DATA_MAX);
	g_assert_true(vpnr_outflow_write(&outflow, pipe.ours, &first));
	g_assert_cmpuint(first, <, 20 * VPNR_DATA_MAX);
	g_assert_true(vpnr_outflow_write(&outflow, pipe.ours, &second));
	g_assert_cmpuint(second, ==, 0);
	drain(&pipe, &received);
	g_assert_cmpuint(received, ==, first);
	g_assert_false(vpnr_outflow_is_empty(&outflow)); /* AddressSanitizer: the rest is freed */
}

static void
test_broken_socket(void)
{
	g_auto(VpnrOutflow) outflow = { 0 };
	g_auto(Pipe) pipe = make_pipe();
	gsize written = 1;

	vpnr_fd_close(vpnr_fd_steal(&pipe.theirs));
	push(&outflow, 0, 100);
	errno = 0;
	g_assert_false(vpnr_outflow_write(&outflow, pipe.ours, &written));
	g_assert_cmpint(errno, ==, EPIPE);
	g_assert_cmpuint(written, ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/outflow/empty", test_empty);
	g_test_add_func("/outflow/write", test_write);
	g_test_add_func("/outflow/random", test_random);
	g_test_add_func("/outflow/small-frames", test_small_frames);
	g_test_add_func("/outflow/mixed-frames", test_mixed_frames);
	g_test_add_func("/outflow/full-socket", test_full_socket);
	g_test_add_func("/outflow/broken-socket", test_broken_socket);
	return g_test_run();
}
