/* SPDX-License-Identifier: MIT
 *
 * diversion: the rules that send everything in a namespace (netns.h) to transparent sockets on its
 * loopback addresses, 127.0.0.1 and ::1.
 *
 * A connection to the namespace's own addresses stays in it, since programs talk to their own; one
 * to port 53 does not even there: a resolver at 127.0.0.53 is the host's.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
	guint16 tcp4; /* ports; 0: there is no such socket */
	guint16 tcp6;
	guint16 udp4;
	guint16 udp6;
} VpnrDiversion;

/* The rules as a script of nftables (transfer full). What has no socket is refused at once, so that
 * nobody waits in vain. */
char *vpnr_diversion_rules(const VpnrDiversion *diversion);

/* Puts the rules in force in the namespace of this process. Needs CAP_NET_ADMIN. */
gboolean vpnr_diversion_install(const VpnrDiversion *diversion, GError **error);

G_END_DECLS
