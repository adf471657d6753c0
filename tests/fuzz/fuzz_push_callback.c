/* fuzz_push_callback - what an application may answer when it is asked
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "relay/push/callback_answer.h"
#include "shared/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool fine)
{
    if (!fine)
        abort();
}

/* Absent, or in one line. */
static void
check_raw(const char *s)
{
    check(!s || (*s && utf8_valid(s, strlen(s)) && !strpbrk(s, "\r\n")));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct callback_answer answer;

    if (callback_answer_read(a, (const char *)data, size, &answer) == ERR_OK) {
        check_raw(answer.info);
        check_raw(answer.data);
        check(answer.expires_ms >= 0);
        if (answer.error) {
            check((answer.error >= 100 && answer.error <= 113)
                  || (answer.error >= 400 && answer.error <= 1999));
            check(*answer.message && utf8_valid(answer.message, strlen(answer.message)));
        }
    }
    arena_free(a);
    return 0;
}
