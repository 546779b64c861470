/* SPDX-License-Identifier: MIT
 *
 * retired: the ids of VPNr/1 that this side has ended and that are not over, since the other's end
 * is still to come. A bounded set; the oldest leaves first.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct VpnrRetired VpnrRetired;

/* An empty set of at most max ids. */
VpnrRetired *vpnr_retired_new(guint max);

/* Takes NULL. */
void vpnr_retired_free(VpnrRetired *retired);

/* Adds an id (0 to 65,535) that is not in the set; the oldest leaves when it is full. fin_sent: our
 * FIN has gone before our FAIL, so that the peer's FIN ends it, too. */
void vpnr_retired_add(VpnrRetired *retired, guint32 id, gboolean fin_sent);

/* Takes an id out; one that is not in the set is none. */
void vpnr_retired_remove(VpnrRetired *retired, guint32 id);

/* TRUE if the id is in the set; and if it was added with fin_sent. */
gboolean vpnr_retired_contains(const VpnrRetired *retired, guint32 id);
gboolean vpnr_retired_fin_sent(const VpnrRetired *retired, guint32 id);

G_END_DECLS
