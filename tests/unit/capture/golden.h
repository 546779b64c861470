/* SPDX-License-Identifier: MIT
 *
 * golden: rules for tests of generators, and the texts that they must give.
 */
#pragma once

#include <glib.h>

#include "capture/rules.h"

/* Rules of a mode with the defaults of the configuration, for listeners on 4333 (transfer full). */
VpnrRules *golden_rules(VpnrCaptureMode mode);

/* The same with something in every list. */
VpnrRules *golden_rules_full(VpnrCaptureMode mode);

/* Appends "10.0.0.0/8;2001:db8::/32". */
void golden_networks(GArray *networks, const char *list);

/* Fails unless text is what tests/unit/capture/PATH has. With VPNR_GOLDEN=write the file is written
 * instead: then look at the difference. */
void golden_compare(const char *path, const char *text);
