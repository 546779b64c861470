/* SPDX-License-Identifier: MIT
 *
 * credit: see credit.h. The atomics carry one number each and order nothing else: relaxed, but for
 * the limits of a receiver: who sees a new limit sees the ones that went before it, too, each where
 * it has moved to; and where a sender waits for its limit (as in base/mailbox.c: it announces that
 * and looks again).
 */
#include "stream/credit.h"

/* Windows that a socket must take without a pause, after one, before its window grows. A socket
 * whose reader is slow takes nothing for a while and then, at once, what has become free in its
 * buffer: that must not pass for a fast one. */
#define STEADY_WINDOWS 16

/* A pause that is shorter than this part of the time before it is none. Where the link has lost a
 * packet, everything behind that comes at once, and more of it than a socket takes at once. */
#define PAUSE_SHARE 4

static guint64
load(const _Atomic guint64 *number)
{
	return atomic_load_explicit(number, memory_order_relaxed);
}

static void
store(_Atomic guint64 *number, guint64 value)
{
	atomic_store_explicit(number, value, memory_order_relaxed);
}

/* --- sending ---------------------------------------------------------------------------------- */

void
vpnr_send_credit_init(VpnrSendCredit *credit, guint64 limit)
{
	atomic_init(&credit->limit, limit);
	atomic_init(&credit->spent, 0);
	atomic_init(&credit->is_awaited, FALSE);
}

gboolean
vpnr_send_credit_raise(VpnrSendCredit *credit, guint64 limit)
{
	if (limit <= load(&credit->limit))
		return FALSE;
	atomic_store(&credit->limit, limit);
	return atomic_load(&credit->is_awaited) && atomic_exchange(&credit->is_awaited, FALSE);
}

/* A report may see bytes spent whose limit it has not seen. */
guint64
vpnr_send_credit_left(const VpnrSendCredit *credit)
{
	guint64 spent = load(&credit->spent);
	guint64 limit = atomic_load(&credit->limit);

	return limit > spent ? limit - spent : 0;
}

static guint64
usable(const VpnrSendCredit *credit, gboolean queue_is_empty)
{
	guint64 left = vpnr_send_credit_left(credit);

	return left > 0 && !queue_is_empty ? left - 1 : left;
}

guint64
vpnr_send_credit_usable(VpnrSendCredit *credit, gboolean queue_is_empty)
{
	guint64 n = usable(credit, queue_is_empty);

	if (n > 0)
		return n;
	atomic_store(&credit->is_awaited, TRUE);
	return usable(credit, queue_is_empty);
}

void
vpnr_send_credit_spend(VpnrSendCredit *credit, guint64 n)
{
	store(&credit->spent, load(&credit->spent) + n);
}

/* --- receiving -------------------------------------------------------------------------------- */

gboolean
vpnr_recv_credit_init(VpnrRecvCredit *credit, guint64 window, guint64 max, gboolean is_far,
		      VpnrBudget *budget)
{
	if (!vpnr_budget_take(budget, window))
		return FALSE;
	*credit = (VpnrRecvCredit){
		.budget = budget, .min = window, .max = max, .is_far = is_far, .reserved = window
	};
	atomic_init(&credit->limit, window);
	atomic_init(&credit->received, 0);
	atomic_init(&credit->window, window);
	return TRUE;
}

void
vpnr_recv_credit_clear(VpnrRecvCredit *credit)
{
	vpnr_budget_give(credit->budget, credit->reserved);
	credit->reserved = 0;
}

/* Limits move up, the highest first, as they are looked for here: one that moves meanwhile is found
 * in one of its two places, or in both. */
static gboolean
is_limit(const VpnrRecvCredit *credit, guint64 limit, guint64 offset)
{
	for (guint i = 0; i < VPNR_CREDIT_EARLIER; i++)
		if (atomic_load_explicit(&credit->earlier[i], memory_order_acquire) == offset)
			return TRUE;
	return limit == offset;
}

gboolean
vpnr_recv_credit_take(VpnrRecvCredit *credit, guint64 n)
{
	guint64 limit = atomic_load_explicit(&credit->limit, memory_order_acquire);
	guint64 received = load(&credit->received);

	if (n > limit - received)
		return FALSE;
	store(&credit->received, received + n);
	if (is_limit(credit, limit, received + n))
		atomic_store_explicit(&credit->starved, TRUE, memory_order_relaxed);
	return TRUE;
}

/* Gives back what can never be waiting here any more. */
static void
keep(VpnrRecvCredit *credit, guint64 needed)
{
	if (needed >= credit->reserved)
		return;
	vpnr_budget_give(credit->budget, credit->reserved - needed);
	credit->reserved = needed;
}

/* A part of it may still be reserved, from a time when it was larger. */
static gboolean
grow_to(VpnrRecvCredit *credit, guint64 wanted)
{
	if (wanted > credit->max || wanted <= load(&credit->window))
		return FALSE;
	if (wanted > credit->reserved) {
		if (!vpnr_budget_take_spare(credit->budget, wanted - credit->reserved))
			return FALSE;
		credit->reserved = wanted;
	}
	store(&credit->window, wanted);
	return TRUE;
}

static gboolean
grow(VpnrRecvCredit *credit)
{
	guint64 window = load(&credit->window);

	return (credit->is_far &&
		grow_to(credit, CLAMP(4 * window, VPNR_WINDOW_FAR, credit->max))) ||
	       grow_to(credit, 2 * window);
}

static void
shrink(VpnrRecvCredit *credit)
{
	store(&credit->window, MAX(load(&credit->window) / 2, credit->min));
}

static void
set_earlier(VpnrRecvCredit *credit, guint i, guint64 limit)
{
	atomic_store_explicit(&credit->earlier[i], limit, memory_order_release);
}

/* The limits of a window are a quarter of it apart, and each needs as much to be consumed: when the
 * last byte below a limit comes, there are at most three newer ones. */
static void
announce(VpnrRecvCredit *credit, guint64 limit, gboolean grown)
{
	for (guint i = VPNR_CREDIT_EARLIER - 1; i > 0; i--)
		set_earlier(credit, i, grown ? 0 : load(&credit->earlier[i - 1]));
	set_earlier(credit, 0, grown ? 0 : load(&credit->limit));
	atomic_store_explicit(&credit->limit, limit, memory_order_release);
}

/* Notes whether our socket is what holds things up. */
static void
watch_socket(VpnrRecvCredit *credit, gboolean is_full, gint64 now)
{
	if (credit->changed_at == 0)
		credit->changed_at = now;
	if (is_full == credit->is_full)
		return;
	if (is_full)
		credit->was_free = now - credit->changed_at;
	else if (now - credit->changed_at >= credit->was_free / PAUSE_SHARE)
		credit->steady_from = credit->consumed + STEADY_WINDOWS * load(&credit->window);
	credit->is_full = is_full;
	credit->changed_at = now;
}

/* The peer was, and our socket is not what holds things up. */
static gboolean
is_starved(const VpnrRecvCredit *credit)
{
	return atomic_load_explicit(&credit->starved, memory_order_relaxed) && !credit->is_full &&
	       credit->consumed >= credit->steady_from;
}

/* A limit is never a round offset from those before it: sources write in round pieces, and their
 * last byte must not pass for that of a starved sender. */
guint64
vpnr_recv_credit_consume(VpnrRecvCredit *credit, guint64 n, gboolean all_taken, gint64 now)
{
	guint64 window = load(&credit->window);
	guint64 old = load(&credit->limit);
	guint64 limit;
	gboolean grown;

	credit->consumed += n;
	watch_socket(credit, !all_taken, now);
	grown = is_starved(credit) && grow(credit);
	if (!grown && credit->consumed + window < old + window / 4)
		return 0;
	if (vpnr_budget_is_short(credit->budget))
		shrink(credit);
	atomic_store_explicit(&credit->starved, FALSE, memory_order_relaxed);
	window = load(&credit->window);
	keep(credit, MAX(window, old - credit->consumed));
	limit = credit->consumed + window - 1;
	if (limit <= old) /* the window has shrunk: what the peer may send is never taken back */
		return 0;
	announce(credit, limit, grown);
	return limit;
}

void
vpnr_recv_credit_consume_last(VpnrRecvCredit *credit, guint64 n)
{
	credit->consumed += n;
	keep(credit, load(&credit->received) - credit->consumed);
}

gboolean
vpnr_recv_credit_is_used_up(const VpnrRecvCredit *credit)
{
	return load(&credit->received) + 1 >= load(&credit->limit);
}

guint64
vpnr_recv_credit_window(const VpnrRecvCredit *credit)
{
	return load(&credit->window);
}
