/* SPDX-License-Identifier: MIT
 *
 * runs: see runs.h. What a descriptor is, the kernel says and not the caller.
 */
#include "app/runs.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "run/lender.h"

struct VpnrRuns {
	/* const */
	VpnrInboundParams tcp;
	VpnrUdpInboundParams udp;
	gboolean has_udp;
	/* lock */
	pthread_mutex_t lock;
	GPtrArray *all; /* VpnrRun, not owned */
};

struct VpnrRun {
	/* const after vpnr_runs_begin() */
	GPtrArray *inbounds; /* VpnrInbound */
	VpnrUdpInbound *udp; /* NULL: there is none */
	VpnrFd lender;       /* -1: likewise */
};

VpnrRuns *
vpnr_runs_new(const VpnrInboundParams *tcp, const VpnrUdpInboundParams *udp)
{
	VpnrRuns *runs = g_new0(VpnrRuns, 1);

	runs->tcp = *tcp;
	runs->tcp.kind = VPNR_INBOUND_TPROXY;
	runs->has_udp = udp != NULL;
	if (udp != NULL)
		runs->udp = *udp;
	runs->all = g_ptr_array_new();
	pthread_mutex_init(&runs->lock, NULL);
	return runs;
}

void
vpnr_runs_free(VpnrRuns *runs)
{
	if (runs == NULL)
		return;
	g_ptr_array_unref(runs->all);
	pthread_mutex_destroy(&runs->lock);
	g_free(runs);
}

/* --- sockets ---------------------------------------------------------------------------------- */

/* The value of an option that is a number; -1 if fd has none such. */
static int
get_option(int fd, int level, int option)
{
	int value = -1;
	socklen_t size = sizeof value;

	return getsockopt(fd, level, option, &value, &size) == 0 ? value : -1;
}

static gboolean
is_transparent(int fd, int family)
{
	return family == AF_INET ? get_option(fd, SOL_IP, IP_TRANSPARENT) > 0
				 : get_option(fd, SOL_IPV6, IPV6_TRANSPARENT) > 0;
}

typedef enum {
	KIND_TCP,
	KIND_UDP,
	KIND_LENDER,
} Kind;

static Kind
kind_of(int fd)
{
	if (get_option(fd, SOL_SOCKET, SO_DOMAIN) == AF_UNIX)
		return KIND_LENDER;
	return get_option(fd, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM ? KIND_UDP : KIND_TCP;
}

/* NULL if fd can be served, or what is wrong with it. */
static const char *
find_fault(int fd)
{
	int family = get_option(fd, SOL_SOCKET, SO_DOMAIN);
	int protocol = get_option(fd, SOL_SOCKET, SO_PROTOCOL);

	if (family < 0)
		return "is no socket";
	if (family == AF_UNIX)
		return get_option(fd, SOL_SOCKET, SO_TYPE) == SOCK_SEQPACKET
			   ? NULL
			   : "is no socket to ask for others";
	if (family != AF_INET && family != AF_INET6)
		return "is neither of IPv4 nor of IPv6";
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
		return "is neither of TCP nor of UDP";
	if (protocol == IPPROTO_TCP && get_option(fd, SOL_SOCKET, SO_ACCEPTCONN) <= 0)
		return "does not listen";
	return is_transparent(fd, family) ? NULL : "is not transparent";
}

/* An inbound on the socket (transfer full). */
static VpnrInbound *
start_inbound(const VpnrRuns *runs, int fd, GError **error)
{
	VpnrInboundParams params = runs->tcp;

	params.listen = vpnr_fd_local_addr(fd);
	return vpnr_inbound_start_on(fd, &params, error);
}

/* --- runs ------------------------------------------------------------------------------------- */

static gboolean
check_all(const VpnrFds *fds, GError **error)
{
	if (fds->n == 0) {
		g_set_error_literal(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_REFUSED,
				    "no descriptor of a socket came");
		return FALSE;
	}
	for (gsize i = 0; i < fds->n; i++) {
		const char *fault = find_fault(fds->fd[i]);

		if (fault == NULL)
			continue;
		g_set_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_REFUSED,
			    "descriptor %zu of %zu %s", i + 1, fds->n, fault);
		return FALSE;
	}
	return TRUE;
}

static void
run_free(VpnrRun *run)
{
	g_ptr_array_foreach(run->inbounds, (GFunc)(void (*)(void))vpnr_inbound_stop, NULL);
	g_ptr_array_unref(run->inbounds);
	vpnr_udp_inbound_end(run->udp);
	vpnr_udp_inbound_free(run->udp);
	vpnr_fd_close(run->lender);
	g_free(run);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrRun, run_free)

/* On the thread of a flow. */
static gboolean
open_flow(gpointer data, const VpnrAddr *peer, const VpnrAddr *dest, VpnrFlowsSocket *socket)
{
	const VpnrRun *run = data;

	socket->fd = vpnr_lender_ask(run->lender, dest, peer);
	return socket->fd >= 0;
}

static gboolean
start_udp(const VpnrRuns *runs, VpnrRun *run, GArray *fds, GError **error)
{
	VpnrUdpInboundParams params = runs->udp;

	params.open = open_flow;
	params.data = run;
	run->udp = vpnr_udp_inbound_start_on(g_array_ref(fds), &params, error);
	return run->udp != NULL;
}

/* Starts the inbounds of TCP, and finds what UDP needs. Who made a socket may have let it block. */
static gboolean
take_all(const VpnrRuns *runs, VpnrRun *run, VpnrFds *fds, GArray *udp, GError **error)
{
	while (fds->n > 0) {
		int fd = fds->fd[--fds->n];
		Kind kind = kind_of(fd);

		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		if (kind == KIND_TCP) {
			VpnrInbound *inbound = start_inbound(runs, fd, error);

			if (inbound == NULL)
				return FALSE;
			g_ptr_array_add(run->inbounds, inbound);
		} else if (kind == KIND_UDP) {
			g_array_append_val(udp, fd);
		} else {
			vpnr_fd_close(run->lender);
			run->lender = fd;
		}
	}
	return TRUE;
}

VpnrRun *
vpnr_runs_begin(VpnrRuns *runs, VpnrFds *fds, GError **error)
{
	g_autoptr(GArray) udp = vpnr_fd_array_new();
	g_autoptr(VpnrRun) run = NULL;

	if (!check_all(fds, error))
		return NULL;
	run = g_new0(VpnrRun, 1);
	run->lender = -1;
	run->inbounds = g_ptr_array_new_with_free_func((GDestroyNotify)vpnr_inbound_unref);
	if (!take_all(runs, run, fds, udp, error))
		return NULL;
	if (runs->has_udp && run->lender >= 0 && udp->len > 0 && !start_udp(runs, run, udp, error))
		return NULL;
	pthread_mutex_lock(&runs->lock);
	g_ptr_array_add(runs->all, run);
	pthread_mutex_unlock(&runs->lock);
	return g_steal_pointer(&run);
}

gboolean
vpnr_runs_has_udp(const VpnrRun *run)
{
	return run->udp != NULL;
}

void
vpnr_runs_end(VpnrRuns *runs, VpnrRun *run)
{
	pthread_mutex_lock(&runs->lock);
	g_ptr_array_remove_fast(runs->all, run);
	pthread_mutex_unlock(&runs->lock);
	run_free(run);
}

guint
vpnr_runs_count(VpnrRuns *runs)
{
	guint n;

	pthread_mutex_lock(&runs->lock);
	n = runs->all->len;
	pthread_mutex_unlock(&runs->lock);
	return n;
}

guint
vpnr_runs_waiting(VpnrRuns *runs)
{
	guint n = 0;

	pthread_mutex_lock(&runs->lock);
	for (guint i = 0; i < runs->all->len; i++) {
		const VpnrRun *run = g_ptr_array_index(runs->all, i);

		if (run->udp != NULL)
			n += vpnr_udp_inbound_waiting(run->udp);
		for (guint j = 0; j < run->inbounds->len; j++)
			n += vpnr_inbound_waiting(g_ptr_array_index(run->inbounds, j));
	}
	pthread_mutex_unlock(&runs->lock);
	return n;
}
