/* SPDX-License-Identifier: MIT
 *
 * top_table: the connections of "vpnrctl top", a line each. Pure.
 */
#pragma once

#include "app/top_rates.h"

G_BEGIN_DECLS

/* The titles, and of the rows those from first on, n at most, in lines that are made to fit into
 * width columns (transfer full, NULL-terminated): columns that can best be spared are left out,
 * names are cut. None at all if there are no connections. */
char **vpnr_top_table(const VpnrTopRates *rates, guint first, guint n, gsize width);

G_END_DECLS
