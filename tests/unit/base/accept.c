/* SPDX-License-Identifier: MIT
 *
 * accept: who is accepted and how, what happens without descriptors, and the end.
 */
#include "base/accept.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mailbox.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

/* What the accept thread hands on. */
typedef struct {
	int fd;
	VpnrAddr peer;
	char thread[16];
} Accepted;

static void
accepted_free(gpointer data)
{
	Accepted *accepted = data;

	vpnr_fd_close(accepted->fd);
	g_free(accepted);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Accepted, accepted_free)

static void
on_accept(int fd, const VpnrAddr *peer, gpointer data)
{
	Accepted *accepted = g_new0(Accepted, 1);

	accepted->fd = fd;
	accepted->peer = *peer;
	pthread_getname_np(pthread_self(), accepted->thread, sizeof accepted->thread);
	vpnr_mailbox_push(data, accepted);
}

typedef struct {
	VpnrAddr addr;
	VpnrMailbox *box;
	VpnrAccept *acceptor;
} Bench;

static void
start(Bench *bench)
{
	g_autoptr(GError) error = NULL;

	bench->addr = loopback_private(4333);
	bench->box = vpnr_mailbox_new(accepted_free, NULL);
	bench->acceptor = vpnr_accept_new(vpnr_fd_listen(&bench->addr, &error), "accept-test",
					  on_accept, bench->box);
	g_assert_no_error(error);
	vpnr_accept_start(bench->acceptor, &error);
	g_assert_no_error(error);
}

static void
bench_clear(Bench *bench)
{
	vpnr_accept_stop(bench->acceptor);
	vpnr_mailbox_free(bench->box);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

static Accepted *
next(Bench *bench)
{
	Accepted *accepted = vpnr_mailbox_pop(bench->box, PATIENCE_MS);

	g_assert_nonnull(accepted);
	return accepted;
}

static VpnrAddr
name_of(int fd)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t length = sizeof ss;

	g_assert_cmpint(getsockname(fd, (struct sockaddr *)&ss, &length), ==, 0);
	return vpnr_addr_from_sockaddr((struct sockaddr *)&ss);
}

static void
test_accept(void)
{
	g_auto(Bench) bench;

	start(&bench);
	for (guint i = 0; i < 20; i++) {
		g_auto(VpnrFd) theirs = loopback_connect(&bench.addr);
		g_autoptr(Accepted) accepted = next(&bench);
		VpnrAddr name = name_of(theirs);

		g_assert_true(vpnr_addr_equal(&accepted->peer, &name));
		g_assert_cmpstr(accepted->thread, ==, "accept-test");
		g_assert_true(fcntl(accepted->fd, F_GETFL) & O_NONBLOCK);
		g_assert_true(fcntl(accepted->fd, F_GETFD) & FD_CLOEXEC);
		loopback_send(theirs, "x", 1);
		loopback_set_blocking(accepted->fd, TRUE);
		loopback_expect(accepted->fd, "x", 1);
	}
}

static void
test_many(void)
{
	g_auto(Bench) bench;
	int theirs[20];

	start(&bench);
	for (guint i = 0; i < G_N_ELEMENTS(theirs); i++)
		theirs[i] = loopback_connect(&bench.addr);
	for (guint i = 0; i < G_N_ELEMENTS(theirs); i++)
		accepted_free(next(&bench));
	for (guint i = 0; i < G_N_ELEMENTS(theirs); i++)
		vpnr_fd_close(theirs[i]);
}

static void
test_blocking(void)
{
	g_test_summary("A socket that was made elsewhere, and blocks, does not keep the thread.");

	g_auto(Bench) bench = { .addr = loopback_private(4333) };
	g_autoptr(GError) error = NULL;
	int fd = vpnr_fd_listen(&bench.addr, &error);
	g_auto(VpnrFd) theirs = -1;

	g_assert_no_error(error);
	loopback_set_blocking(fd, TRUE);
	bench.box = vpnr_mailbox_new(accepted_free, NULL);
	bench.acceptor = vpnr_accept_new(fd, "accept-test", on_accept, bench.box);
	vpnr_accept_start(bench.acceptor, &error);
	g_assert_no_error(error);
	theirs = loopback_connect(&bench.addr);
	accepted_free(next(&bench));
}

static void
test_not_started(void)
{
	g_test_summary("Before the start connections wait, and an end before it is an end.");

	g_auto(Bench) bench = { .addr = loopback_private(4333) };
	g_auto(VpnrFd) theirs = -1;
	int fd = vpnr_fd_listen(&bench.addr, NULL);

	vpnr_accept_stop(vpnr_accept_new(fd, "not-started", on_accept, NULL));
	bench.box = vpnr_mailbox_new(accepted_free, NULL);
	fd = vpnr_fd_listen(&bench.addr, NULL);
	bench.acceptor = vpnr_accept_new(fd, "accept-test", on_accept, bench.box);
	theirs = loopback_connect(&bench.addr);
	g_assert_null(vpnr_mailbox_try_pop(bench.box));
	g_assert_true(vpnr_accept_start(bench.acceptor, NULL));
	accepted_free(next(&bench));
}

static void
test_stop(void)
{
	g_test_summary("After the stop nobody listens, and the address is free.");

	Bench bench;
	struct sockaddr_storage ss;
	socklen_t length;
	g_auto(VpnrFd) fd = socket(AF_INET, SOCK_STREAM, 0);

	start(&bench);
	bench_clear(&bench);
	length = vpnr_addr_to_sockaddr(&bench.addr, &ss);
	g_assert_cmpint(connect(fd, (struct sockaddr *)&ss, length), ==, -1);
	g_assert_cmpint(errno, ==, ECONNREFUSED);
	start(&bench);
	bench_clear(&bench);
	vpnr_accept_stop(NULL);
}

/* Returns what it was. */
static struct rlimit
limit_descriptors(rlim_t n)
{
	struct rlimit before;

	g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
	struct rlimit low = { .rlim_cur = n, .rlim_max = before.rlim_max };
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &low), ==, 0);
	return before;
}

static void
connect_to(const Bench *bench, int fd)
{
	struct sockaddr_storage ss;
	socklen_t length = vpnr_addr_to_sockaddr(&bench->addr, &ss);

	g_assert_cmpint(connect(fd, (struct sockaddr *)&ss, length), ==, 0);
}

static void
test_no_descriptor(void)
{
	g_test_summary("Without descriptors the connection waits in the kernel, and is accepted "
		       "when there is one again.");

	g_auto(Bench) bench;
	struct rlimit before;
	g_auto(VpnrFd) theirs = -1;
	g_autoptr(Accepted) accepted = NULL;

	start(&bench);
	theirs = socket(AF_INET, SOCK_STREAM, 0);
	before = limit_descriptors((rlim_t)theirs + 1);
	connect_to(&bench, theirs);
	g_assert_null(vpnr_mailbox_pop(bench.box, 150)); /* it tries every 100 ms */
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
	accepted = next(&bench);
	g_assert_cmpint(accepted->fd, >, theirs);
}

/* How often the file has the text. */
static guint
count(const char *path, const char *what)
{
	g_autofree char *text = NULL;
	guint n = 0;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

static void
accept_three_by_one_descriptor(Bench *bench, const int theirs[static 3])
{
	for (guint i = 0; i < 3; i++)
		connect_to(bench, theirs[i]);
	for (guint i = 0; i < 3; i++) {
		g_autoptr(Accepted) accepted = next(bench);

		g_assert_nonnull(accepted);
		g_assert_null(vpnr_mailbox_pop(bench->box, 150)); /* it tries every 100 ms */
	}
}

static void
test_told_once(void)
{
	g_test_summary("That descriptors are missing is told once, until all have been accepted.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) log = -1;
	g_autofree char *path = NULL;
	int theirs[3];
	struct rlimit before;
	int standard_error = dup(STDERR_FILENO);

	start(&bench);
	log = g_file_open_tmp("vpnr-accept-XXXXXX", &path, NULL);
	for (guint i = 0; i < 3; i++)
		theirs[i] = socket(AF_INET, SOCK_STREAM, 0);
	before = limit_descriptors((rlim_t)theirs[2] + 2);
	dup2(log, STDERR_FILENO);
	accept_three_by_one_descriptor(&bench, theirs);
	dup2(standard_error, STDERR_FILENO);
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
	g_assert_cmpuint(count(path, "cannot accept connections: Too many open files\n"), ==, 1);
	g_assert_cmpint(g_unlink(path), ==, 0);
	for (guint i = 0; i < 3; i++)
		vpnr_fd_close(theirs[i]);
	vpnr_fd_close(standard_error);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/accept/accept", test_accept);
	g_test_add_func("/accept/many", test_many);
	g_test_add_func("/accept/blocking", test_blocking);
	g_test_add_func("/accept/not-started", test_not_started);
	g_test_add_func("/accept/stop", test_stop);
	g_test_add_func("/accept/no-descriptor", test_no_descriptor);
	g_test_add_func("/accept/no-descriptor/told-once", test_told_once);
	return g_test_run();
}
