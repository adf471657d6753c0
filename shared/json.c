/* json - the one JSON reader (the writer is json_write.c)
 *
 * Reading goes in two steps. A scanner of our own holds the text to RFC 8259 and copies it without
 * insignificant white space; cJSON, which is lenient, then only ever sees what the scanner let
 * through. The same scanner cuts out a member's exact text for json_raw.
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/utf8.h"

#define INTEGER_MAX 9007199254740991.0  /* 2^53 - 1 */
#define NUMBER_MAX 60                   /* cJSON reads 63 characters of a number and stops */

struct scan {
    const char *start, *p, *end;
    char *out;              /* compact copy; never longer than the text */
    bool for_cjson;         /* rewrite what cJSON cannot carry */
    int depth, max_depth;
    const char *fault;      /* first thing wrong; NULL so far */
};

/* ---- scanning ---- */

static bool
wrong(struct scan *s, const char *fault)
{
    if (s->fault == NULL)
        s->fault = fault;
    return false;
}

/* The next byte, 0 at the end (a real NUL fits no rule either). */
static char
peek(const struct scan *s)
{
    return s->p < s->end ? *s->p : '\0';
}

static void
skip_space(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
        s->p++;
}

static void
copy_byte(struct scan *s)
{
    *s->out++ = *s->p++;
}

/* The value of the four hexadecimal digits behind \u at p, -1 when they are not. */
static int
escape_unit(const struct scan *s, const char *p)
{
    int i, unit = 0;
    char c;

    if (s->end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    for (i = 2; i < 6; i++) {
        c = p[i];
        if (c >= '0' && c <= '9')
            unit = unit * 16 + c - '0';
        else if (c >= 'a' && c <= 'f')
            unit = unit * 16 + c - 'a' + 10;
        else if (c >= 'A' && c <= 'F')
            unit = unit * 16 + c - 'A' + 10;
        else
            return -1;
    }
    return unit;
}

static bool
scan_unicode_escape(struct scan *s)
{
    int low, unit = escape_unit(s, s->p);
    size_t len = 6;

    if (unit < 0)
        return wrong(s, "an escape needs four hexadecimal digits");
    if (unit >= 0xdc00 && unit <= 0xdfff)
        return wrong(s, "a lone surrogate");
    if (unit >= 0xd800 && unit <= 0xdbff) {
        low = escape_unit(s, s->p + 6);
        if (low < 0xdc00 || low > 0xdfff)
            return wrong(s, "a lone surrogate");
        len = 12;
    }
    if (unit == 0 && s->for_cjson) {
        *s->out++ = '\xc0';
        *s->out++ = '\x80';
    } else {
        memcpy(s->out, s->p, len);
        s->out += len;
    }
    s->p += len;
    return true;
}

static bool
scan_escape(struct scan *s)
{
    char c = s->end - s->p > 1 ? s->p[1] : '\0';

    if (c == 'u')
        return scan_unicode_escape(s);
    if (c == '\0' || strchr("\"\\/bfnrt", c) == NULL)
        return wrong(s, "an unknown escape");
    copy_byte(s);
    copy_byte(s);
    return true;
}

static bool
scan_string(struct scan *s)
{
    if (peek(s) != '"')
        return wrong(s, "a string is expected");
    copy_byte(s);
    for (;;) {
        if (s->p == s->end)
            return wrong(s, "a string does not end");
        if (*s->p == '"')
            break;
        if ((unsigned char)*s->p < 0x20)
            return wrong(s, "a control character in a string");
        if (*s->p != '\\')
            copy_byte(s);
        else if (!scan_escape(s))
            return false;
    }
    copy_byte(s);
    return true;
}

static bool
scan_digits(struct scan *s)
{
    if (peek(s) < '0' || peek(s) > '9')
        return wrong(s, "a malformed number");
    while (peek(s) >= '0' && peek(s) <= '9')
        copy_byte(s);
    return true;
}

/* cJSON cannot read a number of this length. The same double in fewer digits does as well, for only
 * json_raw, which does not come here, shows digits. */
static void
shorten_number(struct scan *s, char *from)
{
    char text[32];
    double d;
    int n;

    *s->out = '\0';
    d = strtod(from, NULL);
    n = snprintf(text, sizeof text, "%.17g", d);
    if (!isfinite(d))
        n = snprintf(text, sizeof text, d < 0 ? "-1e999" : "1e999");
    memcpy(from, text, (size_t)n);
    s->out = from + n;
}

static bool
scan_number(struct scan *s)
{
    char *from = s->out;

    if (peek(s) == '-')
        copy_byte(s);
    if (peek(s) == '0')
        copy_byte(s);
    else if (!scan_digits(s))
        return false;
    if (peek(s) == '.') {
        copy_byte(s);
        if (!scan_digits(s))
            return false;
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        copy_byte(s);
        if (peek(s) == '+' || peek(s) == '-')
            copy_byte(s);
        if (!scan_digits(s))
            return false;
    }
    if (s->for_cjson && s->out - from > NUMBER_MAX)
        shorten_number(s, from);
    return true;
}

static bool
scan_word(struct scan *s, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len) != 0)
        return wrong(s, "an unknown word");
    memcpy(s->out, word, len);
    s->p += len;
    s->out += len;
    return true;
}

static bool scan_value(struct scan *s);

/* A name and the colon behind it. */
static bool
scan_name(struct scan *s)
{
    if (!scan_string(s))
        return false;
    skip_space(s);
    if (peek(s) != ':')
        return wrong(s, "a colon is expected");
    copy_byte(s);
    return true;
}

/* An array or an object: the members, and the brackets around them. */
static bool
scan_container(struct scan *s, char close)
{
    if (++s->depth > s->max_depth)
        return wrong(s, "nested too deeply");
    copy_byte(s);
    skip_space(s);
    if (peek(s) != close) {
        for (;;) {
            skip_space(s);
            if ((close == '}' && !scan_name(s)) || !scan_value(s))
                return false;
            skip_space(s);
            if (peek(s) != ',')
                break;
            copy_byte(s);
        }
    }
    if (peek(s) != close)
        return wrong(s, "a comma or a closing bracket is expected");
    copy_byte(s);
    s->depth--;
    return true;
}

/* Recursion is bounded by max_depth. */
static bool
scan_value(struct scan *s)
{
    skip_space(s);
    switch (peek(s)) {
    case '{':
        return scan_container(s, '}');
    case '[':
        return scan_container(s, ']');
    case '"':
        return scan_string(s);
    case 't':
        return scan_word(s, "true");
    case 'f':
        return scan_word(s, "false");
    case 'n':
        return scan_word(s, "null");
    default:
        if (s->p == s->end)
            return wrong(s, "a value is missing");
        return scan_number(s);
    }
}

static struct scan
scan_start(struct arena *a, const char *text, size_t len, int max_depth)
{
    return (struct scan){ .start = text, .p = text, .end = text + len,
                          .out = arena_alloc(a, len + 1), .max_depth = max_depth };
}

/* ---- reading ---- */

static const cJSON *
item_of(const struct json *v)
{
    return (const cJSON *)v;
}

static const struct json *
json_of(const cJSON *item)
{
    return (const struct json *)item;
}

static void
release(void *item)
{
    cJSON_Delete(item);
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts an object's names to see whether one comes twice. */
static bool
names_repeat(struct arena *a, const cJSON *object)
{
    const cJSON *member;
    const char **names;
    size_t i, n = 0;

    cJSON_ArrayForEach(member, object)
        n++;
    if (n < 2)
        return false;
    names = arena_array(a, n, sizeof *names);
    i = 0;
    cJSON_ArrayForEach(member, object)
        names[i++] = member->string;
    qsort(names, n, sizeof *names, compare_names);
    for (i = 1; i < n; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            return true;
    return false;
}

/* Looks into everything below item; the scanner has bounded the depth. */
static bool
any_names_repeat(struct arena *a, const cJSON *item)
{
    const cJSON *child;

    if (cJSON_IsObject(item) && names_repeat(a, item))
        return true;
    cJSON_ArrayForEach(child, item)
        if (child->child != NULL && any_names_repeat(a, child))
            return true;
    return false;
}

enum err
json_parse(struct arena *a, const char *text, size_t len, int max_depth, struct json **json_r,
           struct fail *fail)
{
    struct scan s;
    cJSON *item;
    char *copy;

    if (max_depth > CJSON_NESTING_LIMIT)
        max_depth = CJSON_NESTING_LIMIT;
    if (!utf8_valid(text, len))
        return err_fail(fail, ERR_MALFORMED, NULL, "the JSON is not valid UTF-8");
    s = scan_start(a, text, len, max_depth);
    s.for_cjson = true;
    copy = s.out;
    if (scan_value(&s)) {
        skip_space(&s);
        if (s.p != s.end)
            wrong(&s, "something follows the value");
    }
    if (s.fault != NULL)
        return err_fail(fail, ERR_MALFORMED, NULL, "malformed JSON at byte %zu: %s",
                        (size_t)(s.p - s.start), s.fault);
    item = cJSON_ParseWithLength(copy, (size_t)(s.out - copy));
    if (item == NULL)
        arena_exhausted(len);   /* the text is good, so it can only be that */
    arena_on_reset(a, release, item);
    if (any_names_repeat(a, item))
        return err_fail(fail, ERR_MALFORMED, NULL, "malformed JSON: a name comes twice");
    *json_r = (struct json *)item;
    return ERR_OK;
}

enum json_type
json_type(const struct json *v)
{
    const cJSON *item = item_of(v);

    if (cJSON_IsBool(item))
        return JSON_BOOL;
    if (cJSON_IsNumber(item))
        return JSON_NUMBER;
    if (cJSON_IsString(item))
        return JSON_STRING;
    if (cJSON_IsArray(item))
        return JSON_ARRAY;
    return cJSON_IsObject(item) ? JSON_OBJECT : JSON_NULL;
}

const struct json *
json_get(const struct json *v, const char *name)
{
    if (!cJSON_IsObject(item_of(v)))
        return NULL;
    return json_of(cJSON_GetObjectItemCaseSensitive(item_of(v), name));
}

const struct json *
json_first(const struct json *v)
{
    return v == NULL ? NULL : json_of(item_of(v)->child);
}

const struct json *
json_next(const struct json *v)
{
    return v == NULL ? NULL : json_of(item_of(v)->next);
}

size_t
json_count(const struct json *v)
{
    const struct json *child;
    size_t n = 0;

    for (child = json_first(v); child != NULL; child = json_next(child))
        n++;
    return n;
}

const char *
json_name(const struct json *v)
{
    return v == NULL ? NULL : item_of(v)->string;
}

const char *
json_text(const struct json *v)
{
    return cJSON_GetStringValue(item_of(v));
}

bool
json_is_true(const struct json *v)
{
    return cJSON_IsTrue(item_of(v));
}

bool
json_integer(const struct json *v, int64_t *n_r)
{
    double d;

    if (!cJSON_IsNumber(item_of(v)))
        return false;
    d = item_of(v)->valuedouble;
    if (!(fabs(d) <= INTEGER_MAX) || d != trunc(d))
        return false;
    *n_r = (int64_t)d;
    return true;
}

double
json_number(const struct json *v)
{
    return cJSON_IsNumber(item_of(v)) ? item_of(v)->valuedouble : NAN;
}

/* Is the string literal p[0..len), quotes included, this name once decoded? */
static bool
literal_is(const char *p, size_t len, const char *name)
{
    cJSON *item;
    bool same;

    if (memchr(p, '\\', len) == NULL)
        return len - 2 == strlen(name) && memcmp(p + 1, name, len - 2) == 0;
    item = cJSON_ParseWithLength(p, len);
    same = item != NULL && strcmp(item->valuestring, name) == 0;
    cJSON_Delete(item);
    return same;
}

char *
json_raw(struct arena *a, const char *text, size_t len, const char *name)
{
    struct scan s = scan_start(a, text, len, CJSON_NESTING_LIMIT);
    char *from;
    bool found;

    skip_space(&s);
    if (peek(&s) != '{')
        return NULL;
    do {
        s.p++;                  /* the bracket, later the commas */
        skip_space(&s);
        from = s.out;
        s.for_cjson = true;     /* names are compared decoded, values stay as given */
        if (!scan_name(&s))
            return NULL;
        s.for_cjson = false;
        found = literal_is(from, (size_t)(s.out - from) - 1, name);
        from = s.out;
        if (!scan_value(&s))
            return NULL;
        if (found) {
            *s.out = '\0';
            return from;
        }
        skip_space(&s);
    } while (peek(&s) == ',');
    return NULL;
}

bool
json_nul_present(const char *s)
{
    return strstr(s, "\xc0\x80") != NULL;
}

bool
json_nul_in_raw(const char *json)
{
    while ((json = strchr(json, '\\')) != NULL) {
        if (strncmp(json, "\\u0000", 6) == 0)
            return true;
        json += 2;              /* what is escaped may be a backslash */
    }
    return false;
}

void
json_nul_drop(char *s)
{
    char *to = s;

    while (*s != '\0') {
        if (s[0] == '\xc0' && s[1] == '\x80')
            s += 2;
        else
            *to++ = *s++;
    }
    *to = '\0';
}
