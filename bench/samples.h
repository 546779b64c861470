/* SPDX-License-Identifier: MIT
 *
 * samples: times that were measured, all of them kept, so that percentiles are exact.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct {
	int64_t *us;
	size_t n, room;
} Samples;

/* The clock that never steps, in us. */
int64_t now_us(void);

/* A struct of zeros is an empty one; free() us at the end. */
void samples_add(Samples *samples, int64_t us);

void samples_sort(Samples *samples);

/* The smallest sample that is not below p percent of all (nearest rank). They are sorted, and there
 * is at least one. */
int64_t samples_percentile(const Samples *samples, int p);
