/* SPDX-License-Identifier: MIT
 *
 * budget: see budget.h. One number, which orders nothing else: relaxed.
 */
#include "base/budget.h"

#include <stdatomic.h>

struct VpnrBudget {
	/* const after start */
	VpnrBudget *whole; /* of which this is a part; NULL: it is none */
	guint64 total;
	/* atomic */
	_Atomic guint64 used;
};

VpnrBudget *
vpnr_budget_new(guint64 total)
{
	VpnrBudget *budget = g_new0(VpnrBudget, 1);

	budget->total = total;
	return budget;
}

VpnrBudget *
vpnr_budget_new_part(VpnrBudget *whole)
{
	VpnrBudget *part;

	if (whole == NULL)
		return NULL;
	part = vpnr_budget_new(whole->total);
	part->whole = whole;
	return part;
}

void
vpnr_budget_free(VpnrBudget *budget)
{
	if (budget == NULL)
		return;
	g_assert(vpnr_budget_used(budget) == 0);
	g_free(budget);
}

static gboolean
take_within(VpnrBudget *budget, guint64 n, guint64 bound)
{
	guint64 used = atomic_load_explicit(&budget->used, memory_order_relaxed);

	do {
		if (used > bound || n > bound - used)
			return FALSE;
	} while (!atomic_compare_exchange_weak_explicit(&budget->used, &used, used + n,
							memory_order_relaxed,
							memory_order_relaxed));
	return TRUE;
}

static void
give(VpnrBudget *budget, guint64 n)
{
	guint64 used = atomic_fetch_sub_explicit(&budget->used, n, memory_order_relaxed);

	g_assert(used >= n);
}

/* What others take meanwhile is not seen: the part is exceeded by that, the whole is not. */
static gboolean
take(VpnrBudget *budget, guint64 n, guint64 bound)
{
	VpnrBudget *whole = budget->whole;
	guint64 used;

	if (whole == NULL)
		return take_within(budget, n, bound);
	used = vpnr_budget_used(whole);
	if (!take_within(budget, n, used < bound ? VPNR_BUDGET_PART * (bound - used) : 0))
		return FALSE;
	if (take_within(whole, n, bound))
		return TRUE;
	give(budget, n);
	return FALSE;
}

gboolean
vpnr_budget_take(VpnrBudget *budget, guint64 n)
{
	return budget == NULL || take(budget, n, budget->total);
}

gboolean
vpnr_budget_take_spare(VpnrBudget *budget, guint64 n)
{
	return budget == NULL || take(budget, n, budget->total - budget->total / 4);
}

void
vpnr_budget_give(VpnrBudget *budget, guint64 n)
{
	if (budget == NULL)
		return;
	give(budget, n);
	if (budget->whole != NULL)
		give(budget->whole, n);
}

gboolean
vpnr_budget_is_short(const VpnrBudget *budget)
{
	if (budget != NULL && budget->whole != NULL)
		budget = budget->whole;
	return budget != NULL && vpnr_budget_used(budget) > budget->total - budget->total / 8;
}

guint64
vpnr_budget_used(const VpnrBudget *budget)
{
	return budget != NULL ? atomic_load_explicit(&budget->used, memory_order_relaxed) : 0;
}

guint64
vpnr_budget_total(const VpnrBudget *budget)
{
	return budget != NULL ? budget->total : 0;
}
