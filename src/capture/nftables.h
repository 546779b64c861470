/* SPDX-License-Identifier: MIT
 *
 * nftables: the backend of capture that talks to nf_tables, by libnftables.
 *
 * Each change is one transaction. The table that captures is bound to the netlink socket of the
 * backend: nobody else can change or flush it, and the kernel removes it when the socket is closed,
 * however that happens. So nothing is ever left by a client that was killed, except the kill
 * switch, which is meant to be.
 *
 * libnftables is licensed under GPL-2.0, which goes for programs that are linked with it (COPYING).
 */
#pragma once

#include "capture/backend.h"

G_BEGIN_DECLS

extern const VpnrBackendOps vpnr_nftables_ops;

G_END_DECLS
