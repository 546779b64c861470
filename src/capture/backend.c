/* SPDX-License-Identifier: MIT
 *
 * backend: what all backends share.
 */
#include "capture/backend.h"

#include "capture/iptables.h"
#include "capture/nftables.h"

/* Threads would race for the variable in which G_DEFINE_QUARK keeps it. */
GQuark
vpnr_backend_error_quark(void)
{
	return g_quark_from_static_string("vpnr-backend-error");
}

const VpnrBackendOps *const vpnr_backends[VPNR_BACKENDS] = {
	&vpnr_nftables_ops,
	&vpnr_iptables_ops,
};

gboolean
vpnr_backend_is_wanted(const VpnrBackendOps *ops, const VpnrRules *rules)
{
	return rules->backend == VPNR_BACKEND_AUTO || rules->backend == ops->kind;
}
