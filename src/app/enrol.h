/* SPDX-License-Identifier: MIT
 *
 * enrol: the two texts that a new client makes: a section for the server's configuration, and a
 * configuration of its own. Plain functions without files or keys to read, called by ctl_add.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"
#include "base/key.h"

G_BEGIN_DECLS

/* Where the client finds the server. */
typedef struct {
	VpnrAddr addr;
	gboolean guessed; /* it is the name of this host, which may be another one elsewhere */
} VpnrEnrolPlace;

/* The n bytes of a server's configuration, as they are, and behind them the section of a client
 * (transfer full). Whether the name is good is seen when the result is read. */
GString *vpnr_enrol_append(const char *text, gsize n, const char *name, const VpnrKey *public_key);

/* Finds the place: given (nullable), "HOST" or "HOST:PORT"; else the first address of listen
 * (VpnrAddr, at least one) that is neither a wildcard nor loopback; else this host's name. Without
 * a port of its own it has that of the listener. FALSE with an error (VPNR_ADDR_ERROR) that quotes
 * what is no address. */
gboolean
vpnr_enrol_place(const GArray *listen, const char *given, VpnrEnrolPlace *place, GError **error);

/* The client's configuration up to its private key, which is to be the end of its last line
 * (transfer full): whoever has the key can so keep it out of longer texts. */
char *
vpnr_enrol_client(const char *name, const VpnrEnrolPlace *place, const VpnrKey *server_public_key);

G_END_DECLS
