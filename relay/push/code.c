/* code - the words of the client protocol's numbers
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/code.h"

const char *
push_error_message(enum push_error e)
{
    switch ((int)e) {
#define PUSH_ERROR(symbol, code, temporary, message) case code: return message;
#include "relay/push/code.def"
#undef PUSH_ERROR
    }
    return "error";             /* one of the application's: clients want a message */
}

bool
push_error_temporary(enum push_error e)
{
    switch ((int)e) {
#define PUSH_ERROR(symbol, code, temporary, message) case code: return temporary;
#include "relay/push/code.def"
#undef PUSH_ERROR
    }
    return false;
}

const char *
push_close_reason(enum push_close c)
{
    switch ((int)c) {
#define PUSH_CLOSE(symbol, code, reason) case code: return reason;
#include "relay/push/code.def"
#undef PUSH_CLOSE
    }
    return "closed by the application";
}

const char *
push_unsubscribe_reason(enum push_unsubscribe u)
{
    switch ((int)u) {
#define PUSH_UNSUBSCRIBE(symbol, code, reason) case code: return reason;
#include "relay/push/code.def"
#undef PUSH_UNSUBSCRIBE
    }
    return "unsubscribed by the application";
}
