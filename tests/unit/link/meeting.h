/* SPDX-License-Identifier: MIT
 *
 * meeting: how the two sessions of a test, client and server in one process, get a link: HELLO for
 * HELLO on a new connection, as docs/protocol.md, 2.11 has it, and then each goes on where the
 * other has stopped receiving. One thread plays both owners.
 */
#pragma once

#include <glib.h>

#include "link/session.h"
#include "link/transport.h"
#include "proto/hello.h"

G_BEGIN_DECLS

typedef struct {
	VpnrSession *client, *server;           /* both without a link */
	VpnrTransport *client_end, *server_end; /* of one connection (transfer full) */
	gint lie; /* frames that the server claims to have received beyond those that it has */
} Meeting;

typedef enum {
	MEETING_HELD,    /* both have a link */
	MEETING_BROKEN,  /* the connection has ended before; the server may have a link */
	MEETING_REFUSED, /* one claims to have received what the other cannot have sent */
} MeetingResult;

/* What a session says of itself. Its length on the wire is always the same. */
VpnrHello meeting_hello(guint64 received);

/* A connection inside the process: two plain transports, or two sockets (transfer full). */
void meeting_sockets(int *client_fd, int *server_fd);
void meeting_connect(Meeting *meeting);

/* Waits for nothing but the bytes of the HELLOs, which are there. */
MeetingResult meeting_hold(Meeting *meeting);

G_END_DECLS
