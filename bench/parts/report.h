/* SPDX-License-Identifier: MIT
 *
 * report: the results as the other benchmarks print theirs: a table, or one object of JSON.
 */
#pragma once

#include "bench/parts/measure.h"

G_BEGIN_DECLS

/* The machine, and a table with the median and the range of each result. */
void report_print_table(const Measure *measure);

/* The same as one object, and in it each single measurement. */
void report_print_json(const Measure *measure);

G_END_DECLS
