/* SPDX-License-Identifier: MIT
 *
 * reserve: see reserve.h.
 */
#include "link/reserve.h"

gboolean
vpnr_reserve_init(VpnrReserve *reserve, VpnrBudget *budget)
{
	*reserve = (VpnrReserve){ .budget = budget };
	if (!vpnr_budget_take(budget, VPNR_RESERVE_MIN))
		return FALSE;
	reserve->bytes = VPNR_RESERVE_MIN;
	return TRUE;
}

void
vpnr_reserve_clear(VpnrReserve *reserve)
{
	vpnr_budget_give(reserve->budget, reserve->bytes);
	reserve->bytes = 0;
}

gboolean
vpnr_reserve_has_room(VpnrReserve *reserve, guint64 kept)
{
	while (kept >= reserve->bytes) {
		if (reserve->bytes >= VPNR_RESERVE_MAX ||
		    !vpnr_budget_take_spare(reserve->budget, reserve->bytes))
			return FALSE;
		reserve->bytes *= 2;
	}
	return TRUE;
}

void
vpnr_reserve_trim(VpnrReserve *reserve, guint64 kept)
{
	if (kept > 0 || reserve->bytes <= VPNR_RESERVE_MIN)
		return;
	vpnr_budget_give(reserve->budget, reserve->bytes - VPNR_RESERVE_MIN);
	reserve->bytes = VPNR_RESERVE_MIN;
}
