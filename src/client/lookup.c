/* SPDX-License-Identifier: MIT
 *
 * lookup: see lookup.h. Uplink's thread.
 */
#include "client/lookup.h"

#include "base/log.h"
#include "base/resolve.h"

struct VpnrLookup {
	VpnrAddr server; /* whose addresses are known */
	GArray *known;   /* VpnrAddr; NULL: none yet */
	VpnrAddr dialled;
};

VpnrLookup *
vpnr_lookup_new(void)
{
	return g_new0(VpnrLookup, 1);
}

void
vpnr_lookup_free(VpnrLookup *lookup)
{
	if (lookup == NULL)
		return;
	g_clear_pointer(&lookup->known, g_array_unref);
	g_free(lookup);
}

/* A server that is unknown there is another answer than none at all, but a resolver that has lost
 * its way upstream may give it, too. */
static gboolean
may_fall_back(const VpnrLookup *lookup, const GError *why)
{
	return lookup->known != NULL &&
	       !g_error_matches(why, VPNR_RESOLVE_ERROR, VPNR_RESOLVE_ERROR_CANCELLED);
}

const GArray *
vpnr_lookup_find(VpnrLookup *lookup, const VpnrLookupParams *params, GError **error)
{
	g_autoptr(GError) why = NULL;
	GArray *found;
	int timeout_ms = params->timeout_ms;

	lookup->dialled = params->server;
	if (!vpnr_addr_equal(&lookup->server, &params->server)) {
		lookup->server = params->server;
		g_clear_pointer(&lookup->known, g_array_unref);
	}
	if (lookup->known != NULL)
		timeout_ms = MIN(timeout_ms, VPNR_LOOKUP_KNOWN_MS);
	found =
	    vpnr_resolve_marked(&params->server, params->mark, timeout_ms, &params->cancel, &why);
	if (found != NULL) {
		g_clear_pointer(&lookup->known, g_array_unref);
		lookup->known = found;
	} else if (may_fall_back(lookup, why)) {
		vpnr_log(VPNR_LOG_DEBUG, "%s: its last known addresses are dialled", why->message);
	} else {
		g_propagate_error(error, g_steal_pointer(&why));
		return NULL;
	}
	return lookup->known;
}

void
vpnr_lookup_set_dialled(VpnrLookup *lookup, const VpnrAddr *addr)
{
	lookup->dialled = *addr;
}

const VpnrAddr *
vpnr_lookup_dialled(const VpnrLookup *lookup)
{
	return &lookup->dialled;
}
