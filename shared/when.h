/* when - time as integer milliseconds since 1970-01-01T00:00:00Z
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_WHEN_H
#define SHARED_WHEN_H

#include <stdint.h>

#define WHEN_TEXT_SIZE 32

/* The wall clock now. Called at the outermost layer only; everybody else is handed `now`. */
int64_t when_now_ms(void);

/* A clock that never goes back, for time-outs. Milliseconds since some fixed past. */
int64_t when_monotonic_ms(void);

/* RFC 3339 UTC with three decimals and Z into out[WHEN_TEXT_SIZE]; returns out. */
char *when_text(int64_t ms, char *out);

#endif
