/* when - time as integer milliseconds since 1970-01-01T00:00:00Z
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/when.h"

#include <time.h>

#define TEXT_FIRST (-62167219200000)    /* 0000-01-01T00:00:00.000Z */
#define TEXT_LAST 253402300799999       /* 9999-12-31T23:59:59.999Z */

static int64_t
clock_ms(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
when_now_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

int64_t
when_monotonic_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

/* n digits of v and a mark behind them; a page of messages holds enough times for printf to show. */
static char *
digits(char *out, int v, int n, char mark)
{
    for (int i = n - 1; i >= 0; i--, v /= 10)
        out[i] = (char)('0' + v % 10);
    out[n] = mark;
    return out + n + 1;
}

char *
when_text(int64_t ms, char *out)
{
    char *p = out;
    unsigned fraction;
    struct tm tm;
    time_t s;

    if (ms < TEXT_FIRST)        /* RFC 3339 has four digits for the year */
        ms = TEXT_FIRST;
    if (ms > TEXT_LAST)
        ms = TEXT_LAST;
    fraction = (unsigned)((ms % 1000 + 1000) % 1000);
    s = (time_t)((ms - fraction) / 1000);
    gmtime_r(&s, &tm);
    p = digits(p, tm.tm_year + 1900, 4, '-');
    p = digits(p, tm.tm_mon + 1, 2, '-');
    p = digits(p, tm.tm_mday, 2, 'T');
    p = digits(p, tm.tm_hour, 2, ':');
    p = digits(p, tm.tm_min, 2, ':');
    p = digits(p, tm.tm_sec, 2, '.');
    p = digits(p, (int)fraction, 3, 'Z');
    *p = '\0';
    return out;
}
