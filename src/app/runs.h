/* SPDX-License-Identifier: MIT
 *
 * runs: what the client does for "vpnrctl run": serves listening sockets that were made in another
 * network namespace, as inbounds like its own, as long as vpnrctl is there.
 *
 * The control socket's threads begin and end runs and ask for their number, all at once.
 */
#pragma once

#include <glib.h>

#include "app/control.h"
#include "client/inbound.h"
#include "client/udp_inbound.h"

G_BEGIN_DECLS

typedef struct VpnrRuns VpnrRuns;
typedef struct VpnrRun VpnrRun;

/* What all inbounds of runs have in common, for TCP and for UDP; who listens, and of which kind, is
 * not looked at. udp: NULL if there is none to be served. What the parameters point to outlives the
 * runs. */
VpnrRuns *vpnr_runs_new(const VpnrInboundParams *tcp, const VpnrUdpInboundParams *udp);

/* Frees it once every run has ended. Takes NULL. */
void vpnr_runs_free(VpnrRuns *runs);

/* Serves the sockets, which it takes out of fds: listening TCP sockets that are transparent, so
 * that the local addresses of what they accept are destinations; UDP sockets that tell of each
 * datagram where it was going; and one to ask for the sockets of UDP flows (run/lender.h). NULL
 * with an error that says which of them is something else. */
VpnrRun *vpnr_runs_begin(VpnrRuns *runs, VpnrFds *fds, GError **error);

/* FALSE: UDP is not served, since the runs have none or the run came without its sockets. */
gboolean vpnr_runs_has_udp(const VpnrRun *run);

/* Stops serving them and frees the run; streams go on, UDP flows end. */
void vpnr_runs_end(VpnrRuns *runs, VpnrRun *run);

/* How many there are, and the connections of all of them that wait for a link. */
guint vpnr_runs_count(VpnrRuns *runs);
guint vpnr_runs_waiting(VpnrRuns *runs);

G_END_DECLS
