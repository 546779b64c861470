/* SPDX-License-Identifier: MIT
 *
 * quotas: which part of the server's budget each client has, by its key, so that no client can take
 * what others need to begin (base/budget.h). A quota stays when the client's last session has
 * ended, and with a reload. All links of VPNr/1, which has no keys, have one together.
 *
 * vpnr_quotas_get() is thread-safe.
 */
#pragma once

#include <glib.h>

#include "base/budget.h"
#include "base/key.h"

G_BEGIN_DECLS

typedef struct VpnrQuotas VpnrQuotas;

/* Parts of this budget (nullable: of none), which outlives them. */
VpnrQuotas *vpnr_quotas_new(VpnrBudget *budget);

/* Frees them; everything has been given back. Takes NULL. */
void vpnr_quotas_free(VpnrQuotas *quotas);

/* The one of the client with this public key (transfer none; VPNr/1: all zero). Only of keys that
 * the server knows: their number is the bound. NULL for NULL. */
VpnrBudget *vpnr_quotas_get(VpnrQuotas *quotas, const VpnrKey *key);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrQuotas, vpnr_quotas_free)

G_END_DECLS
