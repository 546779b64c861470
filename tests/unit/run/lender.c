/* SPDX-License-Identifier: MIT
 *
 * lender: sockets on request, from one thread to another.
 */
#include "run/lender.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fds.h"
#include "base/thread.h"

static int ends[2];

static void
serve_all(gpointer data)
{
	while (vpnr_lender_serve(ends[1]))
		;
	close(ends[1]);
}

static VpnrAddr
address_of(int fd, int (*get)(int fd, struct sockaddr *address, socklen_t *size))
{
	struct sockaddr_storage ss = { 0 };
	socklen_t size = sizeof ss;

	g_assert_cmpint(get(fd, (struct sockaddr *)&ss, &size), ==, 0);
	return vpnr_addr_from_sockaddr((struct sockaddr *)&ss);
}

static int
get_name(int fd, struct sockaddr *address, socklen_t *size)
{
	return getsockname(fd, address, size);
}

static int
get_peer(int fd, struct sockaddr *address, socklen_t *size)
{
	return getpeername(fd, address, size);
}

static void
test_ask(void)
{
	VpnrAddr local, peer, mixed;

	g_assert_true(vpnr_addr_parse("127.0.0.53:5353", 0, &local, NULL));
	g_assert_true(vpnr_addr_parse("127.0.0.1:4000", 0, &peer, NULL));
	g_assert_true(vpnr_addr_parse("[::1]:4000", 0, &mixed, NULL));
	g_assert_true(vpnr_lender_pair(ends, NULL));
	VpnrThread *thread = vpnr_thread_start("lender", serve_all, NULL, NULL);
	for (int i = 0; i < 2; i++) {
		g_auto(VpnrFd) fd = vpnr_lender_ask(ends[0], &local, &peer);
		g_auto(VpnrFd) beside = vpnr_lender_ask(ends[0], &local, &peer);

		g_assert_cmpint(fd, >=, 0);
		g_assert_cmpint(beside, >=, 0);
		VpnrAddr name = address_of(fd, get_name), other = address_of(fd, get_peer);
		g_assert_true(vpnr_addr_equal(&name, &local));
		g_assert_true(vpnr_addr_equal(&other, &peer));
	}
	g_assert_cmpint(vpnr_lender_ask(ends[0], &local, &mixed), ==, -1);
	close(ends[0]);
	vpnr_thread_join(thread);
}

/* data: the socket that it is lent (int). */
static void
ask(gpointer data)
{
	VpnrAddr local, peer;

	g_assert_true(vpnr_addr_parse("127.0.0.53:5354", 0, &local, NULL));
	g_assert_true(vpnr_addr_parse("127.0.0.1:4000", 0, &peer, NULL));
	*(int *)data = vpnr_lender_ask(ends[0], &local, &peer);
}

static void
test_many(void)
{
	g_test_summary("Who finds the socket full of requests waits until there is room.");

	int fd = -1;

	g_assert_true(vpnr_lender_pair(ends, NULL));
	g_assert_cmpint(fcntl(ends[0], F_SETFL, O_NONBLOCK), ==, 0);
	while (send(ends[0], "x", 1, 0) == 1)
		;
	g_assert_cmpint(errno, ==, EAGAIN);
	VpnrThread *asking = vpnr_thread_start("ask", ask, &fd, NULL);
	VpnrThread *thread = vpnr_thread_start("lender", serve_all, NULL, NULL);
	vpnr_thread_join(asking);
	g_assert_cmpint(fd, >=, 0);
	vpnr_fd_close(fd);
	close(ends[0]);
	vpnr_thread_join(thread);
}

/* Requests that make no sense are answered by the end of the answer's socket. */
static void
test_bad(void)
{
	static const char *const requests[] = { "x", "127.0.0.1:1", "127.0.0.1 127.0.0.1:2",
						"a.test:1 b.test:2" };
	char byte;

	g_assert_true(vpnr_lender_pair(ends, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(requests); i++) {
		int answer[2];

		g_assert_true(vpnr_lender_pair(answer, NULL));
		VpnrFds fds = { { answer[1] }, 1 };
		g_assert_true(vpnr_fds_send(ends[0], requests[i], strlen(requests[i]), &fds));
		close(answer[1]);
		g_assert_true(vpnr_lender_serve(ends[1]));
		g_assert_cmpint(recv(answer[0], &byte, 1, 0), ==, 0);
		close(answer[0]);
	}
	g_assert_cmpint(send(ends[0], "x", 1, 0), ==, 1);
	g_assert_true(vpnr_lender_serve(ends[1]));
	close(ends[0]);
	g_assert_false(vpnr_lender_serve(ends[1]));
	close(ends[1]);
}

static void
test_nobody(void)
{
	VpnrAddr local;

	g_assert_true(vpnr_addr_parse("127.0.0.53:5353", 0, &local, NULL));
	g_assert_true(vpnr_lender_pair(ends, NULL));
	close(ends[1]);
	g_assert_cmpint(vpnr_lender_ask(ends[0], &local, &local), ==, -1);
	close(ends[0]);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/lender/ask", test_ask);
	g_test_add_func("/lender/many", test_many);
	g_test_add_func("/lender/bad", test_bad);
	g_test_add_func("/lender/nobody", test_nobody);
	return g_test_run();
}
