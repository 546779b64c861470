/* SPDX-License-Identifier: MIT
 *
 * child: see child.h. The signals are blocked and read from a signalfd, so that none can be missed
 * between looking and waiting.
 */
#include "run/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

/* What people and programs send to each other. Those that stop a process do what they always do. */
static const int forwarded[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 };

static int
set_errno_error(GError **error, const char *what, int code)
{
	g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(code), "%s: %s", what,
		    g_strerror(code));
	return code == ENOENT ? VPNR_CHILD_NOT_FOUND : VPNR_CHILD_CANNOT_START;
}

/* In the new process: becomes the program, or says by report why not. */
static _Noreturn void
become(char *const *argv, const sigset_t *signals, int report)
{
	int code;

	sigprocmask(SIG_SETMASK, signals, NULL);
	execvp(argv[0], argv);
	code = errno;
	_exit(write(report, &code, sizeof code) > 0 ? VPNR_CHILD_NOT_FOUND
						    : VPNR_CHILD_CANNOT_START);
}

/* Waits until the new process has become the program, which closes report; 0, or why it has not. */
static int
await_start(int report)
{
	int code = 0;
	gssize n;

	do {
		n = read(report, &code, sizeof code);
	} while (n < 0 && errno == EINTR);
	return n > 0 ? code : 0;
}

/* The new process, or -1 with *status and an error. */
static pid_t
start(char *const *argv, const sigset_t *signals, int *status, GError **error)
{
	int pipe_fds[2];

	if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
		*status = set_errno_error(error, "cannot make a pipe", errno);
		return -1;
	}
	pid_t pid = fork();
	if (pid == 0)
		become(argv, signals, pipe_fds[1]);
	int code = pid < 0 ? errno : 0;
	vpnr_fd_close(pipe_fds[1]);
	if (pid > 0) {
		code = await_start(pipe_fds[0]);
		if (code != 0)
			waitpid(pid, NULL, 0);
	}
	vpnr_fd_close(pipe_fds[0]);
	if (code == 0)
		return pid;
	*status = set_errno_error(error, argv[0], code);
	return -1;
}

/* The terminal sends its signals to every process of the group, and so to the program, too; their
 * sender is the kernel. */
static void
forward_signals(int fd, pid_t pid)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo != SIGCHLD && info.ssi_code != SI_KERNEL)
			kill(pid, (int)info.ssi_signo);
	}
}

/* TRUE if the program has ended; then *status is what is to be returned for it. */
static gboolean
has_ended(pid_t pid, int *status)
{
	int state;

	if (waitpid(pid, &state, WNOHANG) != pid)
		return FALSE;
	*status = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
	return TRUE;
}

static int
wait_for_end(pid_t pid, int signal_fd, VpnrChildWatch watch)
{
	int status = 0;

	while (!has_ended(pid, &status)) {
		struct pollfd fds[] = { { .fd = signal_fd, .events = POLLIN },
					{ .fd = watch.fd, .events = POLLIN } };

		if (poll(fds, G_N_ELEMENTS(fds), -1) < 0)
			continue;
		forward_signals(signal_fd, pid);
		if (fds[1].revents != 0 && !watch.on_readable(watch.data))
			watch.fd = -1;
	}
	return status;
}

int
vpnr_child_run(char *const *argv, VpnrChildWatch watch, GError **error)
{
	sigset_t ours, before;
	int status = VPNR_CHILD_CANNOT_START;

	sigemptyset(&ours);
	sigaddset(&ours, SIGCHLD);
	for (gsize i = 0; i < G_N_ELEMENTS(forwarded); i++)
		sigaddset(&ours, forwarded[i]);
	signal(SIGCHLD, SIG_DFL); /* whoever started us may not have cared for his children */
	sigprocmask(SIG_BLOCK, &ours, &before);
	g_auto(VpnrFd) signal_fd = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signal_fd < 0) {
		status = set_errno_error(error, "cannot watch for signals", errno);
	} else {
		pid_t pid = start(argv, &before, &status, error);

		if (pid > 0)
			status = wait_for_end(pid, signal_fd, watch);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return status;
}
