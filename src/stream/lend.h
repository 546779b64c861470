/* SPDX-License-Identifier: MIT
 *
 * lend: a worker lends its socket, for writing, to the reader.
 *
 * To wake a worker up often costs more than to write the frame (handover.h). So a worker that has
 * nothing to write offers its socket, and the reader, if nothing waits in the inbox either, may
 * write a frame itself. At any time one of them has the socket's sending side, and with it what the
 * worker counts of it (VpnrRecvCredit); the order of frames stays, since who has it finds
 * everything before written.
 *
 * The reader never waits for the socket: it takes what is offered, or not. The worker may have to
 * wait for the reader, in the middle of a send() that does not block; it does so only to close the
 * socket, or because a frame waits behind that send(). It waits on its inbox.
 */
#pragma once

#include <glib.h>
#include <stdatomic.h>

#include "base/mailbox.h"

G_BEGIN_DECLS

typedef enum {
	VPNR_LEND_KEPT,    /* by the worker */
	VPNR_LEND_OFFERED, /* nobody uses it */
	VPNR_LEND_TAKEN,   /* by the reader */
	VPNR_LEND_CALLED,  /* the same, and the worker waits for it */
} VpnrLendState;

/* All zeros at first: the worker keeps it. */
typedef struct {
	_Atomic VpnrLendState state;
	int fd; /* of who has it */
} VpnrLend;

/* Worker: nothing is to be written to fd, not even what is in the inbox. */
void vpnr_lend_offer(VpnrLend *lend, int fd);

/* Worker: keeps the socket from now on; waits, on its own inbox, until the reader has given it
 * back. Costs nothing if it has it. */
void vpnr_lend_call_in(VpnrLend *lend, VpnrMailbox *inbox);

/* Reader: the socket, to be given back at once, or -1: it is not on offer, or frames wait. */
int vpnr_lend_take(VpnrLend *lend, VpnrMailbox *inbox);
void vpnr_lend_give_back(VpnrLend *lend, VpnrMailbox *inbox);

G_END_DECLS
