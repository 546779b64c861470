/* SPDX-License-Identifier: MIT
 *
 * subjects: the parts of vpnr that are measured by themselves. Each function adds its results.
 */
#pragma once

#include "bench/parts/measure.h"

G_BEGIN_DECLS

/* proto/codec: frames to bytes and back, against a copy of as many bytes. */
void measure_codec(Measure *measure);

/* base/mailbox: inside a thread and between two, against what it is made of. */
void measure_mailbox(Measure *measure);

/* link/schedule: a frame in and a frame out, with so many streams, against one stream. */
void measure_schedule(Measure *measure);

/* link/replay: a frame sent and acknowledged, with so many in flight, against a GQueue. */
void measure_replay(Measure *measure);

/* link/tls: bytes over a loopback connection, against the same without encryption. */
void measure_transport(Measure *measure);

G_END_DECLS
