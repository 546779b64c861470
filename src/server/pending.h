/* SPDX-License-Identifier: MIT
 *
 * pending: the services whose peers have not said HELLO, oldest first. A handshake costs memory and
 * a thread, and anybody can begin one; so does the wait for the HELLO of a client that is known.
 *
 * When there are too many, the oldest makes way. Who means it is done after a few round trips; so
 * those who only hold their connections cannot keep others out, but would have to bring as many new
 * ones as there may be in all during each handshake.
 *
 * Whoever calls holds the server's lock. Services are only compared, never looked into.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"
#include "server/service.h"

G_BEGIN_DECLS

/* In all, and from one source: an IPv4 address, or the /64 that one IPv6 host has to itself. Behind
 * it may be a network with many clients that come back at once, or a client with 16 links, whose
 * last connections are still there when the next come. */
#define VPNR_PENDING_MAX            256
#define VPNR_PENDING_PER_SOURCE_MAX 32

typedef struct VpnrPending VpnrPending;

VpnrPending *vpnr_pending_new(void);

/* Frees it. Takes NULL. */
void vpnr_pending_free(VpnrPending *pending);

/* Takes in a service whose peer this is. FALSE: there are too many of its source, or as many as
 * there may be have made way and are still there. *oldest: the one that is to make way, or NULL; it
 * is to be removed, too, when it has ended. */
gboolean vpnr_pending_add(VpnrPending *pending, VpnrService *service, const VpnrAddr *peer,
			  VpnrService **oldest);

/* The service's peer has said HELLO, or never will. Once, for each that was taken in. */
void vpnr_pending_remove(VpnrPending *pending, const VpnrService *service);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrPending, vpnr_pending_free)

G_END_DECLS
