/* SPDX-License-Identifier: MIT
 *
 * backend: what all backends share.
 */
#include "capture/backend.h"

/* Threads would race for the variable in which G_DEFINE_QUARK keeps it. */
GQuark
vpnr_backend_error_quark(void)
{
	return g_quark_from_static_string("vpnr-backend-error");
}
