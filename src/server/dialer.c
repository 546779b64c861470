/* SPDX-License-Identifier: MIT
 *
 * dialer: see dialer.h. Everything happens on the worker's thread, and every wait ends when the
 * stream is aborted.
 */
#include "server/dialer.h"

#include "base/dial.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/resolve.h"

static VpnrReason
reason_of(const GError *error)
{
	if (g_error_matches(error, VPNR_RESOLVE_ERROR, VPNR_RESOLVE_ERROR_NOT_FOUND))
		return VPNR_REASON_NOT_FOUND;
	if (g_error_matches(error, VPNR_RESOLVE_ERROR, VPNR_RESOLVE_ERROR_TIMED_OUT) ||
	    g_error_matches(error, VPNR_DIAL_ERROR, VPNR_DIAL_ERROR_TIMED_OUT))
		return VPNR_REASON_TIMED_OUT;
	if (g_error_matches(error, VPNR_DIAL_ERROR, VPNR_DIAL_ERROR_REFUSED))
		return VPNR_REASON_REFUSED;
	if (g_error_matches(error, VPNR_DIAL_ERROR, VPNR_DIAL_ERROR_UNREACHABLE))
		return VPNR_REASON_UNREACHABLE;
	if (g_error_matches(error, VPNR_DIAL_ERROR, VPNR_DIAL_ERROR_LIMIT))
		return VPNR_REASON_LIMIT;
	return VPNR_REASON_INTERNAL;
}

/* Leaves only the addresses that the access list allows. */
static void
keep_allowed(GArray *addrs, const VpnrAddr *dest, const VpnrAcl *acl)
{
	for (guint i = addrs->len; i-- > 0;)
		if (!vpnr_acl_allows(acl, dest, &g_array_index(addrs, VpnrAddr, i)))
			g_array_remove_index(addrs, i);
}

/* TRUE if both ends of a connection are on this machine: they have the same address, since that is
 * the source that the kernel takes for an address of its own; but for all of 127.0.0.0/8 it takes
 * 127.0.0.1. */
static gboolean
is_to_this_machine(const VpnrAddr *local, const VpnrAddr *remote)
{
	VpnrAddr twin = *remote;

	twin.port = local->port;
	if (vpnr_addr_equal(local, &twin))
		return TRUE;
	return local->type == VPNR_ADDR_IPV4 && remote->type == VPNR_ADDR_IPV4 &&
	       local->ip4[0] == 127 && remote->ip4[0] == 127;
}

static gboolean
listens_on(const VpnrDialer *dialer, guint16 port)
{
	for (guint i = 0; i < dialer->own_ports->len; i++)
		if (port == g_array_index(dialer->own_ports, guint16, i))
			return TRUE;
	return FALSE;
}

/* TRUE if the connection is one to a port that this very server listens on. A client must not reach
 * the server's own ports from inside. The kernel is asked for addresses only where the port is one
 * of them. */
static gboolean
is_own_port(const VpnrDialer *dialer, guint16 port, int fd)
{
	VpnrAddr local, remote;

	if (!listens_on(dialer, port))
		return FALSE;
	local = vpnr_fd_local_addr(fd);
	remote = vpnr_fd_peer_addr(fd);
	return is_to_this_machine(&local, &remote);
}

gboolean
vpnr_dialer_is_resolver(const VpnrAddr *dest)
{
	return dest->type == VPNR_ADDR_NAME &&
	       g_ascii_strcasecmp(dest->name, VPNR_RESOLVER_NAME) == 0;
}

/* They are allowed wherever they are: names are looked up there for every client anyway. */
static GArray *
find_resolver(const VpnrDialer *dialer, const VpnrAddr *dest, GError **error)
{
	if (dest->port != VPNR_RESOLVER_PORT || vpnr_acl_denies_name(dialer->acl, dest))
		return g_array_new(FALSE, FALSE, sizeof(VpnrAddr));
	return vpnr_resolver_list(dialer->resolver, error);
}

/* The addresses that may be connected to (transfer full); none: the access list forbids all. NULL
 * with an error. */
static GArray *
find_addresses(const VpnrDialer *dialer, const VpnrAddr *dest, const VpnrCancel *cancel,
	       GError **error)
{
	GArray *addrs;

	if (vpnr_dialer_is_resolver(dest))
		return find_resolver(dialer, dest, error);
	addrs = vpnr_resolve(dest, VPNR_RESOLVE_TIMEOUT_MS, cancel, error);
	if (addrs != NULL)
		keep_allowed(addrs, dest, dialer->acl);
	return addrs;
}

/* *port: the port of the address. -1 with an error, or with none: the access list forbids it. */
static int
resolve_and_dial(const VpnrDialer *dialer, const VpnrDialOptions *options, const VpnrAddr *dest,
		 guint16 *port, GError **error)
{
	g_autoptr(GArray) addrs = find_addresses(dialer, dest, &options->cancel, error);

	if (addrs == NULL || addrs->len == 0)
		return -1;
	*port = g_array_index(addrs, VpnrAddr, 0).port; /* of all of them */
	return vpnr_dial((VpnrAddr *)addrs->data, addrs->len, options, NULL, error);
}

/* The same for an address. The half KiB of an array would stay with the thread, in the allocator's
 * cache. */
static int
dial_address(const VpnrDialer *dialer, const VpnrDialOptions *options, const VpnrAddr *dest,
	     GError **error)
{
	return vpnr_acl_allows(dialer->acl, dest, dest) ? vpnr_dial(dest, 1, options, NULL, error)
							: -1;
}

static int
dial(const VpnrDialer *dialer, VpnrKind kind, const VpnrAddr *dest, const VpnrCancel *cancel,
     GError **error)
{
	VpnrDialOptions options = { .timeout_ms = VPNR_DIALER_TIMEOUT_MS,
				    .udp = kind == VPNR_KIND_UDP,
				    .cancel = *cancel };
	guint16 port = dest->port;
	g_auto(VpnrFd) fd = dest->type == VPNR_ADDR_NAME
				? resolve_and_dial(dialer, &options, dest, &port, error)
				: dial_address(dialer, &options, dest, error);

	return fd >= 0 && !is_own_port(dialer, port, fd) ? vpnr_fd_steal(&fd) : -1;
}

static void
log_failure(const VpnrDialer *dialer, const VpnrAddr *dest, const char *why)
{
	char text[VPNR_ADDR_STRLEN];

	vpnr_log(VPNR_LOG_DEBUG, "%s -> %s: %s", dialer->client, vpnr_addr_format(dest, text), why);
}

int
vpnr_dialer_connect(const VpnrDialer *dialer, VpnrKind kind, const VpnrAddr *dest,
		    const VpnrCancel *cancel, VpnrReason *reason)
{
	g_autoptr(GError) error = NULL;
	int fd = dial(dialer, kind, dest, cancel, &error);

	if (fd >= 0)
		return fd;
	*reason = error != NULL ? reason_of(error) : VPNR_REASON_DENIED;
	if (*reason == VPNR_REASON_DENIED)
		vpnr_stats_add(dialer->stats, VPNR_STAT_STREAMS_DENIED, 1);
	if (*reason == VPNR_REASON_LIMIT)
		vpnr_stats_add(dialer->stats, VPNR_STAT_STREAMS_REFUSED, 1);
	log_failure(dialer, dest, error != NULL ? error->message : "denied by the access list");
	return -1;
}
