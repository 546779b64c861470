/* SPDX-License-Identifier: MIT
 *
 * notify: tells whoever has started the program how far it is, as sd_notify(3) says: by a datagram
 * to the socket that $NOTIFY_SOCKET names. systemd holds back what is to come after a unit of
 * Type=notify until the program is ready. Without the variable nothing is done. Main thread.
 *
 * It needs no more than a Unix socket, so it works behind the filter of system calls, too.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* It serves, for the first time or again. */
void vpnr_notify_ready(void);

/* It reads its configuration again, and vpnr_notify_ready() is to follow. */
void vpnr_notify_reloading(void);

/* It ends, in good order. */
void vpnr_notify_stopping(void);

G_END_DECLS
