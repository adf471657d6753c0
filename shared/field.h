/* field - the one validator: JSON objects and query strings into structs, by table
 *
 * A table names each member of an input, its kind, where it goes and its limits. What a
 * table does not name is ignored. Absent and null leave the struct's (zeroed) member alone,
 * unless the row says REQUIRED. Texts are counted in code points after decoding.
 *
 * Wrong type or missing: ERR_FIELD. Over or under a limit, or NUL: ERR_LIMIT.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_FIELD_H
#define SHARED_FIELD_H

#include <stddef.h>
#include <stdint.h>

#include "shared/arena.h"
#include "shared/err.h"
#include "shared/json.h"

enum field_kind {
    F_TEXT = 1,         /* const char *   NUL refused */
    F_CONTENT,          /* const char *   NUL dropped */
    F_INT,              /* int64_t        min..max inclusive; beyond: ERR_LIMIT, or clamped;
                           both 0: no bounds */
    F_BOOL,             /* bool */
    F_UUID,             /* struct id (shared/id.h); case-insensitive input; malformed: ERR_FIELD */
    F_RAW,              /* const char *   any JSON, its exact text; max counts bytes; NUL refused;
                           not in elements of lists */
    F_LIST,             /* struct list    of objects, by .elements, or of texts when NULL */
};

enum field_flag {
    FIELD_REQUIRED = 1,
    FIELD_CLAMP = 2,    /* F_INT: bring into min..max instead of refusing */
    FIELD_NOT_NULL = 4, /* null is the wrong type instead of absent */
    FIELD_TRIM = 8,     /* F_TEXT: white space at both ends goes before measuring */
};

/* A list in a struct: items points to n structs of element_size, or to n const char *. */
struct list {
    void *items;
    size_t n;
};

struct field {
    const char *name;
    enum field_kind kind;
    size_t offset;
    int64_t min, max;           /* code points, value, bytes or elements; max 0 = unbounded */
    unsigned flags;
    size_t has;                 /* offset of a bool set when given; 0 = none */
    const struct field *elements;   /* F_LIST of objects: their table ... */
    size_t element_size;            /* ... and struct */
    int64_t element_max;        /* F_LIST of texts: code points of one (min 1) */
    enum err over;              /* F_LIST: what more than max elements are; 0 = ERR_LIMIT */
};

/* Reads object (parsed from text) into the struct at out. */
enum err field_read_json(struct arena *a, const struct field *table, const struct json *object,
                         const char *text, size_t len, void *out, struct fail *fail);

/* One decoded pair of a query string. */
struct pair {
    const char *name;
    const char *value;      /* NUL-terminated, checked UTF-8, no NUL inside */
};

/* Reads query pairs: the first of each name counts. F_TEXT, F_INT, F_BOOL ("true"/"false"),
 * F_UUID only. An empty value is a given value: "" for F_TEXT, else ERR_FIELD. */
enum err field_read_query(struct arena *a, const struct field *table, const struct pair *pairs,
                          size_t n, void *out, struct fail *fail);

#endif
