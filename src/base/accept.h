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

/* One for a socket that listens (transfer full), which does not block from now on. It accepts
 * nothing yet. The name of its thread is not copied. Never fails. */
VpnrAccept *vpnr_accept_new(int fd, const char *name, VpnrAcceptFunc func, gpointer data);

/* Starts its thread. FALSE with an error when there is none left, or no descriptor. */
gboolean vpnr_accept_start(VpnrAccept *acceptor, GError **error);

/* Stops accepting, joins the thread, closes the socket, frees. Takes NULL, and one that was not
 * started. */
void vpnr_accept_stop(VpnrAccept *acceptor);

G_END_DECLS
