/* SPDX-License-Identifier: MIT
 *
 * lender: sockets of one network namespace for a process in another, which cannot make them there:
 * the answers to a datagram must come from where it was going.
 *
 * Both ends of a socketpair (SOCK_SEQPACKET): vpnrctl serves one, the client asks by the other. A
 * request brings a descriptor for the answer, so that any number of threads can ask at once.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"

G_BEGIN_DECLS

/* Milliseconds that a request may take: the other side does nothing else. */
#define VPNR_LENDER_MS 2000

/* A pair: ends[0] asks, ends[1] serves. FALSE with an error. */
gboolean vpnr_lender_pair(int ends[static 2], GError **error);

/* A non-blocking UDP socket in the server's namespace, bound to local and connected to peer (any
 * thread). -1 with errno. */
int vpnr_lender_ask(int asking, const VpnrAddr *local, const VpnrAddr *peer);

/* Answers the request that makes the socket readable. FALSE: nobody asks any more. */
gboolean vpnr_lender_serve(int serving);

G_END_DECLS
