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
    F_NUMBER,           /* double         a JSON number within from..to; beyond a double: ERR_FIELD */
    F_BOOL,             /* bool */
    F_KEY,              /* int64_t        a row's id: an integer as number or as decimal text; one that no row
                           can have is FIELD_NO_ROW */
    F_KEYS,             /* struct list    of int64_t, each as F_KEY; min..max elements */
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
    FIELD_NOT_BLANK = 16,   /* F_TEXT: only white space is as bad as nothing */
};

/* What F_KEY makes of an integer below 1 or above 2^53-1, so that looking it up finds nothing. */
#define FIELD_NO_ROW (-1)

/* A list in a struct: items points to n structs of element_size, n const char * or n int64_t. */
struct list {
    void *items;
    size_t n;
};

struct field {
    const char *name;
    enum field_kind kind;
    size_t offset;
    int64_t min, max;           /* code points, value, bytes or elements; max 0 = unbounded */
    double from, to;            /* F_NUMBER; both 0 = unbounded */
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
 * F_KEY and F_UUID only. An empty value is a given value: "" for F_TEXT, else ERR_FIELD. */
enum err field_read_query(struct arena *a, const struct field *table, const struct pair *pairs,
                          size_t n, void *out, struct fail *fail);

#endif
