/* callback_answer - what the application answers when it is asked: JSON into a struct
 *
 * Pure. Source of the rules: docs/push/protocol.md, "Asking the application".
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_CALLBACK_ANSWER_H
#define RELAY_PUSH_CALLBACK_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/push/code.h"
#include "shared/arena.h"
#include "shared/err.h"

struct callback_answer {
    enum push_error error;          /* PUSH_OK, one of the table's, or the application's own: 400 to 1999 */
    const char *message;            /* of an error; never empty */
    bool temporary;                 /* ... that may be over soon */
    const char *info, *data;        /* raw JSON or NULL */
    int64_t expires_ms;             /* Unix; 0: never */
};

/* An error of ours. */
struct callback_answer callback_answer_error(enum push_error e);

/* ERR_MALFORMED: it is none. What it gives is in the arena. */
enum err callback_answer_read(struct arena *a, const char *text, size_t len,
                              struct callback_answer *answer_r);

#endif
