/* SPDX-License-Identifier: MIT
 *
 * lookup: the addresses of the server, found by its name, or as they were last known.
 *
 * When everybody's questions to name servers are captured, a look-up through a resolver on this
 * host needs the link that it is made for. So addresses that were found once are kept, and are good
 * enough when no name server answers.
 *
 * Belongs to one thread.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"
#include "base/cancel.h"

G_BEGIN_DECLS

/* Milliseconds that a look-up may take if there are addresses to fall back to: time for one try and
 * its repetition on a network that works. */
#define VPNR_LOOKUP_KNOWN_MS 3000

typedef struct VpnrLookup VpnrLookup;

typedef struct {
	VpnrAddr server; /* an address or a name, with its port */
	guint32 mark;    /* SO_MARK of the questions; 0: none */
	int timeout_ms;
	VpnrCancel cancel;
} VpnrLookupParams;

/* One that knows nothing. Never fails. */
VpnrLookup *vpnr_lookup_new(void);

/* Takes NULL. */
void vpnr_lookup_free(VpnrLookup *lookup);

/* The server's addresses (VpnrAddr; transfer none, until the next call). NULL with an error
 * (base/resolve.h) if it is not found and was not found before, or on cancel. */
const GArray *vpnr_lookup_find(VpnrLookup *lookup, const VpnrLookupParams *params, GError **error);

/* Which address was dialled last (transfer none); since a look-up that is the server, until one of
 * its addresses has been dialled. */
void vpnr_lookup_set_dialled(VpnrLookup *lookup, const VpnrAddr *addr);
const VpnrAddr *vpnr_lookup_dialled(const VpnrLookup *lookup);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrLookup, vpnr_lookup_free)

G_END_DECLS
