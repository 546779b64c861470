/* SPDX-License-Identifier: MIT
 *
 * ctl_add: vpnrctl's command that lets a new client in.
 *
 * It works on the configuration of a server, which need not run.
 */
#pragma once

#include <glib.h>
#include <stdio.h>

G_BEGIN_DECLS

typedef struct {
	const char *config; /* the server's configuration */
	const char *name;   /* of the client */
	const char *server; /* "HOST" or "HOST:PORT" for the client; NULL: what the listeners say */
} VpnrCtlAdd;

/* Makes a key pair, adds a client with the public key to the server's configuration, prints the
 * client's configuration with the private key to out, and has the server read its own again if it
 * runs. *note (transfer full) then says whether the client may connect already.
 *
 * FALSE with an error. The server's configuration has not changed then, unless the error says that
 * the server would not read it. */
gboolean vpnr_ctl_add(const VpnrCtlAdd *add, FILE *out, char **note, GError **error);

G_END_DECLS
