/* cron - when something is due again, by a line of six fields
 *
 * "second minute hour day-of-month month day-of-week", in UTC. A field is `*` or a list of N, N-M and
 * these with /STEP; Sunday is 0 or 7. Where both days are restricted, either suffices, as crontab(5)
 * has it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_CRON_H
#define SHARED_CRON_H

#include <stdbool.h>
#include <stdint.h>

/* Bit i of a member is set when value i is allowed. */
struct cron {
    uint64_t second, minute, hour, day, month, weekday;
    bool any_day, any_weekday;      /* the field was `*` */
};

/* Reads a line. false when it is not one. */
bool cron_parse(const char *text, struct cron *cron_r);

/* The first due moment after after_ms (Unix milliseconds), or -1 when there is none within five
 * years (February 30). */
int64_t cron_next(const struct cron *cron, int64_t after_ms);

#endif
