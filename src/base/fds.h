/* SPDX-License-Identifier: MIT
 *
 * fds: a few descriptors, and their way from process to process on a Unix socket (SCM_RIGHTS).
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Descriptors of one message: what "vpnrctl run" brings are five. */
#define VPNR_FDS_MAX 8

typedef struct {
	int fd[VPNR_FDS_MAX];
	gsize n;
} VpnrFds;

/* Closes them. */
void vpnr_fds_clear(VpnrFds *fds);

/* Sends n bytes, which fit into a fresh socket's buffer, and with them at least one descriptor;
 * FALSE with errno. */
gboolean vpnr_fds_send(int fd, const char *bytes, gsize n, const VpnrFds *fds);

/* As recv(); descriptors that come with the bytes are added to fds. -1 with EMFILE if there are too
 * many of them. */
gssize vpnr_fds_receive(int fd, char *bytes, gsize size, VpnrFds *fds);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VpnrFds, vpnr_fds_clear)

G_END_DECLS
