/* SPDX-License-Identifier: MIT
 *
 * latch: a one-way signal that any number of threads can poll for: "stop" or "it has ended".
 *
 * Once tripped it stays so, and its descriptor stays readable.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct VpnrLatch VpnrLatch;

/* A latch that is not tripped. Returns NULL with an error (G_FILE_ERROR) when no descriptor is
 * left. */
VpnrLatch *vpnr_latch_new(GError **error);

/* Frees it; no thread may wait on it or be about to trip it. Takes NULL. */
void vpnr_latch_free(VpnrLatch *latch);

/* Trips it (thread-safe, any number of times). */
void vpnr_latch_trip(VpnrLatch *latch);

/* TRUE once tripped (thread-safe). */
gboolean vpnr_latch_is_tripped(const VpnrLatch *latch);

/* Waits for at most timeout_ms (-1: for ever); TRUE if tripped (thread-safe). */
gboolean vpnr_latch_wait(const VpnrLatch *latch, int timeout_ms);

/* The descriptor that becomes readable for good (transfer none). */
int vpnr_latch_fd(const VpnrLatch *latch);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrLatch, vpnr_latch_free)

G_END_DECLS
