/* SPDX-License-Identifier: MIT
 *
 * lend: see lend.h.
 *
 * The worker looks into its inbox only while it has the socket. So frames that are no longer in the
 * inbox when the reader takes what is offered have been written, and the reader, who alone pushes
 * them, finds by its length whether there are others.
 */
#include "stream/lend.h"

#include <poll.h>

static gboolean
is_kept(VpnrLend *lend)
{
	return atomic_load_explicit(&lend->state, memory_order_relaxed) == VPNR_LEND_KEPT;
}

/* FALSE if it was in another state. */
static gboolean
move(VpnrLend *lend, VpnrLendState from, VpnrLendState to)
{
	return atomic_compare_exchange_strong(&lend->state, &from, to);
}

void
vpnr_lend_offer(VpnrLend *lend, int fd)
{
	if (!is_kept(lend))
		return;
	lend->fd = fd;
	atomic_store(&lend->state, VPNR_LEND_OFFERED);
}

/* What somebody else has woken it for meanwhile is not forgotten. */
static void
wait_for_reader(VpnrLend *lend, VpnrMailbox *inbox)
{
	struct pollfd pollfd = { .fd = vpnr_mailbox_fd(inbox), .events = POLLIN };

	while (atomic_load(&lend->state) == VPNR_LEND_CALLED) {
		if (vpnr_mailbox_begin_wait(inbox))
			poll(&pollfd, 1, -1);
		vpnr_mailbox_end_wait(inbox);
	}
	vpnr_mailbox_wake(inbox);
}

void
vpnr_lend_call_in(VpnrLend *lend, VpnrMailbox *inbox)
{
	while (!is_kept(lend) && !move(lend, VPNR_LEND_OFFERED, VPNR_LEND_KEPT))
		if (move(lend, VPNR_LEND_TAKEN, VPNR_LEND_CALLED))
			wait_for_reader(lend, inbox);
}

int
vpnr_lend_take(VpnrLend *lend, VpnrMailbox *inbox)
{
	if (is_kept(lend) || vpnr_mailbox_length(inbox) > 0 ||
	    !move(lend, VPNR_LEND_OFFERED, VPNR_LEND_TAKEN))
		return -1;
	return lend->fd;
}

void
vpnr_lend_give_back(VpnrLend *lend, VpnrMailbox *inbox)
{
	if (move(lend, VPNR_LEND_TAKEN, VPNR_LEND_OFFERED))
		return;
	atomic_store(&lend->state, VPNR_LEND_KEPT);
	vpnr_mailbox_wake(inbox);
}
