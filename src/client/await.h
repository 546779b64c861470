/* SPDX-License-Identifier: MIT
 *
 * await: how a connection waits for the link, on its own thread, before its stream is opened.
 *
 * Nothing is read from the application meanwhile: what it sends stays in the kernel, as much as a
 * socket buffer holds, and belongs to the stream.
 */
#pragma once

#include <glib.h>

#include "base/latch.h"

G_BEGIN_DECLS

/* Milliseconds after which an application's host that is gone without a word ends the wait. A probe
 * goes out every third of it, which is why an application that closes its socket is noticed, too:
 * its FIN is that of one which only half-closes and goes on listening, but some time after a close
 * (tcp_fin_timeout, 60 s) its kernel answers a probe with a reset. */
#define VPNR_AWAIT_KEEPALIVE_MS 30000

typedef enum {
	VPNR_AWAIT_OPEN,    /* there is a link, or was one a moment ago */
	VPNR_AWAIT_TIMEOUT, /* the deadline has passed */
	VPNR_AWAIT_GONE,    /* the application is gone */
	VPNR_AWAIT_STOPPED, /* stop was tripped */
} VpnrAwait;

/* Waits until gate is readable, which is the descriptor of one (base/gate.h) or of several
 * (uplinks.h), at most until deadline (base/deadline.h) or until stop is tripped, and only as long
 * as the application behind the connected TCP socket fd (-1: none) is there. A gate that is open
 * counts even if the deadline has passed. Has fd probed meanwhile, and afterwards as a stream's. */
VpnrAwait vpnr_await_gate(int gate, int fd, const VpnrLatch *stop, gint64 deadline);

G_END_DECLS
