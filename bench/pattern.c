/* SPDX-License-Identifier: MIT */
#include "bench/pattern.h"

#include <string.h>

/* The largest prime below 64 Ki: a multiple of no frame, page or window. */
#define PERIOD 65521

static char bytes[PERIOD + PATTERN_CHUNK];

void
pattern_init(void)
{
	uint32_t state = 1;

	/* xorshift32 (Marsaglia, 2003): the same bytes in every program. */
	for (size_t i = 0; i < sizeof bytes; i++) {
		state ^= state << 13;
		state ^= state >> 17;
		state ^= state << 5;
		bytes[i] = i < PERIOD ? (char)state : bytes[i - PERIOD];
	}
}

const char *
pattern_at(uint64_t offset)
{
	return bytes + offset % PERIOD;
}

bool
pattern_matches(uint64_t offset, const char *received, size_t n)
{
	return memcmp(pattern_at(offset), received, n) == 0;
}
