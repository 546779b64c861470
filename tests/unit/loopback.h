/* SPDX-License-Identifier: MIT
 *
 * loopback: TCP connections and UDP sockets inside a test, and what arrives on them. Every failure
 * ends the test; what does not come within PATIENCE_MS is a failure.
 *
 * The far ends of connections, which the test holds, are blocking.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"

G_BEGIN_DECLS

/* A socket bound to a free port of 127.0.0.1, which is stored in *addr (transfer full). With a
 * backlog of -1 it does not listen: who connects to it is refused. */
int loopback_listen(int backlog, VpnrAddr *addr);

/* An address for those who must know their port before they listen on it: 127.x.y.z is made from
 * the process id, so no port of it is taken by another process. */
VpnrAddr loopback_private(guint16 port);

/* Moves the test into a network of its own, whose only interface is the loopback: there it may make
 * transparent sockets, and every port is free. Before any thread is started. FALSE if the system
 * allows no such thing. */
gboolean loopback_own_network(void);

/* Adds a test that needs such a network; without it, it is skipped. */
void loopback_add_alone(const char *path, gboolean alone, void (*test)(void));

/* TRUE if this network has [::1], which it lacks where IPv6 is turned off, or the kernel has none.
 * The second form skips the running test where it is FALSE. */
gboolean loopback_has_ipv6(void);
gboolean loopback_needs_ipv6(void);

/* "192.0.2.1:80" as an address. */
VpnrAddr loopback_parse(const char *text);

/* A connection to addr (transfer full). try: -1 if nobody listens there. */
int loopback_connect(const VpnrAddr *addr);
int loopback_try_connect(const VpnrAddr *addr);

/* A connection that has come to a listener (transfer full); waits. */
int loopback_accept(int listener);

/* A connected pair: *ours is non-blocking, for the code under test, and *theirs is the far end. */
void loopback_pair(int *ours, int *theirs);

/* The same, and *theirs has small buffers, so that it stalls soon; not so small that TCP has to
 * probe for every segment. It has them from before the connection: a receiver that becomes smaller
 * later has no room for what it has let its peer send, and throws away the peer's ACKs with it, for
 * which its own segments then wait, at worst for many seconds. */
void loopback_small_pair(int *ours, int *theirs);

/* A UDP socket at a free port of 127.0.0.1, which is stored in *addr (transfer full). */
int loopback_udp(VpnrAddr *addr);

/* A UDP socket at this address (transfer full). */
int loopback_udp_on(const char *addr);

/* An address of 127.0.0.1 where no UDP socket listens (*fd, transfer full, keeps its port). */
VpnrAddr loopback_udp_closed(int *fd);

/* Connects a UDP socket: it sends to addr, and takes only what comes from there. */
void loopback_udp_connect(int fd, const VpnrAddr *addr);

/* Two UDP sockets, connected with each other: *ours is non-blocking, for the code under test. */
void loopback_udp_pair(int *ours, int *theirs);

/* Sends one datagram on a connected UDP socket. */
void loopback_udp_send(int fd, gconstpointer bytes, gsize n);

/* Takes a datagram, which must be this, and returns where it came from. */
VpnrAddr loopback_udp_expect(int fd, gconstpointer bytes, gsize n);

/* Makes fd blocking or not. */
void loopback_set_blocking(int fd, gboolean blocking);

/* Sends all n bytes. */
void loopback_send(int fd, gconstpointer bytes, gsize n);

/* Receives n bytes, which must be these. */
void loopback_expect(int fd, gconstpointer bytes, gsize n);

/* The next thing to come must be the end, or a reset. */
void loopback_expect_end(int fd);
void loopback_expect_reset(int fd);

/* Fills n bytes with what stands at this offset of an endless sequence without a short period, and
 * tells whether n bytes are those. */
void pattern_fill(guint8 *bytes, guint64 offset, gsize n);
gboolean pattern_matches(const guint8 *bytes, guint64 offset, gsize n);

G_END_DECLS
