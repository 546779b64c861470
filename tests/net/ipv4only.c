/* SPDX-License-Identifier: MIT
 *
 * ipv4only COMMAND...: runs a command as on a kernel without IPv6, where it can have no socket of
 * that family (EAFNOSUPPORT). net.ipv6.conf.all.disable_ipv6 takes the addresses only.
 */
#include <err.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The family is an int: the low half of its argument, which comes second where the bytes are in the
 * other order. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define FAMILY (offsetof(struct seccomp_data, args) + 4)
#else
#define FAMILY offsetof(struct seccomp_data, args)
#endif

static int
refuse_ipv6(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FAMILY),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof code / sizeof *code, .filter = code };

	/* Without PR_SET_NO_NEW_PRIVS, so it needs root, as the scenarios do. */
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* It is not where the C library makes sockets by socketcall(2), whose arguments a filter does not
 * see. */
static int
is_refused(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (fd < 0)
		return errno == EAFNOSUPPORT;
	close(fd);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc < 2)
		errx(125, "no command");
	if (refuse_ipv6() < 0)
		err(125, "seccomp");
	if (!is_refused())
		errx(125, "IPv6 cannot be refused here");
	execvp(argv[1], argv + 1);
	err(127, "%s", argv[1]);
}
