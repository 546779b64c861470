/* SPDX-License-Identifier: MIT
 *
 * privilege: what this process may do (capabilities(7)).
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* TRUE if the calling thread has CAP_NET_ADMIN now: rules, routes and marks need it. */
gboolean vpnr_privilege_net_admin(void);

/* The same; FALSE with VPNR_CAPTURE_ERROR_FORBIDDEN, which says what is missing. */
gboolean vpnr_privilege_check(GError **error);

G_END_DECLS
