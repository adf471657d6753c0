/* metrics - figures as Prometheus text (exposition format 0.0.4)
 *
 * Modules keep plain counters and histograms of their own and write them when asked. Names get the prefix
 * "confab_"; a family is begun once and then given its samples.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_METRICS_H
#define RELAY_METRICS_H

#include <stdint.h>

#include "shared/sbuf.h"

struct metrics {
    struct sbuf *out;
};

/* A family: type is "counter", "gauge". labels: ready text such as reason="slow", NULL: none. */
void metrics_family(struct metrics *m, const char *name, const char *type, const char *help);
void metrics_sample(struct metrics *m, const char *name, const char *labels, int64_t value);

/* Family and only sample in one. */
void metrics_counter(struct metrics *m, const char *name, const char *help, int64_t value);
void metrics_gauge(struct metrics *m, const char *name, const char *help, int64_t value);

/* Times, in buckets that double from 64 microseconds to 17 minutes. */
enum { HISTOGRAM_BUCKETS = 25 };
struct histogram {
    uint64_t buckets[HISTOGRAM_BUCKETS];
    uint64_t count;
    uint64_t sum_us;
};

void histogram_add(struct histogram *h, int64_t us);
/* Upper bound of the bucket that holds quantile q (0 to 1), in microseconds. */
int64_t histogram_quantile(const struct histogram *h, double q);
void metrics_histogram(struct metrics *m, const char *name, const char *help, const struct histogram *h);

#endif
