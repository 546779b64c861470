/* SPDX-License-Identifier: MIT
 *
 * child: exit status and signals of programs, and what is watched meanwhile.
 */
#include "run/child.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

/* What this program is called with in place of a test, and what it then says "ready" by. */
#define AWAIT_SIGNAL "await-signal"
#define READY_FD     9

static const VpnrChildWatch nothing = { -1, NULL, NULL };

static int
run_shell(const char *script, VpnrChildWatch watch)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)script, NULL };
	g_autoptr(GError) error = NULL;
	int status = vpnr_child_run(argv, watch, &error);

	g_assert_no_error(error);
	return status;
}

static void
test_status(void)
{
	g_assert_cmpint(run_shell("exit 0", nothing), ==, 0);
	g_assert_cmpint(run_shell("exit 7", nothing), ==, 7);
	g_assert_cmpint(run_shell("kill -KILL $$", nothing), ==, 128 + SIGKILL);
	g_assert_cmpint(run_shell("kill -USR1 $$", nothing), ==, 128 + SIGUSR1);
}

static void
test_cannot_start(void)
{
	char *missing[] = { (char *)"/nonexistent/program", NULL };
	char *folder[] = { (char *)"/", NULL };
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(vpnr_child_run(missing, nothing, &error), ==, VPNR_CHILD_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "/nonexistent/program"));
	g_clear_error(&error);
	g_assert_cmpint(vpnr_child_run(folder, nothing, &error), ==, VPNR_CHILD_CANNOT_START);
	g_assert_nonnull(error);
}

/* The program is as it would be without us. */
static void
test_mask(void)
{
	sigset_t after;

	g_assert_cmpint(run_shell("exec grep -q '^SigBlk:.0*$' /proc/self/status", nothing), ==, 0);
	sigprocmask(SIG_BLOCK, NULL, &after);
	g_assert_cmpint(sigismember(&after, SIGTERM), ==, 0);
	g_assert_cmpint(sigismember(&after, SIGCHLD), ==, 0);
}

/* A program that says by a pipe when it is ready to be interrupted. */
typedef struct {
	int fds[2];
	int signal; /* to be sent to us; 0: none */
	guint called;
} Pipe;

static gboolean
on_ready(gpointer data)
{
	Pipe *pipe_fds = data;
	char line[8];

	pipe_fds->called++;
	if (read(pipe_fds->fds[0], line, sizeof line) > 0 && pipe_fds->signal != 0)
		kill(getpid(), pipe_fds->signal);
	return FALSE;
}

/* This program in place of a test: says that it is ready, and exits with the number of the first
 * signal that comes. */
static int
await_signal(void)
{
	sigset_t all;
	int number = 0;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	if (write(READY_FD, "r", 1) == 1)
		sigwait(&all, &number);
	return number;
}

static int
run_ready(char *const *argv, Pipe *ready)
{
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(pipe(ready->fds), ==, 0);
	g_assert_cmpint(dup2(ready->fds[1], READY_FD), ==, READY_FD);
	close(ready->fds[1]);
	fcntl(ready->fds[0], F_SETFD, FD_CLOEXEC);
	int status =
	    vpnr_child_run(argv, (VpnrChildWatch){ ready->fds[0], on_ready, ready }, &error);
	g_assert_no_error(error);
	close(READY_FD);
	close(ready->fds[0]);
	return status;
}

static void
test_forward(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 };
	char *argv[] = { (char *)"/proc/self/exe", (char *)AWAIT_SIGNAL, NULL };

	for (gsize i = 0; i < G_N_ELEMENTS(signals); i++) {
		Pipe ready = { .signal = signals[i] };

		g_assert_cmpint(run_ready(argv, &ready), ==, signals[i]);
		g_assert_cmpint(ready.called, ==, 1);
	}
}

/* What returns FALSE is not called again, although the descriptor stays readable. */
static void
test_watch(void)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"echo >&9", NULL };
	Pipe ready = { .signal = 0 };

	run_ready(argv, &ready);
	g_assert_cmpint(ready.called, <=, 1);
}

int
main(int argc, char **argv)
{
	if (argc > 1 && g_str_equal(argv[1], AWAIT_SIGNAL))
		return await_signal();
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/child/status", test_status);
	g_test_add_func("/child/cannot-start", test_cannot_start);
	g_test_add_func("/child/mask", test_mask);
	g_test_add_func("/child/forward", test_forward);
	g_test_add_func("/child/watch", test_watch);
	return g_test_run();
}
