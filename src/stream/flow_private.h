/* SPDX-License-Identifier: MIT
 *
 * flow_private: the inside of a flow, for flow.c, which has the loop and the way from the socket to
 * the link, and flow_output.c, the way from the link to the socket. Everything on the flow's own
 * thread.
 */
#pragma once

#include <sys/socket.h>

#include "stream/flow.h"

struct VpnrFlow {
	/* const after start */
	VpnrTable *table;
	VpnrStream *stream;
	VpnrFlowParams params;
	struct sockaddr_storage peer;
	socklen_t peer_size; /* 0: there is none */
	/* flow's thread */
	int fd;
	GQueue waiting; /* of VpnrFrame, for the socket; their room is not given back yet */
	gsize waiting_bytes;
	guint8 *buffer; /* for what the socket receives */
	gboolean may_read;
	gboolean may_write;
	gboolean has_moved; /* a datagram has come from either side since the last sleep */
	gint64 idle_at;     /* monotonic us: when the flow ends if none does */
	int answer_ms;      /* -1: no answer is expected */
	gint64 answer_at;   /* monotonic us: when the flow ends unless the socket receives one */
	gboolean over;
	VpnrReason reason;
};

/* An error of the socket: counts it, and ends the flow if it has to. */
void vpnr_flow_on_error(VpnrFlow *flow, int error);

/* A datagram (transfer full) that nobody will get: counts it and gives its room back. */
void vpnr_flow_drop(VpnrFlow *flow, VpnrFrame *frame);

/* Writes what waits, as far as the socket takes it. */
void vpnr_flow_write(VpnrFlow *flow);

/* Adds a DATAGRAM from the link (transfer full), and writes. */
void vpnr_flow_add(VpnrFlow *flow, VpnrFrame *frame);
