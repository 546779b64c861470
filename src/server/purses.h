/* SPDX-License-Identifier: MIT
 *
 * purses: which part of the server's budget each client has, by its key, so that no client can take
 * what others need to begin (base/budget.h). A purse stays when the client's last session has
 * ended, and with a reload. All links of VPNr/1, which has no keys, have one together.
 *
 * vpnr_purses_get() is thread-safe.
 */
#pragma once

#include <glib.h>

#include "base/budget.h"
#include "base/key.h"

G_BEGIN_DECLS

typedef struct VpnrPurses VpnrPurses;

/* Parts of this budget (nullable: of none), which outlives them. */
VpnrPurses *vpnr_purses_new(VpnrBudget *budget);

/* Frees them; everything has been given back. Takes NULL. */
void vpnr_purses_free(VpnrPurses *purses);

/* The one of the client with this public key (transfer none; VPNr/1: all zero). Only of keys that
 * the server knows: their number is the bound. NULL for NULL. */
VpnrBudget *vpnr_purses_get(VpnrPurses *purses, const VpnrKey *key);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrPurses, vpnr_purses_free)

G_END_DECLS
