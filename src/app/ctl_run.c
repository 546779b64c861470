/* SPDX-License-Identifier: MIT
 *
 * ctl_run: see ctl_run.h.
 *
 * vpnrctl itself moves into the namespace, makes the sockets there and hands them to the client by
 * the connection that it made before. What it holds is what the program depends on: when it dies,
 * the connection closes and the client stops serving.
 */
#include "app/ctl_run.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/control.h"
#include "base/fd.h"
#include "client/transparent.h"
#include "run/child.h"
#include "run/diversion.h"
#include "run/netns.h"
#include "run/privilege.h"
#include "run/seclusion.h"

/* Adds a transparent listening socket on the family's loopback address to fds, and its port to the
 * diversion. */
static gboolean
add_listener(int family, VpnrControlFds *fds, VpnrDiversion *diversion, GError **error)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t size = sizeof ss;
	VpnrAddr addr = { .type = VPNR_ADDR_IPV4, .ip4 = { 127, 0, 0, 1 } };

	if (family == AF_INET6)
		addr = (VpnrAddr){ .type = VPNR_ADDR_IPV6, .ip6 = { [15] = 1 } };
	int fd = vpnr_transparent_listen(&addr, 0, error);
	if (fd < 0)
		return FALSE;
	fds->fd[fds->n++] = fd;
	getsockname(fd, (struct sockaddr *)&ss, &size);
	addr = vpnr_addr_from_sockaddr((struct sockaddr *)&ss);
	*(family == AF_INET ? &diversion->tcp4 : &diversion->tcp6) = addr.port;
	return TRUE;
}

static gboolean
add_family(int family, VpnrControlFds *fds, VpnrDiversion *diversion, GError **error)
{
	return vpnr_netns_route(family, error) && add_listener(family, fds, diversion, error);
}

/* Makes the namespace, and on the connection hands its sockets to the client. */
static gboolean
furnish(int connection, const char *path, GError **error)
{
	g_auto(VpnrControlFds) fds = { 0 };
	VpnrDiversion diversion = { 0 };

	if (!add_family(AF_INET, &fds, &diversion, error) ||
	    (vpnr_netns_has_ipv6() && !add_family(AF_INET6, &fds, &diversion, error)))
		return FALSE;
	g_autofree char *answer = vpnr_control_lend(connection, path, "run", &fds, error);
	return answer != NULL && vpnr_diversion_install(&diversion, error) &&
	       vpnr_seclusion_enter(NULL, error);
}

static gboolean
move_in(int connection, const char *path, GError **error)
{
	VpnrNetnsResult result = vpnr_netns_enter(error);

	if (result == VPNR_NETNS_FAILED || !furnish(connection, path, error))
		return FALSE;
	return result == VPNR_NETNS_KEPT || vpnr_privilege_drop(error);
}

/* The client says nothing more, so the connection is readable when it has gone. */
static gboolean
on_client_gone(gpointer data)
{
	fputs("vpnrctl: the client has ended; the program has no network any more\n", stderr);
	return FALSE;
}

/* UDP is refused in the namespace, so the C library must ask its name servers by TCP
 * (resolv.conf(5)). */
static void
prefer_tcp_for_names(void)
{
	const char *options = g_getenv("RES_OPTIONS");
	g_autofree char *more = g_strdup_printf("%s use-vc", options != NULL ? options : "");

	g_setenv("RES_OPTIONS", g_strchug(more), TRUE);
}

int
vpnr_ctl_run(const char *path, char *const *program, GError **error)
{
	g_auto(VpnrFd) connection = vpnr_control_connect(path, error);

	if (connection < 0 || !move_in(connection, path, error))
		return VPNR_CTL_RUN_FAILED;
	prefer_tcp_for_names();
	fflush(stdout);
	return vpnr_child_run(program, (VpnrChildWatch){ connection, on_client_gone, NULL }, error);
}
