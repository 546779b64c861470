/* SPDX-License-Identifier: MIT
 *
 * gate: a signal that comes and goes, and that any number of threads can poll for: "there is a
 * link".
 *
 * Unlike a latch (latch.h) it can be closed again. So a poll() that returns is news of the past:
 * whoever comes through acts, and waits again if that fails; and one that sleeps through a short
 * opening waits for the next. The gate is opened and closed by its
 * owner, one call at a time; everybody else only looks.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct VpnrGate VpnrGate;

/* A gate that is closed. Returns NULL with an error (G_FILE_ERROR) when no descriptor is left. */
VpnrGate *vpnr_gate_new(GError **error);

/* Frees it; no thread may wait for it. Takes NULL. */
void vpnr_gate_free(VpnrGate *gate);

/* Opens it, or closes it; what it is already it stays. */
void vpnr_gate_open(VpnrGate *gate);
void vpnr_gate_close(VpnrGate *gate);

/* TRUE while it is open (thread-safe). */
gboolean vpnr_gate_is_open(const VpnrGate *gate);

/* The descriptor that is readable while the gate is open (transfer none). Nobody reads from it. */
int vpnr_gate_fd(const VpnrGate *gate);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrGate, vpnr_gate_free)

G_END_DECLS
