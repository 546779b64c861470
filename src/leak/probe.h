/* SPDX-License-Identifier: MIT
 *
 * probe: what leak-test sends, and to whom. Pure.
 *
 * Unless told otherwise it goes to addresses that are there for documentation (RFC 5737, RFC 3849),
 * at which there never is a host.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"

G_BEGIN_DECLS

typedef enum {
	VPNR_LEAK_TCP,
	VPNR_LEAK_UDP,
	VPNR_LEAK_DNS_UDP,
	VPNR_LEAK_DNS_TCP,
	VPNR_LEAK_QUIC,
	VPNR_N_LEAK_KINDS,
} VpnrLeakKind;

typedef struct {
	VpnrLeakKind kind;
	VpnrAddr dest;
} VpnrLeakProbe;

/* "tcp", "dns-udp" and so on. */
const char *vpnr_leak_kind_name(VpnrLeakKind kind);

/* TRUE if the probe is a connection and no datagram. */
gboolean vpnr_leak_kind_is_tcp(VpnrLeakKind kind);

/* A probe of each kind to each target (VpnrAddr, of which the port is not looked at; NULL: the
 * usual ones, one of each family): VpnrLeakProbe (transfer full). */
GArray *vpnr_leak_probes(const GArray *targets);

/* What a probe of this kind says (transfer full): a question for a name that nobody has, a
 * plausible first datagram of QUIC (RFC 9000, section 17.2.2), made of random bytes, or a few
 * letters. */
GByteArray *vpnr_leak_payload(VpnrLeakKind kind);

G_END_DECLS
