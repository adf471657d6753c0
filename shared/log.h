/* log - one line an event: `level event key=value ...` on standard error or syslog
 *
 * The event is one lower-case word, "why" the key of a reason. Values are quoted when they need it,
 * control characters escaped. Never log message bodies, tokens or secrets.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_LOG_H
#define SHARED_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Where lines go, standard error or syslog, and from which level on. program is shown in front and
 * kept by pointer. */
void log_setup(const char *program, enum log_level level, bool to_syslog);

/* The level of that name; false, and nothing else, when there is none. */
bool log_level_named(const char *name, enum log_level *level_r);

/* One line: log_event(LOG_LEVEL_INFO, "request", "method", "GET", "status", "200", NULL).
 * Keys and values alternate, both C strings (a NULL value is left out); NULL ends. */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));

/* A number as text for log_event; a ring of buffers, good for one call. */
const char *log_number(long long n);

/* Is this level written at all? */
bool log_enabled(enum log_level level);

/* For lines that strangers can cause: one a second. All zero: none was written. */
struct log_gate {
    int64_t next_ms, unsaid;
};

/* May one be written now (monotonic)? *unsaid_r: how many might not, since the last. */
bool log_gate_opens(struct log_gate *g, int64_t now_ms, int64_t *unsaid_r);

#endif
