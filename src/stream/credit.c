/* SPDX-License-Identifier: MIT
 *
 * credit: see credit.h. The atomics carry one number each and order nothing else: relaxed.
 */
#include "stream/credit.h"

void
vpnr_send_credit_init(VpnrSendCredit *credit, guint64 limit)
{
	atomic_init(&credit->limit, limit);
	credit->spent = 0;
}

void
vpnr_send_credit_raise(VpnrSendCredit *credit, guint64 limit)
{
	if (limit > atomic_load_explicit(&credit->limit, memory_order_relaxed))
		atomic_store_explicit(&credit->limit, limit, memory_order_relaxed);
}

guint64
vpnr_send_credit_left(const VpnrSendCredit *credit)
{
	return atomic_load_explicit(&credit->limit, memory_order_relaxed) - credit->spent;
}

void
vpnr_send_credit_spend(VpnrSendCredit *credit, guint64 n)
{
	credit->spent += n;
}

void
vpnr_recv_credit_init(VpnrRecvCredit *credit, guint64 window)
{
	atomic_init(&credit->limit, window);
	credit->received = 0;
	credit->consumed = 0;
	credit->window = window;
}

gboolean
vpnr_recv_credit_take(VpnrRecvCredit *credit, guint64 n)
{
	if (n > atomic_load_explicit(&credit->limit, memory_order_relaxed) - credit->received)
		return FALSE;
	credit->received += n;
	return TRUE;
}

guint64
vpnr_recv_credit_consume(VpnrRecvCredit *credit, guint64 n)
{
	guint64 limit;

	credit->consumed += n;
	limit = credit->consumed + credit->window;
	if (limit - atomic_load_explicit(&credit->limit, memory_order_relaxed) < credit->window / 2)
		return 0;
	atomic_store_explicit(&credit->limit, limit, memory_order_relaxed);
	return limit;
}
