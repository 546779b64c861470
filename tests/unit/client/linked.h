/* SPDX-License-Identifier: MIT
 *
 * linked: a client without inbounds, and its server, which the test plays. Every failure ends the
 * test.
 */
#pragma once

#include <glib.h>

#include "base/key.h"
#include "base/pool.h"
#include "base/stats.h"
#include "client/uplinks.h"
#include "tests/unit/party.h"

G_BEGIN_DECLS

typedef struct {
	int listener;    /* of the server */
	VpnrKey key;     /* of the server, private */
	VpnrStats stats; /* for the inbounds; what the link counts see linked_stat() */
	VpnrPool *pool;
	VpnrUplinks *uplinks;
	Party party; /* the server, once it has been greeted */
	guint32 id;  /* of the stream that was opened last */
} Linked;

/* A client whose streams wait so long for the server, who does not answer yet. */
void linked_start(Linked *linked, guint resume_timeout_s, guint max_threads);

/* Plays the server until the link is up. It takes datagrams, or does not. */
void linked_greet(Linked *linked, gboolean takes_datagrams);

/* Ends the links, and with them the streams. Inbounds have been stopped, and are freed only after
 * this. */
void linked_end(Linked *linked);

/* The next frame must be an OPEN of this kind to dest; its stream is linked->id. */
void linked_expect_open(Linked *linked, VpnrKind kind, const char *dest);

/* The next frame must be a DATAGRAM of the last stream, with this text. */
void linked_expect_datagram(Linked *linked, const char *text);

/* Says that the last stream is open, and sends a DATAGRAM in it. */
void linked_answer(Linked *linked, const char *text);

/* What client and link have counted together. */
guint64 linked_stat(const Linked *linked, VpnrStat stat);

/* Waits until that is this value. */
void linked_wait_stat(Linked *linked, VpnrStat stat, guint64 value);

G_END_DECLS
