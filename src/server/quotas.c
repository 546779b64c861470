/* SPDX-License-Identifier: MIT
 *
 * quotas: see quotas.h. A linear search: a server has tens of clients and looks one up per session.
 */
#include "server/quotas.h"

#include <pthread.h>

typedef struct {
	VpnrKey key;
	VpnrBudget *budget;
} Quota;

struct VpnrQuotas {
	/* const after start */
	VpnrBudget *whole;
	/* lock */
	pthread_mutex_t lock;
	GArray *all; /* Quota */
};

static void
quota_clear(gpointer data)
{
	vpnr_budget_free(((Quota *)data)->budget);
}

VpnrQuotas *
vpnr_quotas_new(VpnrBudget *budget)
{
	VpnrQuotas *quotas = g_new0(VpnrQuotas, 1);

	quotas->whole = budget;
	quotas->all = g_array_new(FALSE, FALSE, sizeof(Quota));
	g_array_set_clear_func(quotas->all, quota_clear);
	pthread_mutex_init(&quotas->lock, NULL);
	return quotas;
}

void
vpnr_quotas_free(VpnrQuotas *quotas)
{
	if (quotas == NULL)
		return;
	g_array_unref(quotas->all);
	pthread_mutex_destroy(&quotas->lock);
	g_free(quotas);
}

static VpnrBudget *
get_locked(VpnrQuotas *quotas, const VpnrKey *key)
{
	Quota quota = { .key = *key };

	for (guint i = 0; i < quotas->all->len; i++) {
		const Quota *other = &g_array_index(quotas->all, Quota, i);

		if (vpnr_key_equal(&other->key, key))
			return other->budget;
	}
	quota.budget = vpnr_budget_new_part(quotas->whole);
	g_array_append_val(quotas->all, quota);
	return quota.budget;
}

VpnrBudget *
vpnr_quotas_get(VpnrQuotas *quotas, const VpnrKey *key)
{
	VpnrBudget *budget;

	if (quotas == NULL)
		return NULL;
	pthread_mutex_lock(&quotas->lock);
	budget = get_locked(quotas, key);
	pthread_mutex_unlock(&quotas->lock);
	return budget;
}
