/* SPDX-License-Identifier: MIT
 *
 * handover: whether the reader writes a frame of DATA to the stream's socket itself, if the worker
 * lends that (lend.h), or hands it over to the worker. The reader's own; one for each table.
 *
 * To hand a frame over costs a wake-up, and the frame's bytes come to another processor; to write
 * it costs everybody whose frames come behind it the time of a send(). So what is short is written.
 * A long frame is handed over while short ones come as well, whose streams would wait, and while
 * the reader is what holds the link up: it has a processor and never leaves it, so two threads are
 * faster.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bytes of DATA up to which a frame is short. */
#define VPNR_HANDOVER_SHORT (16 * 1024)

/* Microseconds: so long after a long frame of a stream its short ones are parts of a transfer; and
 * so long after any other short frame long ones are handed over. */
#define VPNR_HANDOVER_US 100000

/* Long frames after which the reader looks again whether it has left its processor meanwhile. */
#define VPNR_HANDOVER_LOOK 64

/* All zeros at first. */
typedef struct {
	gint64 talked_at; /* monotonic us, when such a short frame came last; 0: never */
	guint n_left;     /* long frames until the next look */
	glong n_breaks;   /* of the reader until then: it slept, or others ran; 0: unknown */
	gboolean is_busy; /* there had been none since the one before */
} VpnrHandover;

/* A frame of DATA of so many bytes has come, now (monotonic us), for a stream whose last long one
 * came at *long_at (0: none). TRUE: the calling thread, the reader, does best to write it. */
gboolean vpnr_handover_keeps(VpnrHandover *handover, gint64 *long_at, guint32 size, gint64 now);

G_END_DECLS
