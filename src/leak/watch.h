/* SPDX-License-Identifier: MIT
 *
 * watch: sees every packet that leaves this host, by whatever interface but the loopback one; also
 * what has been sent beside all sockets, and after every packet filter. One thread.
 */
#pragma once

#include <glib.h>
#include <net/if.h>

#include "leak/packet.h"

G_BEGIN_DECLS

/* Watches from now on: a descriptor (transfer full) that is readable when a packet has left. -1
 * with an error (G_FILE_ERROR_PERM: the capability CAP_NET_RAW is missing). */
int vpnr_leak_watch_open(GError **error);

/* The next TCP or UDP packet that has left, and by which interface. FALSE: none now. */
gboolean vpnr_leak_watch_next(int fd, VpnrLeakPacket *packet, char interface[static IF_NAMESIZE]);

G_END_DECLS
