/* SPDX-License-Identifier: MIT
 *
 * transparent: sockets with addresses that are not this host's (IP_TRANSPARENT, IPV6_TRANSPARENT):
 * they take what tproxy rules hand them and answer from the address that was asked.
 *
 * All of them carry a mark (SO_MARK; 0: none), so that their answers to a network behind this host
 * are not captured in turn. They need CAP_NET_ADMIN, and CAP_NET_BIND_SERVICE for ports below 1024;
 * errors say so. Any thread; nothing here keeps state. IPv4 and IPv6 addresses only.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"

G_BEGIN_DECLS

/* A listening TCP socket as vpnr_fd_listen() makes it. What it accepts is transparent and marked as
 * well; its local address is the original destination. -1 with an error that names the address. */
int vpnr_transparent_listen(const VpnrAddr *addr, guint32 mark, GError **error);

/* A non-blocking UDP socket on addr that tells of each datagram where it was going. -1 with an
 * error that names the address. */
int vpnr_transparent_bind(const VpnrAddr *addr, guint32 mark, GError **error);

/* Receives one datagram from such a socket: its bytes, who sent it, and where it was going. -1 with
 * errno, EAGAIN among others; EBADMSG for one that does not say where it was going. */
gssize vpnr_transparent_receive(int fd, guint8 *bytes, gsize size, VpnrAddr *from, VpnrAddr *to);

/* A non-blocking UDP socket that speaks to peer in the name of local, which need not be an address
 * of this host, and gets what peer sends there. -1 with errno. */
int vpnr_transparent_connect(const VpnrAddr *local, const VpnrAddr *peer, guint32 mark);

/* What to say behind the text of such an errno: which capability it takes, or "" if that is not
 * what is wrong. */
const char *vpnr_transparent_missing(int err);

G_END_DECLS
