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
#include "app/ctl_json.h"
#include "base/fd.h"
#include "client/transparent.h"
#include "run/child.h"
#include "run/diversion.h"
#include "run/lender.h"
#include "run/netns.h"
#include "run/privilege.h"
#include "run/seclusion.h"

/* What vpnrctl holds for the program. */
typedef struct {
	const char *path;
	VpnrFd connection; /* to the client, which serves as long as it is open */
	VpnrFd lender; /* the client asks for sockets of UDP by it; readable at the client's end */
	VpnrDiversion diversion;
} Room;

static void
room_clear(Room *room)
{
	vpnr_fd_close(room->connection);
	vpnr_fd_close(room->lender);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Room, room_clear)

/* Adds what the function makes on the address to fds, and its port to the diversion. */
static gboolean
add_socket(int (*make)(const VpnrAddr *addr, guint32 mark, GError **error), const VpnrAddr *addr,
	   VpnrFds *fds, guint16 *port, GError **error)
{
	int fd = make(addr, 0, error);

	if (fd < 0)
		return FALSE;
	fds->fd[fds->n++] = fd;
	*port = vpnr_fd_local_addr(fd).port;
	return TRUE;
}

/* The sockets of both families, where this kernel has both. */
static gboolean
add_sockets(VpnrFds *fds, VpnrDiversion *diversion, GError **error)
{
	const VpnrAddr loop4 = { .type = VPNR_ADDR_IPV4, .ip4 = { 127, 0, 0, 1 } };
	const VpnrAddr loop6 = { .type = VPNR_ADDR_IPV6, .ip6 = { [15] = 1 } };

	if (!vpnr_netns_route(AF_INET, error) ||
	    !add_socket(vpnr_transparent_listen, &loop4, fds, &diversion->tcp4, error) ||
	    !add_socket(vpnr_transparent_bind, &loop4, fds, &diversion->udp4, error))
		return FALSE;
	return !vpnr_netns_has_ipv6() ||
	       (vpnr_netns_route(AF_INET6, error) &&
		add_socket(vpnr_transparent_listen, &loop6, fds, &diversion->tcp6, error) &&
		add_socket(vpnr_transparent_bind, &loop6, fds, &diversion->udp6, error));
}

/* Hands the sockets to the client; its answer (transfer full). */
static char *
lend(Room *room, GError **error)
{
	g_auto(VpnrFds) fds = { 0 };
	int ends[2];

	if (!add_sockets(&fds, &room->diversion, error) || !vpnr_lender_pair(ends, error))
		return NULL;
	fds.fd[fds.n++] = ends[0];
	room->lender = ends[1];
	return vpnr_control_lend(room->connection, room->path, "run", &fds, error);
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

static void
do_without_udp(Room *room)
{
	room->diversion.udp4 = room->diversion.udp6 = 0;
	vpnr_fd_close(vpnr_fd_steal(&room->lender));
	prefer_tcp_for_names();
}

static gboolean
serves_udp(const char *answer)
{
	g_autoptr(JsonObject) object = vpnr_ctl_json_parse(answer, NULL);
	g_autofree char *udp = object != NULL ? vpnr_ctl_json_text(object, "udp") : NULL;

	return g_strcmp0(udp, "yes") == 0;
}

static gboolean
furnish(Room *room, GError **error)
{
	g_autofree char *answer = lend(room, error);

	if (answer == NULL)
		return FALSE;
	if (!serves_udp(answer))
		do_without_udp(room);
	return vpnr_diversion_install(&room->diversion, error) && vpnr_seclusion_enter(NULL, error);
}

static gboolean
move_in(Room *room, GError **error)
{
	VpnrNetnsResult result = vpnr_netns_enter(error);

	if (result == VPNR_NETNS_FAILED || !furnish(room, error))
		return FALSE;
	return result == VPNR_NETNS_KEPT || vpnr_privilege_drop(error);
}

/* The client asks for a socket, or has gone. */
static gboolean
on_client(gpointer data)
{
	const Room *room = data;

	if (room->lender >= 0 && vpnr_lender_serve(room->lender))
		return TRUE;
	fputs("vpnrctl: the client has ended; the program has no network any more\n", stderr);
	return FALSE;
}

int
vpnr_ctl_run(const char *path, char *const *program, GError **error)
{
	g_auto(Room) room = { .path = path, .connection = -1, .lender = -1 };

	room.connection = vpnr_control_connect(path, error);
	if (room.connection < 0 || !move_in(&room, error))
		return VPNR_CTL_RUN_FAILED;
	fflush(stdout);
	return vpnr_child_run(program,
			      (VpnrChildWatch){ room.lender >= 0 ? room.lender : room.connection,
						on_client, &room },
			      error);
}
