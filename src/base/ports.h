/* SPDX-License-Identifier: MIT
 *
 * ports: a range of ports, such as 8000-8999. A plain value.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Both ends are included; none is 0. */
typedef struct {
	guint16 first;
	guint16 last;
} VpnrPortRange;

/* Parses "PORT" or "FROM-TO", from 1 to 65535. FALSE if text is neither. */
gboolean vpnr_ports_parse(const char *text, VpnrPortRange *range);

G_END_DECLS
