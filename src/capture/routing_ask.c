/* SPDX-License-Identifier: MIT
 *
 * routing_ask: see routing_ask.h.
 */
#include "capture/routing_ask.h"

#include <linux/fib_rules.h>
#include <linux/netlink.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/object.h>
#include <sys/socket.h>

#include "capture/routing.h"

typedef struct nl_sock NlSock;
typedef struct nl_cb NlCallbacks;
typedef struct nl_msg NlMessage;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(NlSock, nl_socket_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NlCallbacks, nl_cb_put)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NlMessage, nlmsg_free)

/* Asks for strict checks, so that the kernel heeds what a request for routes asks for. Before 4.20
 * it did not, and sends them all. */
struct nl_sock *
vpnr_routing_ask(GError **error)
{
	g_autoptr(NlSock) sock = nl_socket_alloc();
	int yes = 1;
	int code = sock != NULL ? nl_connect(sock, NETLINK_ROUTE) : -NLE_NOMEM;

	if (code < 0) {
		g_set_error(error, VPNR_ROUTING_ERROR, VPNR_ROUTING_ERROR_FAILED,
			    "netlink socket: %s", nl_geterror(code));
		return NULL;
	}
	(void)setsockopt(nl_socket_get_fd(sock), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &yes,
			 sizeof yes);
	return g_steal_pointer(&sock);
}

static void
on_object(struct nl_object *object, void *found)
{
	nl_object_get(object);
	g_ptr_array_add(found, object);
}

static int
on_message(NlMessage *message, void *found)
{
	nl_msg_parse(message, on_object, found);
	return NL_OK;
}

/* Sends the request, and stores the objects of the answer in *found (transfer full). */
static int
dump(NlSock *sock, NlMessage *request, GPtrArray **found)
{
	g_autoptr(GPtrArray) objects =
	    g_ptr_array_new_with_free_func((GDestroyNotify)nl_object_put);
	g_autoptr(NlCallbacks) callbacks = nl_cb_alloc(NL_CB_DEFAULT);
	int code = nl_send_auto(sock, request);

	nl_cb_set(callbacks, NL_CB_VALID, NL_CB_CUSTOM, on_message, objects);
	if (code >= 0)
		code = nl_recvmsgs(sock, callbacks);
	*found = g_steal_pointer(&objects);
	return code;
}

int
vpnr_routing_ask_rules(struct nl_sock *sock, int family, GPtrArray **found)
{
	g_autoptr(NlMessage) request = nlmsg_alloc_simple(RTM_GETRULE, NLM_F_DUMP);
	struct fib_rule_hdr header = { .family = (guint8)family };

	nlmsg_append(request, &header, sizeof header, NLMSG_ALIGNTO);
	return dump(sock, request, found);
}

int
vpnr_routing_ask_routes(struct nl_sock *sock, int family, guint32 table, guint8 protocol,
			GPtrArray **found)
{
	g_autoptr(NlMessage) request = nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_DUMP);
	struct rtmsg header = { .rtm_family = (guint8)family, .rtm_protocol = protocol };

	nlmsg_append(request, &header, sizeof header, NLMSG_ALIGNTO);
	if (table != 0)
		nla_put_u32(request, RTA_TABLE, table);
	int code = dump(sock, request, found);
	return code == -NLE_OBJ_NOTFOUND ? 0 : code; /* there is no such table yet */
}
