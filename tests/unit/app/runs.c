/* SPDX-License-Identifier: MIT
 *
 * runs: which sockets are served, and how long.
 *
 * Linked with --wrap=getsockopt, so that a socket can seem to be transparent, which takes a
 * privilege.
 */
#include "app/runs.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "run/lender.h"
#include "tests/unit/loopback.h"

static gboolean transparent = TRUE;

int __real_getsockopt(int fd, int level, int option, void *value, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *size);

int
__wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *size)
{
	if (level != SOL_IP || option != IP_TRANSPARENT)
		return __real_getsockopt(fd, level, option, value, size);
	memcpy(value, &transparent, sizeof transparent);
	return 0;
}

typedef struct {
	VpnrStats stats;
	VpnrPool *pool;
	VpnrRuns *runs;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
	fixture->pool = vpnr_pool_new("pool", 4);
	fixture->runs =
	    vpnr_runs_new(&(VpnrInboundParams){ .pool = fixture->pool, .stats = &fixture->stats },
			  &(VpnrUdpInboundParams){ .pool = fixture->pool,
						   .stats = &fixture->stats });
	transparent = TRUE;
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
	vpnr_pool_free(fixture->pool);
	vpnr_runs_free(fixture->runs);
}

/* A connection to the socket's own address is a loop, and so is refused without a link. */
static void
test_serve(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	VpnrFds fds = { 0 };
	VpnrAddr addr;

	fds.fd[fds.n++] = loopback_listen(8, &addr);
	VpnrRun *run = vpnr_runs_begin(fixture->runs, &fds, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(fds.n, ==, 0);
	g_assert_cmpuint(vpnr_runs_count(fixture->runs), ==, 1);
	g_assert_cmpuint(vpnr_runs_waiting(fixture->runs), ==, 0);

	int fd = loopback_connect(&addr);
	loopback_expect_reset(fd);
	close(fd);
	g_assert_cmpuint(vpnr_stats_get(&fixture->stats, VPNR_STAT_LOOPS_REFUSED), ==, 1);

	vpnr_runs_end(fixture->runs, run);
	g_assert_cmpuint(vpnr_runs_count(fixture->runs), ==, 0);
	g_assert_cmpint(loopback_try_connect(&addr), ==, -1);
}

/* UDP needs somebody to ask for the sockets of its flows. */
static void
test_udp(Fixture *fixture, gconstpointer data)
{
	for (int with_lender = 0; with_lender < 2; with_lender++) {
		VpnrFds fds = { { socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) }, 1 };
		int ends[2];

		g_assert_true(vpnr_lender_pair(ends, NULL));
		if (with_lender)
			fds.fd[fds.n++] = vpnr_fd_steal(&ends[0]);
		VpnrRun *run = vpnr_runs_begin(fixture->runs, &fds, NULL);
		g_assert_nonnull(run);
		g_assert_cmpint(vpnr_runs_has_udp(run), ==, with_lender);
		vpnr_runs_end(fixture->runs, run);
		vpnr_fd_close(ends[0]);
		vpnr_fd_close(ends[1]);
	}
}

static void
expect_refusal(Fixture *fixture, int fd, const char *why)
{
	VpnrFds fds = { { fd }, 1 };
	g_autoptr(GError) error = NULL;

	g_assert_null(vpnr_runs_begin(fixture->runs, &fds, &error));
	g_assert_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_REFUSED);
	g_assert_nonnull(strstr(error->message, "descriptor 1 of 1"));
	g_assert_nonnull(strstr(error->message, why));
	g_assert_cmpuint(fds.n, ==, 1);
	vpnr_fds_clear(&fds);
	g_assert_cmpuint(vpnr_runs_count(fixture->runs), ==, 0);
}

static void
test_bad(Fixture *fixture, gconstpointer data)
{
	VpnrAddr addr;

	expect_refusal(fixture, dup(STDERR_FILENO), "is no socket");
	expect_refusal(fixture, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
		       "to ask for others");
	expect_refusal(fixture, socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0), "of IPv4");
	expect_refusal(fixture, loopback_listen(-1, &addr), "does not listen");
	transparent = FALSE;
	expect_refusal(fixture, loopback_listen(8, &addr), "is not transparent");
	expect_refusal(fixture, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
		       "is not transparent");
}

static void
test_none(Fixture *fixture, gconstpointer data)
{
	VpnrFds fds = { 0 };
	g_autoptr(GError) error = NULL;

	g_assert_null(vpnr_runs_begin(fixture->runs, &fds, &error));
	g_assert_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_REFUSED);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/runs/serve", Fixture, NULL, set_up, test_serve, tear_down);
	g_test_add("/runs/udp", Fixture, NULL, set_up, test_udp, tear_down);
	g_test_add("/runs/bad", Fixture, NULL, set_up, test_bad, tear_down);
	g_test_add("/runs/none", Fixture, NULL, set_up, test_none, tear_down);
	return g_test_run();
}
