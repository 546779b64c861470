/* SPDX-License-Identifier: MIT
 *
 * settings_capture: what the section [capture] means: its keys, and what [client] has to say about
 * them, as rules (client/rules.h). Called by settings, on main's thread or the control socket's.
 */
#pragma once

#include <glib.h>

#include "app/keyfile.h"
#include "capture/rules.h"
#include "proto/frame.h"

G_BEGIN_DECLS

/* The keys of the section, NULL-terminated. */
extern const char *const vpnr_settings_capture_keys[];

/* What is wrong with a kill switch and mode = off: the client's own link has no mark then, and is
 * kept from leaving like everything else. */
#define VPNR_SETTINGS_CAPTURE_NO_MODE "\"yes\" needs a mode other than off"

/* What [client] says that capture depends on. */
typedef struct {
	VpnrProtocol protocol;
	const GArray *redirect; /* VpnrAddr, of its listeners */
} VpnrCaptureContext;

/* What an empty section means, but for the listeners (transfer full). */
VpnrRules *vpnr_settings_capture_defaults(void);

/* Reads the section, which need not exist (transfer full). NULL with an error that names file,
 * section, key and value. Names of users and groups are looked up. */
VpnrRules *vpnr_settings_capture_read(const VpnrSection *section, const VpnrCaptureContext *context,
				      GError **error);

G_END_DECLS
