/* SPDX-License-Identifier: MIT
 *
 * netwatch: hears from the kernel that addresses, interfaces, routes or rules have changed, by
 * rtnetlink(7), so that the uplink need not wait for silence to notice that its link is lost.
 *
 * It tells that something has changed, not what: the question that counts is asked afterwards, and
 * is vpnr_netwatch_same_path(). So a change too many costs a system call or three, and whatever may
 * have been missed counts as a change. One thread uses a watch.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct VpnrNetwatch VpnrNetwatch;

/* Listens in the network namespace of the calling thread. NULL with an error (G_FILE_ERROR) where
 * the kernel does not tell; all else works without. Needs no privileges. */
VpnrNetwatch *vpnr_netwatch_new(GError **error);

/* Takes NULL. */
void vpnr_netwatch_free(VpnrNetwatch *watch);

/* The descriptor that is readable while there is something for vpnr_netwatch_read() (transfer
 * none). */
int vpnr_netwatch_fd(const VpnrNetwatch *watch);

/* Reads what has come, without waiting. TRUE if any of it may matter to a link: not so the loopback
 * interface, signal levels of wireless ones, what the kernel remembers about single hosts, and the
 * routing of tproxy (routing.h). */
gboolean vpnr_netwatch_read(VpnrNetwatch *watch);

/* The part of it that decodes: TRUE if one of the rtnetlink messages in a datagram of n bytes may
 * matter, or if the datagram is malformed. */
gboolean vpnr_netwatch_matters(const guint8 *bytes, gsize n);

/* TRUE if the kernel would send to the peer of the connected socket link_fd from the same local
 * address again. FALSE: it would choose another one, or there is no way to the peer now. */
gboolean vpnr_netwatch_same_path(int link_fd);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrNetwatch, vpnr_netwatch_free)

G_END_DECLS
