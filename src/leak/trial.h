/* SPDX-License-Identifier: MIT
 *
 * trial: a probe on its way: its socket, and what has been seen of it. One thread.
 *
 * The socket stays open until the trial is cleared, so that a client that carries it has a stream
 * for it for as long as the other end lets it.
 */
#pragma once

#include <glib.h>
#include <net/if.h>

#include "leak/packet.h"
#include "leak/probe.h"
#include "leak/verdict.h"

G_BEGIN_DECLS

typedef struct {
	VpnrLeakProbe probe;
	VpnrLeakFacts facts;
	VpnrAddr source; /* what the kernel has chosen; VPNR_ADDR_NONE: nothing */
	char interface[IF_NAMESIZE];
	int fd;          /* -1: none any more */
	gboolean opened; /* a connection that has got its payload, or a datagram that was sent */
} VpnrLeakTrial;

/* Sends the probe, or begins its connection; does not wait. */
void vpnr_leak_trial_start(VpnrLeakTrial *trial, const VpnrLeakProbe *probe);

/* What poll() is to look for on the socket. */
short vpnr_leak_trial_events(const VpnrLeakTrial *trial);

/* poll() has seen something: sends what a connection is to say, notes errors and answers. */
void vpnr_leak_trial_look(VpnrLeakTrial *trial);

/* Notes that a packet has left this host, if it goes where the probe does. Its source may have been
 * changed on the way (NAT), so that is not asked for. */
void
vpnr_leak_trial_note(VpnrLeakTrial *trial, const VpnrLeakPacket *packet, const char *interface);

void vpnr_leak_trial_clear(VpnrLeakTrial *trial);

G_END_DECLS
