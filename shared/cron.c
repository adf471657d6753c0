/* cron - parsing a line, and the next moment it means
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE     /* timegm */
#include "shared/cron.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIELDS 6
#define STEPS_MAX (5 * 366 + 24 + 60 + 60)      /* days of five years, then hours, minutes, seconds */

/* A number within low..high at *p, which moves behind it. */
static bool
number(const char **p, int low, int high, int *n_r)
{
    char *end;
    long n;

    if (**p < '0' || **p > '9')
        return false;
    n = strtol(*p, &end, 10);
    if (end - *p > 4 || n < low || n > high)
        return false;
    *p = end;
    *n_r = (int)n;
    return true;
}

/* "*", "N", "N-M", each perhaps with "/STEP". */
static bool
range(const char **p, int low, int high, uint64_t *set)
{
    int from = low, to = high, step = 1;

    if (**p == '*') {
        (*p)++;
    } else {
        if (!number(p, low, high, &from))
            return false;
        to = from;
        if (**p == '-' && ((*p)++, !number(p, from, high, &to)))
            return false;
    }
    if (**p == '/' && ((*p)++, !number(p, 1, high, &step)))
        return false;
    for (int i = from; i <= to; i += step)
        *set |= UINT64_C(1) << i;
    return true;
}

static bool
field(const char **p, int low, int high, uint64_t *set)
{
    *set = 0;
    *p += strspn(*p, " ");
    do {
        if (!range(p, low, high, set))
            return false;
    } while (**p == ',' && (*p)++);
    return **p == ' ' || **p == '\0';
}

bool
cron_parse(const char *text, struct cron *cron_r)
{
    static const int low[FIELDS] = {0, 0, 0, 1, 1, 0}, high[FIELDS] = {59, 59, 23, 31, 12, 7};
    struct cron c = { 0 };
    uint64_t *sets[FIELDS] = {&c.second, &c.minute, &c.hour, &c.day, &c.month, &c.weekday};
    bool *any[FIELDS] = {[3] = &c.any_day, [5] = &c.any_weekday};

    for (int i = 0; i < FIELDS; i++) {
        const char *start = text + strspn(text, " ");

        if (!field(&text, low[i], high[i], sets[i]))
            return false;
        if (any[i] != NULL)
            *any[i] = *start == '*' && (start[1] == ' ' || start[1] == '\0');
    }
    if (text[strspn(text, " ")] != '\0')
        return false;
    if (c.weekday & UINT64_C(1) << 7)
        c.weekday |= 1;
    *cron_r = c;
    return true;
}

static bool
has(uint64_t set, int i)
{
    return set >> i & 1;
}

static bool
day_fits(const struct cron *c, const struct tm *t)
{
    bool day = has(c->day, t->tm_mday), weekday = has(c->weekday, t->tm_wday);

    if (!has(c->month, t->tm_mon + 1))
        return false;
    return c->any_day || c->any_weekday ? day && weekday : day || weekday;
}

/* Moves to the next moment that may fit; true when t fits already. */
static bool
advance(const struct cron *c, struct tm *t)
{
    if (!day_fits(c, t)) {
        t->tm_mday++;
        t->tm_hour = t->tm_min = t->tm_sec = 0;
    } else if (!has(c->hour, t->tm_hour)) {
        t->tm_hour++;
        t->tm_min = t->tm_sec = 0;
    } else if (!has(c->minute, t->tm_min)) {
        t->tm_min++;
        t->tm_sec = 0;
    } else if (!has(c->second, t->tm_sec)) {
        t->tm_sec++;
    } else {
        return true;
    }
    return false;
}

int64_t
cron_next(const struct cron *cron, int64_t after_ms)
{
    time_t at = (time_t)(after_ms / 1000) + 1;
    struct tm t;

    for (int i = 0; i < STEPS_MAX; i++) {
        gmtime_r(&at, &t);
        if (advance(cron, &t))
            return (int64_t)at * 1000;
        at = timegm(&t);        /* carries over into minutes, hours, days, months */
    }
    return -1;
}
