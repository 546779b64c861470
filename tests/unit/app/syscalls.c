/* SPDX-License-Identifier: MIT
 *
 * syscalls: what the filter lets through and what not, in processes of their own.
 */
#include "app/syscalls.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/thread.h"
#include "config.h"

#ifdef HAVE_SANITIZER
#define IS_SANITIZED TRUE
#else
#define IS_SANITIZED FALSE
#endif

/* Where the C library may make sockets by socketcall(2), the filter sees the families of those that
 * are made without it only. */
#ifdef SYS_socketcall
#define SEES_FAMILIES FALSE
#else
#define SEES_FAMILIES TRUE
#endif

/* TRUE in the process in which the case runs, which is filtered then. */
static gboolean
is_filtered(gboolean programs)
{
	g_autoptr(GError) error = NULL;

	if (IS_SANITIZED) {
		g_test_skip("there is no filter with a sanitizer");
		return FALSE;
	}
	if (!g_test_subprocess()) {
		g_test_trap_subprocess(NULL, 0, 0);
		g_test_trap_assert_passed();
		return FALSE;
	}
	vpnr_syscalls_filter(programs, &error);
	g_assert_no_error(error);
	return TRUE;
}

static void
assert_missing(long result)
{
	g_assert_cmpint(errno, ==, ENOSYS);
	g_assert_cmpint((int)result, ==, -1);
}

static void
check_refused(gpointer data)
{
	(void)data;
	errno = 0;
	assert_missing(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	errno = 0;
	assert_missing(syscall(SYS_mount, "none", "/", "none", 0, NULL));
	errno = 0;
	assert_missing(syscall(SYS_unshare, 0));
	errno = 0;
	assert_missing(syscall(SYS_setns, -1, 0));
	errno = 0;
	assert_missing(syscall(SYS_bpf, 0, NULL, 0));
	errno = 0;
	assert_missing(syscall(SYS_setresuid, 0, 0, 0));
	errno = 0;
	assert_missing(chmod("/nowhere", 0)); /* by the call that this machine has for it */
	errno = 0;
	assert_missing(syscall(0x3ffffff)); /* of a kernel to come */
}

static void
test_refused(void)
{
	if (!is_filtered(FALSE))
		return;
	check_refused(NULL);
	vpnr_thread_join(vpnr_thread_start("filtered", check_refused, NULL, NULL));
}

static void
check_family(int family, int type, gboolean allowed)
{
	g_auto(VpnrFd) fd = -1;

	errno = 0;
	fd = socket(family, type | SOCK_CLOEXEC, 0);
	if (allowed)
		g_assert_true(fd >= 0 || errno == EAFNOSUPPORT);
	else if (SEES_FAMILIES)
		assert_missing(fd);
}

static void
check_refused_family(int family, int type)
{
	check_family(family, type, FALSE);
	errno = 0;
	assert_missing(syscall(SYS_socket, family, type | SOCK_CLOEXEC, 0));
}

static void
test_sockets(void)
{
	if (!is_filtered(FALSE))
		return;
	check_family(AF_INET, SOCK_STREAM, TRUE);
	check_family(AF_INET6, SOCK_DGRAM, TRUE);
	check_family(AF_UNIX, SOCK_STREAM, TRUE);
	check_family(AF_NETLINK, SOCK_RAW, TRUE);
	check_refused_family(AF_PACKET, SOCK_RAW);
	check_refused_family(AF_ALG, SOCK_SEQPACKET);
	check_refused_family(AF_VSOCK, SOCK_STREAM);
}

static void
test_no_programs(void)
{
	if (!is_filtered(FALSE))
		return;
	errno = 0;
	assert_missing(execl("/bin/true", "true", NULL));
}

static void
run_true(void)
{
	static const char *const argv[] = { "true", NULL };
	g_autoptr(GError) error = NULL;
	int status = -1;

	g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
		     &status, &error);
	g_assert_no_error(error);
	g_assert_cmpint(status, ==, 0);
}

static void
test_programs(void)
{
	if (!is_filtered(TRUE))
		return;
	run_true();
	alarm(60);
	g_assert_cmpuint(alarm(0), >, 0);
	check_refused(NULL);
}

/* A filter stays, whatever is asked for later. */
static void
test_twice(void)
{
	if (!is_filtered(FALSE))
		return;
	(void)vpnr_syscalls_filter(TRUE, NULL);
	errno = 0;
	assert_missing(execl("/bin/true", "true", NULL));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_summary("system calls, families of sockets, and programs that are refused");
	g_test_add_func("/syscalls/refused", test_refused);
	g_test_add_func("/syscalls/sockets", test_sockets);
	g_test_add_func("/syscalls/no-programs", test_no_programs);
	g_test_add_func("/syscalls/programs", test_programs);
	g_test_add_func("/syscalls/twice", test_twice);
	return g_test_run();
}
