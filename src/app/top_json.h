/* SPDX-License-Identifier: MIT
 *
 * top_json: the rates as JSON, for "top --json". Pure.
 */
#pragma once

#include "app/top_rates.h"

G_BEGIN_DECLS

/* One JSON object in one line (transfer full): the interval in seconds, the rates of the whole in
 * bytes per second (null: not known), the answer to "status", and the connections as the program
 * has told them, each with its rates. */
char *vpnr_top_json(const VpnrTopRates *rates);

G_END_DECLS
