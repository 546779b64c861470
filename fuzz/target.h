/* SPDX-License-Identifier: MIT
 *
 * target: the function that every fuzz target defines and libFuzzer, or replay.c, calls. It returns
 * 0; a finding aborts.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

G_END_DECLS
