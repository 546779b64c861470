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

struct VpnrRuns {
	/* const */
	VpnrInboundParams inbound;
	/* lock */
	pthread_mutex_t lock;
	GPtrArray *all; /* VpnrRun, not owned */
};

struct VpnrRun {
	GPtrArray *inbounds; /* VpnrInbound; const after vpnr_runs_begin() */
};

VpnrRuns *
vpnr_runs_new(const VpnrInboundParams *inbound)
{
	VpnrRuns *runs = g_new0(VpnrRuns, 1);

	runs->inbound = *inbound;
	runs->inbound.kind = VPNR_INBOUND_TPROXY;
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

/* NULL if the inbound can serve fd, or what is wrong with it. */
static const char *
find_fault(int fd)
{
	int family = get_option(fd, SOL_SOCKET, SO_DOMAIN);

	if (family < 0)
		return "is no socket";
	if (family != AF_INET && family != AF_INET6)
		return "is neither of IPv4 nor of IPv6";
	if (get_option(fd, SOL_SOCKET, SO_PROTOCOL) != IPPROTO_TCP)
		return "is not of TCP";
	if (get_option(fd, SOL_SOCKET, SO_ACCEPTCONN) <= 0)
		return "does not listen";
	return is_transparent(fd, family) ? NULL : "is not transparent";
}

static VpnrAddr
local_address(int fd)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t size = sizeof ss;

	getsockname(fd, (struct sockaddr *)&ss, &size);
	return vpnr_addr_from_sockaddr((struct sockaddr *)&ss);
}

/* An inbound on the socket (transfer full). Who made it may have let it block. */
static VpnrInbound *
start_inbound(const VpnrRuns *runs, int fd, GError **error)
{
	VpnrInboundParams params = runs->inbound;

	params.listen = local_address(fd);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return vpnr_inbound_start_on(fd, &params, error);
}

/* --- runs ------------------------------------------------------------------------------------- */

static gboolean
check_all(const VpnrControlFds *fds, GError **error)
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
	g_free(run);
}

VpnrRun *
vpnr_runs_begin(VpnrRuns *runs, VpnrControlFds *fds, GError **error)
{
	VpnrRun *run;

	if (!check_all(fds, error))
		return NULL;
	run = g_new0(VpnrRun, 1);
	run->inbounds = g_ptr_array_new_with_free_func((GDestroyNotify)vpnr_inbound_unref);
	while (fds->n > 0) {
		VpnrInbound *inbound = start_inbound(runs, fds->fd[--fds->n], error);

		if (inbound == NULL) {
			run_free(run);
			return NULL;
		}
		g_ptr_array_add(run->inbounds, inbound);
	}
	pthread_mutex_lock(&runs->lock);
	g_ptr_array_add(runs->all, run);
	pthread_mutex_unlock(&runs->lock);
	return run;
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

		for (guint j = 0; j < run->inbounds->len; j++)
			n += vpnr_inbound_waiting(g_ptr_array_index(run->inbounds, j));
	}
	pthread_mutex_unlock(&runs->lock);
	return n;
}
