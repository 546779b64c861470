/* SPDX-License-Identifier: MIT
 *
 * lifecycle: how a stream begins, half-closes and ends, as a pure state machine: an event updates
 * the state and returns what is to be done; doing it never updates the state.
 *
 * "Input" is what our socket sends and we put on the link, "output" what comes from the link and
 * goes to our socket.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
	VPNR_INPUT_OPEN,
	VPNR_INPUT_DISCARD, /* the peer takes nothing more: what the socket sends is dropped */
	VPNR_INPUT_CLOSED,  /* the socket has ended */
} VpnrInput;

typedef enum {
	VPNR_OUTPUT_OPEN,
	VPNR_OUTPUT_DRAINING, /* the peer has ended; what it sent before still goes to the socket */
	VPNR_OUTPUT_CLOSED,   /* the socket has been told */
} VpnrOutput;

/* What the end of one direction means to the other. */
typedef enum {
	/* VPNr/2, and the client of VPNr/1: nothing. */
	VPNR_LIFE_SYMMETRIC,
	/* Server of VPNr/1: END tells that the application is gone, so the destination is closed as
	 * soon as it has what was sent. */
	VPNR_LIFE_V1_SERVER,
	/* Server of dialect rust: the protocol cannot say that one direction has ended, so moreover
	 * the end of the destination is the end of the stream. */
	VPNR_LIFE_RUST_SERVER,
} VpnrLifeKind;

typedef struct {
	VpnrLifeKind kind;
	VpnrInput input;
	VpnrOutput output;
	/* The socket takes nothing more, against our will: output is closed, and when what it has
	 * sent before has been read, its end is a reset, whatever it says. */
	gboolean broken;
	gboolean over;
} VpnrLifecycle;

typedef enum {
	VPNR_EVENT_INPUT_EOF,    /* our socket has finished sending */
	VPNR_EVENT_SOCKET_ERROR, /* our socket was reset or is broken; nothing is left to read */
	VPNR_EVENT_OUTPUT_ERROR, /* the same, but something may be: it does not take what it got */
	VPNR_EVENT_FIN,          /* the peer has finished sending */
	VPNR_EVENT_END,          /* the peer has ended the stream in both directions (VPNr/1) */
	VPNR_EVENT_RESET,        /* the peer, or the loss of the link, aborted the stream */
	VPNR_EVENT_DRAINED,      /* everything that the peer sent has gone to our socket */
} VpnrEvent;

/* A set. They are done in this order. */
typedef enum {
	VPNR_ACTION_SEND_FIN = 1 << 0,
	VPNR_ACTION_SEND_RESET = 1 << 1,  /* behind the data; VPNr/1: FAIL */
	VPNR_ACTION_DROP_OUTPUT = 1 << 2, /* forget what our socket has not taken */
	VPNR_ACTION_SHUT_OUTPUT = 1 << 3, /* tell our socket that nothing more comes */
	VPNR_ACTION_DROP_INPUT = 1 << 4,  /* forget what our socket has sent */
	VPNR_ACTION_CLOSE = 1 << 5,       /* close our socket in order; the stream is over */
	VPNR_ACTION_ABORT = 1 << 6,       /* close our socket with a reset; the stream is over */
} VpnrActions;

/* A stream whose two directions are open. */
VpnrLifecycle vpnr_lifecycle_init(VpnrLifeKind kind);

/* Feeds one event. Events that come too late, after the stream is over, give no actions. */
VpnrActions vpnr_lifecycle_step(VpnrLifecycle *life, VpnrEvent event);

G_END_DECLS
