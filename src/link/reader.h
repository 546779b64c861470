/* SPDX-License-Identifier: MIT
 *
 * reader: the only thread that receives on a link. It turns bytes into frames and hands each to the
 * link. It never waits for a stream.
 */
#pragma once

#include <glib.h>

#include "base/stats.h"
#include "link/transport.h"
#include "proto/frame.h"

G_BEGIN_DECLS

/* Bytes that may be waiting when a reader is made. */
#define VPNR_READER_EARLY_MAX 65536

typedef struct VpnrReader VpnrReader;

typedef enum {
	VPNR_READER_END,       /* the peer closed the connection in order */
	VPNR_READER_FAILED,    /* the transport failed; text says how */
	VPNR_READER_MALFORMED, /* bytes that are no frame; text says what is wrong with them */
	VPNR_READER_STOPPED,   /* a callback returned FALSE */
} VpnrReaderEnd;

/* All are called on the reader thread. */
typedef struct {
	VpnrTransport *transport; /* outlives the reader */
	VpnrProtocol protocol;
	VpnrRole role;
	guint number; /* for the thread's name, see session.h */
	/* What came with the peer's HELLO and is not read yet: whole and cut frames (nullable, at
	 * most VPNR_READER_EARLY_MAX bytes). Copied. */
	const GByteArray *early;
	/* A frame (transfer full). FALSE ends the reader. */
	gboolean (*frame)(gpointer data, VpnrFrame *frame);
	/* Before every receive; heard: bytes have come since the last call. Returns the
	 * milliseconds that the receive may wait, or -1, which ends the reader. */
	int (*tick)(gpointer data, gboolean heard);
	/* The last call. */
	void (*ended)(gpointer data, VpnrReaderEnd end, const char *text);
	gpointer data;
	VpnrStats *stats;
} VpnrReaderParams;

/* A reader that has not been started. Never fails. */
VpnrReader *vpnr_reader_new(const VpnrReaderParams *params);

/* Starts the thread. FALSE with an error when the system has none to give. */
gboolean vpnr_reader_start(VpnrReader *reader, GError **error);

/* Waits for the end of the thread. As below. */
void vpnr_reader_join(VpnrReader *reader);

/* Joins the thread and frees. The transport has been shut or has ended, else this waits. Takes
 * NULL. */
void vpnr_reader_free(VpnrReader *reader);

G_END_DECLS
