/* SPDX-License-Identifier: MIT
 *
 * top_fixture: answers of a client and a server for the tests of "vpnrctl top".
 */
#pragma once

#include "app/top_rates.h"

/* A sample of these answers, both asked for at the same moment; the answers must be good. */
VpnrTopSample *top_sample(const char *status, const char *connections, gint64 us);

/* A client of which two connections are known at 10 s and three at 11 s. */
VpnrTopSample *top_sample_before(void);
VpnrTopSample *top_sample_now(void);

/* A client with one connection to this destination, and n more to host0:1, host1:1 and so on. */
VpnrTopSample *top_sample_of(const char *destination, guint n);
