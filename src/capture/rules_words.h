/* SPDX-License-Identifier: MIT
 *
 * rules_words: rules as a person would say them. A pure function.
 */
#pragma once

#include <glib.h>

#include "capture/rules.h"

G_BEGIN_DECLS

/* One statement a line (transfer full). */
char *vpnr_rules_in_words(const VpnrRules *rules);

G_END_DECLS
