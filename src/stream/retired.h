/* SPDX-License-Identifier: MIT
 *
 * retired: the ids of VPNr/1 that this side has ended and the other has not. A bounded set; the
 * oldest leaves first.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct VpnrRetired VpnrRetired;

/* An empty set of at most max ids. */
VpnrRetired *vpnr_retired_new(guint max);

/* Takes NULL. */
void vpnr_retired_free(VpnrRetired *retired);

/* Adds an id (0 to 65,535) that is not in the set; the oldest leaves when it is full. */
void vpnr_retired_add(VpnrRetired *retired, guint32 id);

/* Takes an id out; one that is not in the set is none. */
void vpnr_retired_remove(VpnrRetired *retired, guint32 id);

/* TRUE if the id is in the set. */
gboolean vpnr_retired_contains(const VpnrRetired *retired, guint32 id);

G_END_DECLS
