/* SPDX-License-Identifier: MIT
 *
 * netns: a network namespace of this process's own, in which every destination is this host.
 *
 * Its only interface is the loopback one, and the routes of both families lead back through it: a
 * connection from inside has no way out but a socket that somebody outside has been given. So
 * nothing has to be kept from leaking.
 *
 * For a process with one thread: what it starts afterwards is inside, too.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a connection from inside comes from: 192.0.0.8 is the address that a host without any may
 * give itself (RFC 7600, section 4.8), fd76:706e:7200::1 is out of a private network (RFC 4193).
 * Programs ask for names of a family only if they have an address of it that is not loopback. */
#define VPNR_NETNS_HOST4 "192.0.0.8"
#define VPNR_NETNS_HOST6 "fd76:706e:7200::1"

typedef enum {
	VPNR_NETNS_FAILED,
	VPNR_NETNS_KEPT,   /* the process has the capabilities that it had before */
	VPNR_NETNS_GAINED, /* a user namespace gave it capabilities, to be dropped (privilege.h) */
} VpnrNetnsResult;

/* Moves the calling process into a new namespace whose interface is up, but which has no addresses
 * or routes yet. Without the right to do that the process gets a user namespace, too, in which it
 * is nobody but itself. On failure the error says what the kernel forbids. */
VpnrNetnsResult vpnr_netns_enter(GError **error);

/* Gives the namespace its address and its route of a family, AF_INET or AF_INET6. */
gboolean vpnr_netns_route(int family, GError **error);

/* FALSE if the namespace has no IPv6, so that nothing can be sent by it: the kernel knows none, or
 * every namespace starts without it (the kernel's parameter ipv6.disable_ipv6, or the sysctl
 * net.core.devconf_inherit_init_net). */
gboolean vpnr_netns_has_ipv6(void);

G_END_DECLS
