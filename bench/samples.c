/* SPDX-License-Identifier: MIT */
#include "bench/samples.h"

#include <err.h>
#include <stdlib.h>
#include <time.h>

int64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

void
samples_add(Samples *samples, int64_t us)
{
	if (samples->n == samples->room) {
		samples->room = samples->room ? samples->room * 2 : 4096;
		samples->us = realloc(samples->us, samples->room * sizeof *samples->us);
		if (!samples->us)
			err(2, "no memory for samples");
	}
	samples->us[samples->n++] = us;
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

void
samples_sort(Samples *samples)
{
	if (samples->n > 0)
		qsort(samples->us, samples->n, sizeof *samples->us, compare);
}

int64_t
samples_percentile(const Samples *samples, int p)
{
	return samples->us[(samples->n * p + 99) / 100 - 1];
}
