/* json - the one JSON reader and the one JSON writer
 *
 * Reading is stricter than cJSON, which this file alone uses: RFC 8259 to the letter,
 * the whole text, valid UTF-8, no lone surrogates, no repeated names in one object,
 * depth bounded. A document belongs to the arena it was parsed into.
 *
 * A \u0000 in a string is legal JSON. Decoded strings are C strings, so it
 * is carried as the two bytes C0 80, which no valid text contains; the field table decides
 * whether to drop or to refuse it (json_nul_drop, json_nul_present).
 *
 * Writing appends to an sbuf. Commas are automatic: a value or key that follows anything but
 * '{', '[', ':' or the start of the buffer gets one.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_JSON_H
#define SHARED_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/arena.h"
#include "shared/err.h"
#include "shared/sbuf.h"

struct json;                            /* a value inside a parsed document */

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* Parses text[0..len) into the arena (it lives until arena_reset or arena_free, which
 * also release what cJSON allocated). Nesting deeper than max_depth, and every other fault,
 * is ERR_MALFORMED, with a sentence in fail. */
enum err json_parse(struct arena *a, const char *text, size_t len, int max_depth,
                    struct json **json_r, struct fail *fail);

enum json_type json_type(const struct json *v);

/* Member of an object, exact name; NULL when v is no object or has none. */
const struct json *json_get(const struct json *v, const char *name);

/* First element or member, and the one after v; NULL at the end. */
const struct json *json_first(const struct json *v);
const struct json *json_next(const struct json *v);
size_t json_count(const struct json *v);

/* Name of an object's member. */
const char *json_name(const struct json *v);

/* NUL-terminated text of a string; NULL for anything else. */
const char *json_text(const struct json *v);

bool json_is_true(const struct json *v);

/* The number when it is an integer within +-(2^53-1) (1e3 and 10.0 are integers). */
bool json_integer(const struct json *v, int64_t *n_r);
double json_number(const struct json *v);

/* The exact text of a top-level member of the object text[0..len), which json_parse accepted:
 * insignificant white space removed, numbers and escapes as given. NULL when it is absent. */
char *json_raw(struct arena *a, const char *text, size_t len, const char *name);

/* text[0..len) without insignificant white space, when it is one valid JSON value (names may repeat, nothing
 * is decoded); NULL when it is not. Much cheaper than json_parse. */
char *json_compact(struct arena *a, const char *text, size_t len, int max_depth);

/* A walk over the elements of an array given as compact text, such as json_raw makes: begin with *at on the text;
 * the next element's text and length, NULL at the end. In an object that is not empty it goes over the members,
 * "name":value, and it is for the caller to know how many there are. */
const char *json_element(const char **at, size_t *len_r);

/* NUL in a text; written as \u0000 in a JSON text that json_parse accepted. */
bool json_nul_present(const char *s);
bool json_nul_in_raw(const char *json);
void json_nul_drop(char *s);

/* ---- writing ---- */

void json_open(struct sbuf *b, char bracket);       /* '{' or '[' */
void json_close(struct sbuf *b, char bracket);      /* '}' or ']' */
void json_key(struct sbuf *b, const char *name);    /* a name of ours: nothing in it needs an escape */
void json_string(struct sbuf *b, const char *s);    /* NULL writes null */
void json_string_n(struct sbuf *b, const char *s, size_t len);
void json_int(struct sbuf *b, int64_t n);
void json_double(struct sbuf *b, double v);        /* finite; a short text that reads as the same */
void json_bool(struct sbuf *b, bool v);
void json_null(struct sbuf *b);
void json_put_raw(struct sbuf *b, const char *json);/* ready JSON text */

/* key and value in one */
void json_kv(struct sbuf *b, const char *name, const char *s);
void json_kv_int(struct sbuf *b, const char *name, int64_t n);
void json_kv_double(struct sbuf *b, const char *name, double v);
void json_kv_bool(struct sbuf *b, const char *name, bool v);

#endif
