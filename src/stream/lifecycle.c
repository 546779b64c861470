/* SPDX-License-Identifier: MIT
 *
 * lifecycle: see lifecycle.h. One function per event.
 */
#include "stream/lifecycle.h"

VpnrLifecycle
vpnr_lifecycle_init(VpnrLifeKind kind)
{
	return (VpnrLifecycle){ .kind = kind };
}

static VpnrActions
finish(VpnrLifecycle *life, VpnrActions actions)
{
	life->input = VPNR_INPUT_CLOSED;
	life->output = VPNR_OUTPUT_CLOSED;
	life->over = TRUE;
	return actions;
}

static VpnrActions
on_input_eof(VpnrLifecycle *life)
{
	VpnrActions actions = life->input == VPNR_INPUT_OPEN ? VPNR_ACTION_SEND_FIN : 0;

	if (life->input == VPNR_INPUT_CLOSED)
		return 0;
	if (life->broken)
		return finish(life, VPNR_ACTION_SEND_RESET | VPNR_ACTION_ABORT);
	life->input = VPNR_INPUT_CLOSED;
	if (life->output == VPNR_OUTPUT_CLOSED || life->kind == VPNR_LIFE_RUST_SERVER)
		return finish(life, actions | VPNR_ACTION_CLOSE);
	return actions;
}

/* What a destination has sent before its reset is its answer. */
static VpnrActions
on_output_error(VpnrLifecycle *life)
{
	if (life->input != VPNR_INPUT_OPEN)
		return finish(life, VPNR_ACTION_SEND_RESET | VPNR_ACTION_ABORT);
	life->output = VPNR_OUTPUT_CLOSED;
	life->broken = TRUE;
	return VPNR_ACTION_DROP_OUTPUT;
}

static VpnrActions
on_fin(VpnrLifecycle *life)
{
	if (life->output == VPNR_OUTPUT_OPEN)
		life->output = VPNR_OUTPUT_DRAINING;
	return 0;
}

/* VPNr/1's FAIL is answered by one, so that both sides know that the id is free. A destination that
 * had been told that nothing more comes has nobody left to send to. What it has sent is dropped
 * first: a socket that is closed with something unread is reset, and loses what it still has. */
static VpnrActions
on_end(VpnrLifecycle *life)
{
	if (life->output == VPNR_OUTPUT_CLOSED && life->kind != VPNR_LIFE_SYMMETRIC)
		return finish(life,
			      VPNR_ACTION_SEND_RESET | VPNR_ACTION_DROP_INPUT | VPNR_ACTION_CLOSE);
	if (life->input == VPNR_INPUT_OPEN)
		life->input = VPNR_INPUT_DISCARD;
	return on_fin(life) | VPNR_ACTION_SEND_RESET;
}

static VpnrActions
on_drained(VpnrLifecycle *life)
{
	if (life->output != VPNR_OUTPUT_DRAINING)
		return 0;
	life->output = VPNR_OUTPUT_CLOSED;
	if (life->input == VPNR_INPUT_CLOSED)
		return finish(life, VPNR_ACTION_CLOSE);
	if (life->input == VPNR_INPUT_DISCARD && life->kind != VPNR_LIFE_SYMMETRIC)
		return finish(life,
			      VPNR_ACTION_SHUT_OUTPUT | VPNR_ACTION_DROP_INPUT | VPNR_ACTION_CLOSE);
	return VPNR_ACTION_SHUT_OUTPUT;
}

static VpnrActions
on_event(VpnrLifecycle *life, VpnrEvent event)
{
	switch (event) {
	case VPNR_EVENT_INPUT_EOF:
		return on_input_eof(life);
	case VPNR_EVENT_SOCKET_ERROR:
		return finish(life, VPNR_ACTION_SEND_RESET | VPNR_ACTION_ABORT);
	case VPNR_EVENT_OUTPUT_ERROR:
		return on_output_error(life);
	case VPNR_EVENT_FIN:
		return on_fin(life);
	case VPNR_EVENT_END:
		return on_end(life);
	case VPNR_EVENT_RESET:
		return finish(life, VPNR_ACTION_ABORT);
	case VPNR_EVENT_DRAINED:
		return on_drained(life);
	}
	g_return_val_if_reached(0);
}

/* When both directions have ended, by FIN or by FAIL and its answer, the stream is over for the
 * peer, although our socket may still have to take something: a RESET would be one too many, and
 * VPNr/1 may have given the id to another stream (docs/protocol.md, 1.3.5 and 1.3.7). */
VpnrActions
vpnr_lifecycle_step(VpnrLifecycle *life, VpnrEvent event)
{
	gboolean is_over_for_peer =
	    life->input != VPNR_INPUT_OPEN && life->output != VPNR_OUTPUT_OPEN;
	VpnrActions actions = life->over ? 0 : on_event(life, event);

	return is_over_for_peer ? actions & ~VPNR_ACTION_SEND_RESET : actions;
}
