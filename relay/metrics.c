/* metrics - Prometheus text
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/metrics.h"

#include <inttypes.h>
#include <math.h>

#define PREFIX   "confab_"
#define FIRST_US 64             /* upper bound of the first bucket */

/* One line, with what the format escapes in a help text. */
static void
put_help(struct sbuf *out, const char *help)
{
    for (; *help; help++) {
        if (*help == '\\')
            sbuf_puts(out, "\\\\");
        else if (*help == '\n')
            sbuf_puts(out, "\\n");
        else
            sbuf_putc(out, *help);
    }
}

static void
put_seconds(struct sbuf *out, uint64_t us)
{
    sbuf_printf(out, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
}

static uint64_t
bound_us(int bucket)
{
    return (uint64_t)FIRST_US << bucket;
}

/* The bucket of a time; HISTOGRAM_BUCKETS: above them all. */
static int
bucket_of(uint64_t us)
{
    int i = us <= FIRST_US ? 0 : 64 - __builtin_clzll((us - 1) / FIRST_US);

    return i < HISTOGRAM_BUCKETS ? i : HISTOGRAM_BUCKETS;
}

void
metrics_family(struct metrics *m, const char *name, const char *type, const char *help)
{
    sbuf_printf(m->out, "# HELP " PREFIX "%s ", name);
    put_help(m->out, help);
    sbuf_printf(m->out, "\n# TYPE " PREFIX "%s %s\n", name, type);
}

void
metrics_sample(struct metrics *m, const char *name, const char *labels, int64_t value)
{
    if (labels && *labels)
        sbuf_printf(m->out, PREFIX "%s{%s} %" PRId64 "\n", name, labels, value);
    else
        sbuf_printf(m->out, PREFIX "%s %" PRId64 "\n", name, value);
}

void
metrics_counter(struct metrics *m, const char *name, const char *help, int64_t value)
{
    metrics_family(m, name, "counter", help);
    metrics_sample(m, name, NULL, value);
}

void
metrics_gauge(struct metrics *m, const char *name, const char *help, int64_t value)
{
    metrics_family(m, name, "gauge", help);
    metrics_sample(m, name, NULL, value);
}

void
histogram_add(struct histogram *h, int64_t us)
{
    uint64_t t = us > 0 ? (uint64_t)us : 0;
    int bucket = bucket_of(t);

    if (bucket < HISTOGRAM_BUCKETS)
        h->buckets[bucket]++;
    h->count++;
    h->sum_us += t;
}

int64_t
histogram_quantile(const struct histogram *h, double q)
{
    double rank = ceil(q * (double)h->count);
    uint64_t seen = 0;
    int i;

    if (h->count == 0)
        return 0;
    for (i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
        seen += h->buckets[i];
        if (seen > 0 && (double)seen >= rank)
            break;
    }
    return (int64_t)bound_us(i);
}

void
metrics_histogram(struct metrics *m, const char *name, const char *help, const struct histogram *h)
{
    uint64_t seen = 0;
    int i;

    metrics_family(m, name, "histogram", help);
    for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        sbuf_printf(m->out, PREFIX "%s_bucket{le=\"", name);
        put_seconds(m->out, bound_us(i));
        sbuf_printf(m->out, "\"} %" PRIu64 "\n", seen);
    }
    sbuf_printf(m->out, PREFIX "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, h->count);
    sbuf_printf(m->out, PREFIX "%s_sum ", name);
    put_seconds(m->out, h->sum_us);
    sbuf_printf(m->out, "\n" PREFIX "%s_count %" PRIu64 "\n", name, h->count);
}
