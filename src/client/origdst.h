/* SPDX-License-Identifier: MIT
 *
 * origdst: where a connection that netfilter has brought to us was going.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"

G_BEGIN_DECLS

typedef enum {
	VPNR_ORIGDST_OK,
	VPNR_ORIGDST_LOOP, /* the connection was made to us: nothing redirected it */
	VPNR_ORIGDST_NONE, /* the kernel has no record of it */
} VpnrOrigdst;

/* Asks for the destination that an accepted socket had before a REDIRECT or DNAT (SO_ORIGINAL_DST,
 * for IPv6 IP6T_SO_ORIGINAL_DST). On VPNR_ORIGDST_LOOP *dest is our own address. */
VpnrOrigdst vpnr_origdst_get(int fd, VpnrAddr *dest);

/* The same for what a transparent listener has accepted (transparent.h): no rule has changed the
 * connection, so its local address is the destination. Whether that is a loop only own.h can
 * tell. */
VpnrOrigdst vpnr_origdst_get_transparent(int fd, VpnrAddr *dest);

G_END_DECLS
