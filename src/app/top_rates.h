/* SPDX-License-Identifier: MIT
 *
 * top_rates: how fast a program and each of its connections are, by the difference of two samples.
 * Pure.
 */
#pragma once

#include <glib.h>

#include "app/top_sample.h"

G_BEGIN_DECLS

/* Bytes per second, never negative; NAN: not known. */
typedef struct {
	double down, up;
} VpnrTopRate;

typedef struct {
	const VpnrTopStream *stream; /* of the later sample */
	VpnrTopRate rate;
} VpnrTopRow;

typedef struct {
	const VpnrTopSample *sample; /* the later one (transfer none) */
	double interval_s;           /* between both; NAN: there is no earlier one */
	VpnrTopRate rate;            /* of the whole program */
	GArray *rows;                /* VpnrTopRow, one for each stream of the later sample */
} VpnrTopRates;

/* The rates from before to now, which outlives them. before: of the same path, or NULL: then, and
 * if it was another process, no rate is known yet. */
VpnrTopRates *vpnr_top_rates_new(const VpnrTopSample *before, const VpnrTopSample *now);

/* Takes NULL. */
void vpnr_top_rates_free(VpnrTopRates *rates);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrTopRates, vpnr_top_rates_free)

G_END_DECLS
