/* SPDX-License-Identifier: MIT
 *
 * ctl_leak_show: what leak-test has seen, as a table or as JSON. Pure.
 */
#pragma once

#include <glib.h>

#include "leak/trial.h"

G_BEGIN_DECLS

/* One line for each of the n trials, and one that sums up (transfer full). */
char *vpnr_ctl_leak_show_table(const VpnrLeakTrial *trials, gsize n);

/* The same as one JSON object in one line (transfer full). */
char *vpnr_ctl_leak_show_json(const VpnrLeakTrial *trials, gsize n);

G_END_DECLS
