/* SPDX-License-Identifier: MIT
 *
 * gate: an eventfd that holds 1 while the gate is open. Only the owner writes and reads it.
 */
#include "base/gate.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#include "base/fd.h"

struct VpnrGate {
	/* const after start */
	int fd;
	/* atomic */
	_Atomic gboolean open;
};

VpnrGate *
vpnr_gate_new(GError **error)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int saved_errno = errno;
	VpnrGate *gate;

	if (fd < 0) {
		g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(saved_errno),
			    "cannot make a gate: %s", g_strerror(saved_errno));
		return NULL;
	}
	gate = g_new0(VpnrGate, 1);
	gate->fd = fd;
	return gate;
}

void
vpnr_gate_free(VpnrGate *gate)
{
	if (gate == NULL)
		return;
	vpnr_fd_close(gate->fd);
	g_free(gate);
}

/* The flag comes first, so that whoever finds the descriptor readable finds the flag set. */
void
vpnr_gate_open(VpnrGate *gate)
{
	if (!atomic_exchange(&gate->open, TRUE))
		eventfd_write(gate->fd, 1);
}

/* The other way round, for the same reason. */
void
vpnr_gate_close(VpnrGate *gate)
{
	eventfd_t count;

	if (!vpnr_gate_is_open(gate))
		return;
	eventfd_read(gate->fd, &count);
	atomic_store(&gate->open, FALSE);
}

gboolean
vpnr_gate_is_open(const VpnrGate *gate)
{
	return atomic_load(&gate->open);
}

int
vpnr_gate_fd(const VpnrGate *gate)
{
	return gate->fd;
}
