/* SPDX-License-Identifier: MIT
 *
 * fd: what every owner of a file descriptor needs, and nothing about who it is.
 *
 * All functions are thread-safe. Descriptors made here are close-on-exec.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"

G_BEGIN_DECLS

/* A descriptor that closes itself at the end of its scope: g_auto(VpnrFd) fd = -1; */
typedef int VpnrFd;

/* Closes fd unless it is negative; keeps errno. */
void vpnr_fd_close(int fd);

/* Takes the descriptor out of *fd and leaves -1 (transfer full). */
int vpnr_fd_steal(int *fd);

/* Prepares a connected TCP socket: TCP_NODELAY, since frames and records are whole when they are
 * written. Sockets that are not TCP are left as they are. */
void vpnr_fd_set_nodelay(int fd);

/* Keepalive probes, so that a peer that is gone without a word ends a connection without traffic
 * after about timeout_ms. One that is there and does not read may do so for ever. */
void vpnr_fd_set_keepalive(int fd, guint timeout_ms);

/* SO_OOBINLINE: bytes that were sent as urgent are received in their place among the others, as
 * RFC 6093, section 6, wants it. The kernel would else take the last of them out. */
void vpnr_fd_set_urgent_inline(int fd);

/* SO_MARK, so that rules can tell what is sent (0: none). FALSE with errno. */
gboolean vpnr_fd_set_mark(int fd, guint32 mark);

/* Moreover TCP_USER_TIMEOUT: a peer that acknowledges nothing, or that does not read although there
 * is data for it, ends the connection after about timeout_ms, too. */
void vpnr_fd_set_dead_peer_timeout(int fd, guint timeout_ms);

/* TCP_NOTSENT_LOWAT: the socket takes no more while so many bytes wait in it that have not been on
 * the network (tcp(7)), and is writable again when half of them have left. What was sent and is not
 * acknowledged does not count. Linux fills the segment that it has begun, so it may be 64 KiB more.
 */
void vpnr_fd_set_notsent_lowat(int fd, guint bytes);

/* SO_SNDBUFFORCE: so many bytes may be under way, whatever the system has as its bound. Without
 * CAP_NET_ADMIN nothing changes: the buffer goes on growing up to that (tcp_wmem, tcp(7)). */
void vpnr_fd_set_send_buffer(int fd, guint bytes);

/* Bytes that were sent on a TCP socket and that its peer has not acknowledged, those that still
 * wait in it included (SIOCOUTQ, tcp(7)). 0 if fd is none. */
gsize vpnr_fd_under_way(int fd);

/* Closes a connected TCP socket with a reset (SO_LINGER 0) instead of a FIN: the peer's application
 * sees ECONNRESET, not an ordinary end. */
void vpnr_fd_abort(int fd);

/* Throws away what has come on a connected TCP socket and was not read, before it is closed: else
 * the system resets the connection instead of ending it, and the peer does not get what it has been
 * sent and has no room for yet. */
void vpnr_fd_discard(int fd);

/* TRUE if the peer has reset the connection (or the system, for it), also after a call that has
 * reported that, as each error is reported once; and once both sides have ended it. FALSE for what
 * is no TCP socket. */
gboolean vpnr_fd_is_reset(int fd);

/* Opens a listening TCP socket on addr (IPv4 or IPv6; IPv6 sockets are IPV6_V6ONLY), non-blocking,
 * SO_REUSEADDR, with the system's largest backlog. Port 0 picks a free one. Returns the descriptor
 * (transfer full), or -1 with an error (G_FILE_ERROR) that names the address. */
int vpnr_fd_listen(const VpnrAddr *addr, GError **error);

/* TRUE if vpnr_fd_listen() cannot have sockets on both (IPv4 or IPv6) at a time: they are the same,
 * or one of them is all addresses of the other's family, and the port is the same. */
gboolean vpnr_fd_listeners_clash(const VpnrAddr *a, const VpnrAddr *b);

/* FALSE if addr (IPv4 or IPv6) is no address of this host, or the host does not have its family at
 * all. The port does not matter. */
gboolean vpnr_fd_is_local(const VpnrAddr *addr);

/* An array of descriptors (int), which are closed with it or when they are removed (transfer
 * full). */
GArray *vpnr_fd_array_new(void);

/* The address of a socket of IPv4 or IPv6, and that of its peer; VPNR_ADDR_NONE, with errno, if it
 * has none. */
VpnrAddr vpnr_fd_local_addr(int fd);
VpnrAddr vpnr_fd_peer_addr(int fd);

/* A descriptor (transfer full) that is readable while a or b (-1: none) is: for a wait that takes
 * only one. -1 with an error (G_FILE_ERROR) when none is left. */
int vpnr_fd_either(int a, int b, GError **error);

/* Raises the soft limit of open descriptors to the hard one: a stream needs two. Returns the limit
 * that is in force. */
guint64 vpnr_fd_raise_limit(void);

/* Puts something into the place of standard input, output and error where they are closed: a socket
 * or a file that is opened would get their numbers, and then what is written for a human. Writing
 * to them still fails. Called first of all. */
void vpnr_fd_fill_standard(void);

G_DEFINE_AUTO_CLEANUP_FREE_FUNC(VpnrFd, vpnr_fd_close, -1)

G_END_DECLS
