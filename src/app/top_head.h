/* SPDX-License-Identifier: MIT
 *
 * top_head: the lines above the table of "vpnrctl top": what of "status" fits into them. Pure.
 */
#pragma once

#include "app/top_rates.h"

G_BEGIN_DECLS

/* What is wrong with capture, a line of at most width columns for each (transfer full,
 * NULL-terminated); none if all is well. */
char **vpnr_top_alarms(const VpnrTopRates *rates, gsize width);

/* A few lines of at most width columns (transfer full, NULL-terminated): the program, its links,
 * its connections, its traffic. */
char **vpnr_top_head(const VpnrTopRates *rates, gsize width);

/* As many of the parts (NULL-terminated), from the first, as fit into width columns with the gap
 * between them; of the first as much as fits (transfer full). An empty part is none. */
char *vpnr_top_fit_parts(const char *const *parts, const char *gap, gsize width);

G_END_DECLS
