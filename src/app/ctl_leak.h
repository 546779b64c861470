/* SPDX-License-Identifier: MIT
 *
 * ctl_leak: "vpnrctl leak-test": does anything leave this host beside the tunnel?
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
	VPNR_CTL_LEAK_NONE = 0,
	VPNR_CTL_LEAK_FOUND = 1,
	VPNR_CTL_LEAK_UNKNOWN = 2, /* none was found, but not everything could be seen */
} VpnrCtlLeak;

/* Sends probes to the targets (texts of addresses, NULL-terminated; NULL: addresses without a
 * host), waits some seconds at most for what becomes of them and prints that. path: of the client.
 * With an error VPNR_CTL_LEAK_UNKNOWN. */
VpnrCtlLeak
vpnr_ctl_leak(const char *path, const char *const *targets, gboolean json, GError **error);

G_END_DECLS
