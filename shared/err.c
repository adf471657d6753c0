/* err - texts and statuses of the one error type
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/err.h"

#include <stdarg.h>
#include <stdio.h>

struct err_row {
    int status;
    const char *word;
    const char *text;
};

static const struct err_row rows[ERR_COUNT] = {
#define ERR(symbol, status, word, text) { status, word, text },
#include "shared/err.def"
#undef ERR
};

/* A value from outside the enum is our own mistake; it is shown as such. */
static const struct err_row *
row_of(enum err e)
{
    return (unsigned)e < ERR_COUNT ? &rows[e] : &rows[ERR_INTERNAL];
}

int
err_status(enum err e)
{
    return row_of(e)->status;
}

const char *
err_word(enum err e)
{
    return row_of(e)->word;
}

const char *
err_text(enum err e)
{
    return row_of(e)->text;
}

enum err
err_fail(struct fail *fail, enum err code, const char *field, const char *format, ...)
{
    va_list args;

    if (fail == NULL)
        return code;
    fail->code = code;
    fail->field = field;
    va_start(args, format);
    vsnprintf(fail->why, sizeof fail->why, format, args);
    va_end(args);
    return code;
}
