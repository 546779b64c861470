/* SPDX-License-Identifier: MIT
 *
 * fd: descriptors and sockets. Any thread; nothing here keeps state.
 */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

void
vpnr_fd_close(int fd)
{
	int saved_errno = errno;

	/* Linux closes the descriptor even when close() says EINTR: never try again. */
	if (fd >= 0)
		close(fd);
	errno = saved_errno;
}

int
vpnr_fd_steal(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

static gboolean
set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

void
vpnr_fd_set_nodelay(int fd)
{
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

/* On an idle connection probes begin after a third of the time and come every sixth, so that four
 * of them may be lost. The kernel counts them in whole seconds. */
void
vpnr_fd_set_keepalive(int fd, guint timeout_ms)
{
	int seconds = (int)(timeout_ms / 1000);

	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, MAX(1, seconds / 3));
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, MAX(1, seconds / 6));
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

gboolean
vpnr_fd_set_mark(int fd, guint32 mark)
{
	return mark == 0 || setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) == 0;
}

void
vpnr_fd_set_urgent_inline(int fd)
{
	set_option(fd, SOL_SOCKET, SO_OOBINLINE, 1);
}

/* A connection with data in flight sends no probes. A window that stays closed counts as well (RFC
 * 5482; tcp(7)). */
void
vpnr_fd_set_dead_peer_timeout(int fd, guint timeout_ms)
{
	vpnr_fd_set_keepalive(fd, timeout_ms);
	set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)timeout_ms);
}

/* Without it the socket's buffer decides, which grows to megabytes. */
void
vpnr_fd_set_notsent_lowat(int fd, guint bytes)
{
	set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, (int)bytes);
}

void
vpnr_fd_set_send_buffer(int fd, guint bytes)
{
	set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, (int)bytes);
}

gsize
vpnr_fd_under_way(int fd)
{
	int bytes = 0;

	return ioctl(fd, SIOCOUTQ, &bytes) == 0 ? (gsize)bytes : 0;
}

gboolean
vpnr_fd_is_reset(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof info;

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
	       info.tcpi_state == TCP_CLOSE;
}

void
vpnr_fd_abort(int fd)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	vpnr_fd_close(fd);
}

/* What comes meanwhile is not waited for: a peer that never stops would never be left. */
void
vpnr_fd_discard(int fd)
{
	guint8 bytes[8192];
	int left = 0;
	gssize got = 1;

	ioctl(fd, FIONREAD, &left);
	for (; left > 0 && got > 0; left -= (int)got)
		got = recv(fd, bytes, MIN((gsize)left, sizeof bytes), MSG_DONTWAIT);
}

/* V6ONLY, so that [::]:80 and 0.0.0.0:80 can be listened on side by side. */
static int
open_listener(const VpnrAddr *addr)
{
	struct sockaddr_storage ss;
	socklen_t length = vpnr_addr_to_sockaddr(addr, &ss);
	g_auto(VpnrFd) fd = -1;

	if (length == 0) {
		errno = EINVAL;
		return -1;
	}
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || !set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1))
		return -1;
	if (ss.ss_family == AF_INET6 && !set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1))
		return -1;
	if (bind(fd, (struct sockaddr *)&ss, length) < 0)
		return -1;
	if (listen(fd, G_MAXINT) < 0) /* the kernel cuts it to net.core.somaxconn */
		return -1;
	return vpnr_fd_steal(&fd);
}

int
vpnr_fd_listen(const VpnrAddr *addr, GError **error)
{
	char text[VPNR_ADDR_STRLEN];
	int fd = open_listener(addr);
	int saved_errno = errno;

	if (fd < 0)
		g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(saved_errno),
			    "cannot listen on %s: %s", vpnr_addr_format(addr, text),
			    g_strerror(saved_errno));
	return fd;
}

/* SO_REUSEADDR does not help where a socket listens already (socket(7)). */
gboolean
vpnr_fd_listeners_clash(const VpnrAddr *a, const VpnrAddr *b)
{
	if (a->type != b->type || a->port != b->port)
		return FALSE;
	return vpnr_addr_is_wildcard(a) || vpnr_addr_is_wildcard(b) || vpnr_addr_equal(a, b);
}

/* Whatever else is wrong, who listens there will be told. */
gboolean
vpnr_fd_is_local(const VpnrAddr *addr)
{
	VpnrAddr any_port = *addr;
	struct sockaddr_storage ss;
	socklen_t length;
	g_auto(VpnrFd) fd = -1;

	any_port.port = 0;
	length = vpnr_addr_to_sockaddr(&any_port, &ss);
	fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno != EAFNOSUPPORT;
	return bind(fd, (struct sockaddr *)&ss, length) == 0 || errno != EADDRNOTAVAIL;
}

static void
close_one(gpointer fd)
{
	vpnr_fd_close(*(int *)fd);
}

GArray *
vpnr_fd_array_new(void)
{
	GArray *fds = g_array_new(FALSE, FALSE, sizeof(int));

	g_array_set_clear_func(fds, close_one);
	return fds;
}

static VpnrAddr
name_of(int fd, int (*get)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_storage ss = { 0 };
	socklen_t size = sizeof ss;

	if (get(fd, (struct sockaddr *)&ss, &size) < 0)
		return (VpnrAddr){ .type = VPNR_ADDR_NONE };
	return vpnr_addr_from_sockaddr((struct sockaddr *)&ss);
}

VpnrAddr
vpnr_fd_local_addr(int fd)
{
	return name_of(fd, getsockname);
}

VpnrAddr
vpnr_fd_peer_addr(int fd)
{
	return name_of(fd, getpeername);
}

int
vpnr_fd_either(int a, int b, GError **error)
{
	struct epoll_event readable = { .events = EPOLLIN };
	g_auto(VpnrFd) fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, a, &readable) < 0 ||
	    (b >= 0 && epoll_ctl(fd, EPOLL_CTL_ADD, b, &readable) < 0)) {
		int err = errno;

		g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(err),
			    "cannot wait for two descriptors: %s", g_strerror(err));
		return -1;
	}
	return vpnr_fd_steal(&fd);
}

guint64
vpnr_fd_raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 0;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur;
}

void
vpnr_fd_fill_standard(void)
{
	int fd;

	/* Each gets the lowest number that is free. */
	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	vpnr_fd_close(fd);
}
