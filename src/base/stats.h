/* SPDX-License-Identifier: MIT
 *
 * stats: every counter of the program, declared once with its help text.
 *
 * A VpnrStats is an array of atomics: any thread adds, any thread reads. It is owned by the
 * program's main and passed to whoever counts; the client has one more for each of its links.
 */
#pragma once

#include <glib.h>
#include <stdatomic.h>

G_BEGIN_DECLS

/* X(symbol, name in status --json, help) */
#define VPNR_STATS_LIST(X)                                                                         \
	X(STREAMS_TOTAL, "streams_total", "streams opened since the start")                        \
	X(RECONNECTS, "reconnects",                                                                \
	  "links established after an earlier one, rotations not counted")                         \
	X(RESUMES, "resumes", "links that carried a session on")                                   \
	X(ROTATIONS, "rotations", "links replaced by a fresh one while they worked")               \
	X(SESSIONS_LOST, "sessions_lost", "sessions that ended because no link came back in time") \
	X(FRAMES_SENT, "frames_sent", "frames sent on links")                                      \
	X(FRAMES_RECEIVED, "frames_received", "frames received on links")                          \
	X(FRAMES_STALE, "frames_stale", "frames for streams that had ended, dropped")              \
	X(FRAMES_REPLAYED, "frames_replayed", "frames sent again on a new link")                   \
	X(BYTES_REPLAYED, "bytes_replayed", "bytes of stream data sent again on a new link")       \
	X(BYTES_SENT, "bytes_sent", "bytes of stream data and datagrams sent on links")            \
	X(BYTES_RECEIVED, "bytes_received",                                                        \
	  "bytes of stream data and datagrams received on links")                                  \
	X(DATAGRAMS_SENT, "datagrams_sent", "datagrams of UDP flows sent on links")                \
	X(DATAGRAMS_RECEIVED, "datagrams_received", "datagrams of UDP flows received on links")    \
	X(DATAGRAMS_DROPPED, "datagrams_dropped",                                                  \
	  "datagrams dropped because a queue was full or a flow had ended")                        \
	X(DATAGRAMS_REFUSED, "datagrams_refused",                                                  \
	  "datagrams that a socket did not take, and refusals that came back for them")            \
	X(LINKS_FAILED, "links_failed", "links that failed, or ended without a goodbye")           \
	X(VIOLATIONS, "violations", "links closed because the peer broke the protocol")            \
	X(AUTH_REFUSED, "auth_refused", "links refused before authentication was complete")        \
	X(LOOPS_REFUSED, "loops_refused",                                                          \
	  "connections to the client itself, not redirected, refused")                             \
	X(STREAMS_REFUSED, "streams_refused", "streams refused because a limit was reached")       \
	X(FLOWS_REFUSED, "flows_refused", "UDP flows refused because max-flows are there")         \
	X(DATAGRAMS_REJECTED, "datagrams_rejected",                                                \
	  "datagrams of applications that were malformed, or that nobody asked for")               \
	X(BUDGET_REFUSED, "budget_refused", "streams refused because no memory was left for them") \
	X(STREAMS_DENIED, "streams_denied", "streams refused by the access list")                  \
	X(PROXY_REFUSED, "proxy_refused",                                                          \
	  "SOCKS and HTTP requests that were malformed or refused")                                \
	X(NO_LINK, "no_link", "connections refused because no link came in time")                  \
	X(LEFT_WAITING, "left_waiting",                                                            \
	  "connections given up by their application while they waited for a link")

#define VPNR_STATS_ENUM(symbol, name, help) VPNR_STAT_##symbol,
typedef enum {
	VPNR_STATS_LIST(VPNR_STATS_ENUM) /* no trailing comma: each has its own */
	VPNR_N_STATS
} VpnrStat;

typedef struct VpnrStats {
	/* atomic */
	_Atomic guint64 counters[VPNR_N_STATS];
} VpnrStats;

/* Adds n (thread-safe). stats may be NULL: nothing is counted. */
void vpnr_stats_add(VpnrStats *stats, VpnrStat stat, guint64 n);

/* Adds all of another's values (thread-safe). */
void vpnr_stats_add_all(VpnrStats *stats, const VpnrStats *other);

/* The value now (thread-safe). */
guint64 vpnr_stats_get(const VpnrStats *stats, VpnrStat stat);

/* The name in status --json, and the sentence that explains it (transfer none). */
const char *vpnr_stat_name(VpnrStat stat);
const char *vpnr_stat_help(VpnrStat stat);

G_END_DECLS
