/* SPDX-License-Identifier: MIT
 *
 * top_rates: see top_rates.h.
 */
#include "app/top_rates.h"

#include <math.h>

#include "app/ctl_json.h"

/* A program that was started again has another process id, or, in a container where that is always
 * the same, has been running for less long than before. */
static gboolean
is_same_process(const VpnrTopSample *before, const VpnrTopSample *now)
{
	static const char *const same = "pid", *const grows = "uptime_s";
	double old_pid = vpnr_ctl_json_number(before->status, same);
	double pid = vpnr_ctl_json_number(now->status, same);

	return (pid == old_pid || isnan(pid)) && !(vpnr_ctl_json_number(now->status, grows) <
						   vpnr_ctl_json_number(before->status, grows));
}

/* What was counted in the microseconds between; a counter that went back is another one's. */
static double
rate_of(double before, double now, gint64 us)
{
	return us > 0 && now >= before ? (now - before) * G_USEC_PER_SEC / (double)us : NAN;
}

/* The streams of a sample by their keys (transfer container); empty without one. */
static GHashTable *
index_streams(const VpnrTopSample *sample)
{
	GHashTable *index = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; sample != NULL && i < sample->streams->len; i++) {
		VpnrTopStream *stream = g_ptr_array_index(sample->streams, i);

		g_hash_table_insert(index, stream->key, stream);
	}
	return index;
}

/* All that a connection has carried that was not there before it has carried since. */
static VpnrTopRate
rate_of_stream(const VpnrTopStream *before, const VpnrTopStream *now, gint64 us)
{
	return (VpnrTopRate){
		.down = rate_of(before != NULL ? before->down : 0, now->down, us),
		.up = rate_of(before != NULL ? before->up : 0, now->up, us),
	};
}

VpnrTopRates *
vpnr_top_rates_new(const VpnrTopSample *before, const VpnrTopSample *now)
{
	VpnrTopRates *rates = g_new0(VpnrTopRates, 1);
	guint n = now->streams->len;

	if (before != NULL && !is_same_process(before, now))
		before = NULL;
	g_autoptr(GHashTable) old = index_streams(before);
	gint64 status_us = before != NULL ? now->status_us - before->status_us : 0;
	gint64 streams_us = before != NULL ? now->streams_us - before->streams_us : 0;

	rates->sample = now;
	rates->interval_s = before != NULL ? (double)streams_us / G_USEC_PER_SEC : NAN;
	rates->rate.down = rate_of(before != NULL ? before->down : 0, now->down, status_us);
	rates->rate.up = rate_of(before != NULL ? before->up : 0, now->up, status_us);
	rates->rows = g_array_sized_new(FALSE, FALSE, sizeof(VpnrTopRow), n);
	for (guint i = 0; i < n; i++) {
		const VpnrTopStream *stream = g_ptr_array_index(now->streams, i);
		const VpnrTopStream *earlier = g_hash_table_lookup(old, stream->key);
		VpnrTopRow row = { stream, rate_of_stream(earlier, stream, streams_us) };

		g_array_append_val(rates->rows, row);
	}
	return rates;
}

void
vpnr_top_rates_free(VpnrTopRates *rates)
{
	if (rates == NULL)
		return;
	g_array_unref(rates->rows);
	g_free(rates);
}
