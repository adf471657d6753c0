/* code - the client protocol's numbers and their words, from code.def
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_CODE_H
#define RELAY_PUSH_CODE_H

#include <stdbool.h>

enum push_error {
    PUSH_OK = 0,
#define PUSH_ERROR(symbol, code, temporary, message) PUSH_##symbol = code,
#include "relay/push/code.def"
#undef PUSH_ERROR
};

enum push_close {
    CLOSE_NONE = 0,
#define PUSH_CLOSE(symbol, code, reason) CLOSE_##symbol = code,
#include "relay/push/code.def"
#undef PUSH_CLOSE
};

enum push_unsubscribe {
#define PUSH_UNSUBSCRIBE(symbol, code, reason) UNSUBSCRIBE_##symbol = code,
#include "relay/push/code.def"
#undef PUSH_UNSUBSCRIBE
};

/* What became of a command: nothing wrong, an error reply, or the end of the connection. */
struct push_verdict {
    enum push_error error;
    enum push_close close;      /* wins */
};

const char *push_error_message(enum push_error e);
bool push_error_temporary(enum push_error e);
const char *push_close_reason(enum push_close c);       /* never empty, also for codes not in the table */
const char *push_unsubscribe_reason(enum push_unsubscribe u);

#endif
