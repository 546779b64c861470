/* SPDX-License-Identifier: MIT
 *
 * syscalls: which system calls client and server are left once they have started (seccomp(2)).
 *
 * Every other one fails with ENOSYS, as if the kernel were older than it, for which C libraries are
 * prepared; the kernel logs it where it has auditing. Those that start programs are among them
 * unless asked for, and all that mount, load, trace or debug. Sockets are of IPv4, IPv6, netlink
 * and Unix; but where the C library makes them by socketcall(2), as Debian's does on i386 and
 * s390x, of every family, since a filter does not see what that call is to make.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define VPNR_SYSCALLS_ERROR (vpnr_syscalls_error_quark())
GQuark vpnr_syscalls_error_quark(void);

typedef enum {
	VPNR_SYSCALLS_ERROR_FAILED, /* there is no filter; the message says why */
} VpnrSyscallsError;

/* Filters from now on, for this thread, those that it starts, and their programs. programs: it may
 * start some, which then have the same filter. Also sets no_new_privs (prctl(2)). */
gboolean vpnr_syscalls_filter(gboolean programs, GError **error);

G_END_DECLS
