/* SPDX-License-Identifier: MIT
 *
 * dial: how the benchmarks' applications reach their target: directly (and so redirected, where a
 * firewall says so), or through a SOCKS5 proxy.
 *
 * Nothing of vpnr is used here: what measures shares no code with what it measures. Every failure
 * ends the program with status 2, since a benchmark of fewer connections than it says would lie.
 */
#pragma once

#include <sys/socket.h>

typedef struct {
	struct sockaddr_storage sa;
	socklen_t size;
} Address;

/* Parses an IPv4 or IPv6 address, without brackets, and a port. */
Address address_parse(const char *host, const char *port);

/* Parses "192.0.2.1:1080" or "[2001:db8::1]:1080". */
Address address_parse_pair(const char *text);

/* Returns a connected non-blocking socket (TCP_NODELAY) that talks to the target. proxy: NULL for a
 * direct connection. With a proxy the target has accepted before this returns (RFC 1928, section
 * 6). */
int dial(const Address *target, const Address *proxy);
