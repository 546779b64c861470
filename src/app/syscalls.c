/* SPDX-License-Identifier: MIT
 *
 * syscalls: see syscalls.h. Main thread.
 *
 * The lists have what the programs and their libraries ask for, on 64 and 32 bit, and what C
 * libraries of other ages and kinds ask for in its place: a call that this architecture does not
 * have is left out by libseccomp.
 */
#include "app/syscalls.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/socket.h>

#include "config.h"

#ifdef HAVE_SANITIZER
#define IS_SANITIZED TRUE
#else
#define IS_SANITIZED FALSE
#endif

/* Memory, threads and their priorities, signals, time. */
static const char *const itself[] = {
	/* clang-format off */
	"brk", "mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise", "membarrier",
	"clone", "clone3", "exit", "exit_group", "set_robust_list", "get_robust_list", "rseq",
	"set_tid_address", "arch_prctl", "set_thread_area", "set_tls", "prctl",
	"futex", "futex_time64", "futex_waitv", "futex_wait", "futex_wake", "restart_syscall",
	"sched_yield", "sched_getaffinity", "sched_getattr", "sched_setattr", "sched_getparam",
	"sched_getscheduler", "sched_setscheduler", "getpriority", "setpriority", "getcpu",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigtimedwait",
	"rt_sigtimedwait_time64", "sigaction", "sigprocmask", "sigreturn", "sigaltstack",
	"signalfd", "signalfd4", "kill", "tkill", "tgkill",
	"clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64", "gettimeofday",
	"time", "nanosleep", "clock_nanosleep", "clock_nanosleep_time64",
	"timerfd_create", "timerfd_settime", "timerfd_settime64", "timerfd_gettime",
	"timerfd_gettime64",
	"getpid", "getppid", "gettid", "getuid", "getuid32", "geteuid", "geteuid32", "getgid",
	"getgid32", "getegid", "getegid32", "getresuid", "getresuid32", "getresgid", "getresgid32",
	"getgroups", "getgroups32", "capget", "getrlimit", "ugetrlimit", "setrlimit", "prlimit64",
	"getrusage", "sysinfo", "uname", "getrandom",
	/* clang-format on */
	NULL,
};

/* Descriptors and files: keys and configuration on a reload, rules' files, name service. */
static const char *const files[] = {
	/* clang-format off */
	"read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev",
	"pwritev2", "close", "close_range", "dup", "dup2", "dup3", "fcntl", "fcntl64", "ioctl",
	"lseek", "_llseek", "pipe", "pipe2", "eventfd", "eventfd2", "poll", "ppoll", "ppoll_time64",
	"select", "_newselect", "pselect6", "pselect6_time64", "epoll_create", "epoll_create1",
	"epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2",
	"open", "openat", "openat2", "creat", "stat", "stat64", "lstat", "lstat64", "fstat",
	"fstat64", "fstatat64", "newfstatat", "statx", "statfs", "statfs64", "fstatfs", "fstatfs64",
	"access", "faccessat", "faccessat2", "readlink", "readlinkat", "getdents", "getdents64",
	"getcwd", "chdir", "mkdir", "mkdirat", "unlink", "unlinkat", "umask", "fchmod", "flock",
	"ftruncate", "ftruncate64", "fadvise64", "fadvise64_64", "fsync", "fdatasync",
	"memfd_create",
	/* clang-format on */
	NULL,
};

/* All of a socket but its making. */
static const char *const sockets[] = {
	/* clang-format off */
	"socketpair", "bind", "listen", "accept", "accept4", "connect", "shutdown", "getsockname",
	"getpeername", "getsockopt", "setsockopt", "send", "sendto", "sendmsg", "sendmmsg", "recv",
	"recvfrom", "recvmsg", "recvmmsg", "recvmmsg_time64",
	/* clang-format on */
	NULL,
};

/* The programs of iptables, and what starts them. Those of iptables-legacy wait for their lock
 * until an alarm, which some C libraries make of setitimer. */
static const char *const programs_of_others[] = {
	"execve", "execveat", "fork",  "vfork",     "wait4",
	"waitid", "waitpid",  "alarm", "setitimer", NULL,
};

static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };

/* Threads would race for the variable in which G_DEFINE_QUARK keeps it. */
GQuark
vpnr_syscalls_error_quark(void)
{
	return g_quark_from_static_string("vpnr-syscalls-error");
}

/* Names that this libseccomp is too old for are calls that its C library does not know either. */
static int
allow(scmp_filter_ctx filter, const char *const *names)
{
	int code = 0;

	for (; *names != NULL && code == 0; names++) {
		int number = seccomp_syscall_resolve_name(*names);

		if (number != __NR_SCMP_ERROR)
			code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
	}
	return code;
}

/* libseccomp also allows socketcall(2) where there is one, for each of these calls. */
static int
allow_sockets(scmp_filter_ctx filter)
{
	int code = allow(filter, sockets);

	for (gsize i = 0; i < G_N_ELEMENTS(families) && code == 0; i++)
		code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
					SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
	return code;
}

/* What an attribute asks for makes the filter better, and is not there in every kernel: calls of
 * other architectures, which would end the process, fail like all others; a search by halves, where
 * the kernel does not remember which calls always pass; no defence against speculation past stores,
 * which kernels before 5.16 turn on with a filter and which slows down all threads; the log. */
static void
improve(scmp_filter_ctx filter)
{
	(void)seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
}

static int
load(scmp_filter_ctx filter, gboolean programs)
{
	int code;

	improve(filter);
	code = allow(filter, itself);
	if (code == 0)
		code = allow(filter, files);
	if (code == 0)
		code = allow_sockets(filter);
	if (code == 0 && programs)
		code = allow(filter, programs_of_others);
	return code == 0 ? seccomp_load(filter) : code;
}

gboolean
vpnr_syscalls_filter(gboolean programs, GError **error)
{
	scmp_filter_ctx filter;
	int code;

	/* Their runtimes trace the process at its end, and more. */
	if (IS_SANITIZED)
		return TRUE;
	filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	code = filter != NULL ? load(filter, programs) : -ENOMEM;
	seccomp_release(filter);
	if (code == 0)
		return TRUE;
	g_set_error_literal(error, VPNR_SYSCALLS_ERROR, VPNR_SYSCALLS_ERROR_FAILED,
			    g_strerror(-code));
	return FALSE;
}
