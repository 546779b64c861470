/* SPDX-License-Identifier: MIT
 *
 * control_wire: what both sides of the control socket share.
 */
#pragma once

#include <glib.h>
#include <sys/un.h>

#include "app/control.h"

G_BEGIN_DECLS

/* Bytes of a command, without the '\n' that ends it. */
#define VPNR_CONTROL_LINE_MAX 255

/* Fills address; FALSE with an error (VPNR_CONTROL_ERROR_FAILED) if the path is too long. */
gboolean vpnr_control_address(const char *path, struct sockaddr_un *address, GError **error);

/* Waits until the descriptor has one of the events (poll(2)), or a signal comes; FALSE with
 * ETIMEDOUT if the deadline (base/deadline.h) is first. */
gboolean vpnr_control_wait(int fd, short events, gint64 deadline);

/* Sends all n bytes on a non-blocking socket; FALSE with errno if that fails or takes longer than
 * the deadline (base/deadline.h). */
gboolean vpnr_control_send(int fd, const char *bytes, gsize n, gint64 deadline);

G_END_DECLS
