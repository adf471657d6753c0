/* measure - times of many repetitions and their percentiles
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>

struct samples {
    int64_t *ns;
    size_t n, size;
};

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t measure_now(void);

/* Adds one; ends the program when out of memory. */
void measure_add(struct samples *s, int64_t ns);

/* Sorts, and answers the given percentile (0..100) in microseconds; 0 without samples. */
double measure_percentile_us(struct samples *s, double percent);

void measure_clear(struct samples *s);

/* CPU seconds of all threads of a process, so far; 0 for none. */
double measure_cpu(int pid);

#endif
