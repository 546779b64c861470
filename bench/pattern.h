/* SPDX-License-Identifier: MIT
 *
 * pattern: the bytes that every bulk flow carries, known at each offset, so that each receiver can
 * check all of them for less than it costs to receive them.
 *
 * Random bytes, repeated after a prime number of them: a piece that is lost, doubled or from
 * another flow puts every later byte out of step.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most that is sent, or checked, at once. */
#define PATTERN_CHUNK (256 * 1024)

/* Makes the bytes; before anything else. */
void pattern_init(void);

/* PATTERN_CHUNK bytes as they are from this offset of a flow. */
const char *pattern_at(uint64_t offset);

/* TRUE if these n bytes, at most PATTERN_CHUNK, are those from offset. */
bool pattern_matches(uint64_t offset, const char *bytes, size_t n);
