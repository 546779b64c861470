/* SPDX-License-Identifier: MIT
 *
 * purses: see purses.h. A linear search: a server has tens of clients and looks one up per session.
 */
#include "server/purses.h"

#include <pthread.h>

typedef struct {
	VpnrKey key;
	VpnrBudget *budget;
} Purse;

struct VpnrPurses {
	/* const after start */
	VpnrBudget *whole;
	/* lock */
	pthread_mutex_t lock;
	GArray *all; /* Purse */
};

static void
purse_clear(gpointer data)
{
	vpnr_budget_free(((Purse *)data)->budget);
}

VpnrPurses *
vpnr_purses_new(VpnrBudget *budget)
{
	VpnrPurses *purses = g_new0(VpnrPurses, 1);

	purses->whole = budget;
	purses->all = g_array_new(FALSE, FALSE, sizeof(Purse));
	g_array_set_clear_func(purses->all, purse_clear);
	pthread_mutex_init(&purses->lock, NULL);
	return purses;
}

void
vpnr_purses_free(VpnrPurses *purses)
{
	if (purses == NULL)
		return;
	g_array_unref(purses->all);
	pthread_mutex_destroy(&purses->lock);
	g_free(purses);
}

static VpnrBudget *
get_locked(VpnrPurses *purses, const VpnrKey *key)
{
	Purse purse = { .key = *key };

	for (guint i = 0; i < purses->all->len; i++) {
		const Purse *other = &g_array_index(purses->all, Purse, i);

		if (vpnr_key_equal(&other->key, key))
			return other->budget;
	}
	purse.budget = vpnr_budget_new_part(purses->whole);
	g_array_append_val(purses->all, purse);
	return purse.budget;
}

VpnrBudget *
vpnr_purses_get(VpnrPurses *purses, const VpnrKey *key)
{
	VpnrBudget *budget;

	if (purses == NULL)
		return NULL;
	pthread_mutex_lock(&purses->lock);
	budget = get_locked(purses, key);
	pthread_mutex_unlock(&purses->lock);
	return budget;
}
