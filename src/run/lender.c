/* SPDX-License-Identifier: MIT
 *
 * lender: see lender.h. A request is the text "LOCAL PEER", an answer a socket or its absence.
 */
#include "run/lender.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/deadline.h"
#include "base/fd.h"
#include "base/fds.h"

#define REQUEST_MAX (2 * VPNR_ADDR_STRLEN)

gboolean
vpnr_lender_pair(int ends[static 2], GError **error)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0)
		return TRUE;
	g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
		    "cannot make a socket: %s", g_strerror(errno));
	return FALSE;
}

/* --- who asks --------------------------------------------------------------------------------- */

/* The socket does not block, and has no room while some hundred requests wait in it. */
static gboolean
send_request(int asking, const VpnrAddr *local, const VpnrAddr *peer, int answer)
{
	gint64 deadline = vpnr_deadline_after(VPNR_LENDER_MS);
	struct pollfd pfd = { .fd = asking, .events = POLLOUT };
	char first[VPNR_ADDR_STRLEN], second[VPNR_ADDR_STRLEN];
	g_autofree char *text = g_strdup_printf("%s %s", vpnr_addr_format(local, first),
						vpnr_addr_format(peer, second));
	VpnrFds fds = { { answer }, 1 };

	while (!vpnr_fds_send(asking, text, strlen(text), &fds))
		if (errno != EAGAIN || poll(&pfd, 1, vpnr_deadline_left(deadline)) != 1)
			return FALSE;
	return TRUE;
}

static int
receive_socket(int answer)
{
	struct pollfd pfd = { .fd = answer, .events = POLLIN };
	g_auto(VpnrFds) fds = { 0 };
	char byte;

	if (poll(&pfd, 1, VPNR_LENDER_MS) == 1 &&
	    vpnr_fds_receive(answer, &byte, sizeof byte, &fds) > 0 && fds.n == 1)
		return vpnr_fd_steal(&fds.fd[--fds.n]);
	errno = EADDRNOTAVAIL;
	return -1;
}

int
vpnr_lender_ask(int asking, const VpnrAddr *local, const VpnrAddr *peer)
{
	int ends[2];
	int fd = -1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	gboolean sent = send_request(asking, local, peer, ends[1]);
	vpnr_fd_close(ends[1]); /* so that the end of the other side is seen */
	if (sent)
		fd = receive_socket(ends[0]);
	vpnr_fd_close(ends[0]);
	return fd;
}

/* --- who serves ------------------------------------------------------------------------------- */

/* IPv6 wants an address of an interface, unless it is told not to; so no right is needed. */
static gboolean
set_options(int fd, int family)
{
	const int yes = 1;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
	       (family == AF_INET ? setsockopt(fd, SOL_IP, IP_FREEBIND, &yes, sizeof yes) == 0
				  : setsockopt(fd, SOL_IPV6, IPV6_FREEBIND, &yes, sizeof yes) == 0);
}

static int
make_socket(const VpnrAddr *local, const VpnrAddr *peer)
{
	struct sockaddr_storage from, to;
	socklen_t from_size = vpnr_addr_to_sockaddr(local, &from);
	socklen_t to_size = vpnr_addr_to_sockaddr(peer, &to);
	g_auto(VpnrFd) fd = -1;

	if (from_size == 0 || to_size == 0 || from.ss_family != to.ss_family)
		return -1;
	fd = socket(from.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || !set_options(fd, from.ss_family) ||
	    bind(fd, (struct sockaddr *)&from, from_size) < 0 ||
	    connect(fd, (struct sockaddr *)&to, to_size) < 0)
		return -1;
	return vpnr_fd_steal(&fd);
}

static int
carry_out(char *text)
{
	char *space = strchr(text, ' ');
	VpnrAddr local, peer;

	if (space == NULL)
		return -1;
	*space = '\0';
	return vpnr_addr_parse(text, 0, &local, NULL) && vpnr_addr_parse(space + 1, 0, &peer, NULL)
		   ? make_socket(&local, &peer)
		   : -1;
}

gboolean
vpnr_lender_serve(int serving)
{
	char text[REQUEST_MAX + 1] = "";
	g_auto(VpnrFds) fds = { 0 };
	gssize n = vpnr_fds_receive(serving, text, REQUEST_MAX, &fds);

	if (n < 0)
		return errno == EINTR || errno == EMFILE;
	if (n == 0)
		return FALSE;
	g_auto(VpnrFd) made = fds.n == 1 ? carry_out(text) : -1;
	if (made >= 0) {
		VpnrFds answer = { { made }, 1 };

		/* Who is gone does not need it. */
		(void)vpnr_fds_send(fds.fd[0], "y", 1, &answer);
	}
	return TRUE;
}
