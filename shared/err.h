/* err - the one error type
 *
 * err.def is the table of facts; this header derives the enum from it. A function
 * that can fail returns enum err and hands results out through _r parameters.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_ERR_H
#define SHARED_ERR_H

enum err {
#define ERR(symbol, status, word, text) ERR_##symbol,
#include "shared/err.def"
#undef ERR
    ERR_COUNT
};

/* What a refusal says beyond its code. The caller owns it and may leave it zeroed. */
struct fail {
    enum err code;
    const char *field;      /* the field to blame, static or arena text; NULL = none */
    char why[160];          /* one sentence for people; empty = the table's text */
};

/* The HTTP status err.def gives e. */
int err_status(enum err e);

/* The short word err.def gives e, for logs. */
const char *err_word(enum err e);

/* The sentence err.def gives e. */
const char *err_text(enum err e);

/* Fills *fail (NULL is fine) and returns code, so that a check reads
 * `return err_fail(fail, ERR_LIMIT, "title", "title is longer than %d", max);` */
enum err err_fail(struct fail *fail, enum err code, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
