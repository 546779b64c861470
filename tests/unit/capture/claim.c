/* SPDX-License-Identifier: MIT
 *
 * claim: names that are free, taken, and free again.
 */
#include "capture/claim.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "tests/unit/capture/namespace.h"

/* A name that no other test has (transfer full). */
static char *
make_name(const char *what)
{
	return g_strdup_printf("vpnr-test-%d-%s", (int)getpid(), what);
}

static void
test_taken(void)
{
	g_autofree char *name = make_name("taken");
	g_autofree char *other_name = make_name("taken-not");
	g_auto(VpnrFd) first = vpnr_claim(name);
	g_auto(VpnrFd) other = vpnr_claim(other_name);

	g_assert_cmpint(first, >=, 0);
	g_assert_cmpint(other, >=, 0);
	g_assert_cmpint(vpnr_claim(name), ==, -1);
	g_assert_cmpint(errno, ==, EADDRINUSE);
	vpnr_fd_close(first);
	first = vpnr_claim(name);
	g_assert_cmpint(first, >=, 0);
}

static void
test_longest(void)
{
	g_autofree char *name = g_strnfill(100, 'x');
	g_auto(VpnrFd) fd = -1;

	memcpy(name, "vpnr-test-", strlen("vpnr-test-"));
	fd = vpnr_claim(name);
	g_assert_cmpint(fd, >=, 0);
}

static void
test_namespace(void)
{
	g_autofree char *name = make_name("namespace");
	g_auto(VpnrFd) here = vpnr_claim(name);
	g_auto(VpnrFd) there = -1;

	g_test_summary("What is claimed in one network namespace is free in another.");
	g_assert_cmpint(here, >=, 0);
	if (!namespace_fresh())
		return;
	there = vpnr_claim(name);
	g_assert_cmpint(there, >=, 0);
}

static void
test_killed(void)
{
	g_autofree char *name = make_name("killed");
	g_auto(VpnrFd) fd = -1;
	pid_t child = fork();

	g_test_summary("The claim of a process that is gone is gone.");
	if (child == 0) {
		(void)vpnr_claim(name);
		(void)raise(SIGKILL);
	}
	g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
	fd = vpnr_claim(name);
	g_assert_cmpint(fd, >=, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/claim/taken", test_taken);
	g_test_add_func("/claim/longest", test_longest);
	g_test_add_func("/claim/killed", test_killed);
	g_test_add_func("/claim/namespace", test_namespace);
	return g_test_run();
}
