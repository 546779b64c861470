/* SPDX-License-Identifier: MIT
 *
 * accept: a thread that accepts the connections of one listening socket and hands each one on.
 *
 * The thread that starts it stops it.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"

G_BEGIN_DECLS

typedef struct VpnrAccept VpnrAccept;

/* Called on the accept thread for each connection: fd is non-blocking (transfer full), peer who it
 * is from. Must not block. */
typedef void (*VpnrAcceptFunc)(int fd, const VpnrAddr *peer, gpointer data);

/* Opens a listening socket on addr (vpnr_fd_listen) and starts its thread under this name. NULL
 * with an error that names the address. */
VpnrAccept *vpnr_accept_start(const VpnrAddr *addr, const char *name, VpnrAcceptFunc func,
			      gpointer data, GError **error);

/* The same for a socket that listens already (transfer full, even on failure). It does not block
 * from now on. */
VpnrAccept *
vpnr_accept_start_on(int fd, const char *name, VpnrAcceptFunc func, gpointer data, GError **error);

/* Stops accepting, joins the thread, closes the socket, frees. Takes NULL. */
void vpnr_accept_stop(VpnrAccept *acceptor);

G_END_DECLS
