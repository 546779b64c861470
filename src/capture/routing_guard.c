/* SPDX-License-Identifier: MIT
 *
 * routing_guard: see routing_guard.h.
 */
#include "capture/routing_guard.h"

#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "base/log.h"
#include "capture/routing.h"

struct VpnrRoutingGuard {
	/* const */
	struct nl_sock *sock;
	/* whoever calls */
	gboolean suspects; /* something of ours may be gone */
};

static const int groups[] = { RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, RTNLGRP_IPV4_ROUTE,
			      RTNLGRP_IPV6_ROUTE };

/* Rules are few, and so whoever removes one is worth a look. Routes come and go, on some hosts by
 * the thousand: only ours count. */
static gboolean
may_be_ours(struct nlmsghdr *header)
{
	if (header->nlmsg_type == RTM_DELRULE)
		return TRUE;
	return header->nlmsg_type == RTM_DELROUTE &&
	       nlmsg_valid_hdr(header, sizeof(struct rtmsg)) &&
	       ((struct rtmsg *)nlmsg_data(header))->rtm_protocol == VPNR_ROUTING_PROTOCOL;
}

static int
on_message(struct nl_msg *message, void *data)
{
	VpnrRoutingGuard *guard = data;

	guard->suspects |= may_be_ours(nlmsg_hdr(message));
	return NL_OK;
}

static int
subscribe(VpnrRoutingGuard *guard)
{
	int code = nl_connect(guard->sock, NETLINK_ROUTE);

	nl_socket_disable_seq_check(guard->sock); /* nobody has asked for what comes */
	nl_socket_modify_cb(guard->sock, NL_CB_VALID, NL_CB_CUSTOM, on_message, guard);
	if (code == 0)
		code = nl_socket_set_nonblocking(guard->sock);
	for (gsize i = 0; i < G_N_ELEMENTS(groups) && code == 0; i++)
		code = nl_socket_add_membership(guard->sock, groups[i]);
	return code;
}

VpnrRoutingGuard *
vpnr_routing_guard_new(GError **error)
{
	g_autoptr(VpnrRoutingGuard) guard = g_new0(VpnrRoutingGuard, 1);
	int code = -NLE_NOMEM;

	guard->sock = nl_socket_alloc();
	if (guard->sock != NULL)
		code = subscribe(guard);
	if (code == 0)
		return g_steal_pointer(&guard);
	g_set_error(error, VPNR_ROUTING_ERROR, VPNR_ROUTING_ERROR_FAILED,
		    "changes of routing cannot be watched: %s", nl_geterror(code));
	return NULL;
}

void
vpnr_routing_guard_free(VpnrRoutingGuard *guard)
{
	if (guard == NULL)
		return;
	nl_socket_free(guard->sock);
	g_free(guard);
}

int
vpnr_routing_guard_fd(const VpnrRoutingGuard *guard)
{
	return nl_socket_get_fd(guard->sock);
}

/* What did not fit into the socket is lost (ENOBUFS), and may have been about ours. */
static void
take_news(VpnrRoutingGuard *guard)
{
	int code;

	do
		code = nl_recvmsgs_default(guard->sock);
	while (code == 0);
	guard->suspects |= code != -NLE_AGAIN;
}

void
vpnr_routing_guard_look(VpnrRoutingGuard *guard, const VpnrRules *rules)
{
	g_autoptr(GError) error = NULL;

	take_news(guard);
	if (!guard->suspects)
		return;
	guard->suspects = FALSE;
	if (rules == NULL || vpnr_routing_is_whole(rules))
		return;
	if (vpnr_routing_install(rules, &error))
		vpnr_log(VPNR_LOG_WARN,
			 "somebody has removed routing of capture: it is there again");
	else
		vpnr_log(VPNR_LOG_ERROR,
			 "somebody has removed routing of capture, and it cannot be put back: %s",
			 error->message);
}
