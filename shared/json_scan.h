/* json_scan - JSON text held to RFC 8259, and copied without insignificant white space
 *
 * The inner half of the JSON reader (json.c), which owns what it builds from the copy. Functions that
 * scan move p and out behind what they took; on false fault says what is wrong at p.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_JSON_SCAN_H
#define SHARED_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/arena.h"

struct json_scan {
    const char *start, *p, *end;
    char *out;              /* compact copy; never longer than the text */
    bool for_cjson;         /* rewrite what cJSON cannot carry: U+0000 and very long numbers */
    int depth, max_depth;
    const char *fault;      /* first thing wrong; NULL so far */
};

/* At the beginning of text[0..len), which is valid UTF-8 and stays the caller's; the copy is the arena's. */
struct json_scan json_scan_start(struct arena *a, const char *text, size_t len, int max_depth);

/* The next byte, 0 at the end (a real NUL fits no rule either). */
char json_scan_peek(const struct json_scan *s);

/* Passes over white space. */
void json_scan_space(struct json_scan *s);

/* A member's name and the colon behind it. */
bool json_scan_name(struct json_scan *s);

/* Any value, white space before it included. Recursion is bounded by max_depth. */
bool json_scan_value(struct json_scan *s);

/* One value and nothing behind it. */
bool json_scan_text(struct json_scan *s);

#endif
