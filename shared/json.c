/* json - the one JSON reader (the writer is json_write.c)
 *
 * Reading goes in two steps. A scanner of our own (json_scan.c) holds the text to RFC 8259 and
 * copies it without insignificant white space; cJSON, which is lenient, then only ever sees what
 * the scanner let through. The same scanner cuts out a member's exact text for json_raw.
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shared/json_scan.h"
#include "shared/utf8.h"

#define INTEGER_MAX 9007199254740991.0  /* 2^53 - 1 */

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
    struct json_scan s;
    cJSON *item;
    char *copy;

    if (max_depth > CJSON_NESTING_LIMIT)
        max_depth = CJSON_NESTING_LIMIT;
    if (!utf8_valid(text, len))
        return err_fail(fail, ERR_MALFORMED, NULL, "the JSON is not valid UTF-8");
    s = json_scan_start(a, text, len, max_depth);
    s.for_cjson = true;
    copy = s.out;
    if (!json_scan_text(&s))
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
    struct json_scan s = json_scan_start(a, text, len, CJSON_NESTING_LIMIT);
    char *from;
    bool found;

    json_scan_space(&s);
    if (json_scan_peek(&s) != '{')
        return NULL;
    do {
        s.p++;                  /* the bracket, later the commas */
        json_scan_space(&s);
        from = s.out;
        s.for_cjson = true;     /* names are compared decoded, values stay as given */
        if (!json_scan_name(&s))
            return NULL;
        s.for_cjson = false;
        found = literal_is(from, (size_t)(s.out - from) - 1, name);
        from = s.out;
        if (!json_scan_value(&s))
            return NULL;
        if (found) {
            *s.out = '\0';
            return from;
        }
        json_scan_space(&s);
    } while (json_scan_peek(&s) == ',');
    return NULL;
}

char *
json_compact(struct arena *a, const char *text, size_t len, int max_depth)
{
    struct json_scan s;
    char *copy;

    if (!utf8_valid(text, len))
        return NULL;
    s = json_scan_start(a, text, len, max_depth);
    copy = s.out;
    if (!json_scan_text(&s))
        return NULL;
    *s.out = '\0';
    return copy;
}

/* The byte behind the value at p: a comma or a bracket outside of strings and of other brackets. */
static const char *
value_end(const char *p)
{
    int depth = 0;

    for (; *p != '\0'; p++) {
        if (*p == '"') {
            for (p++; *p != '"'; p++)
                p += *p == '\\';
        } else if (*p == '[' || *p == '{') {
            depth++;
        } else if (*p == ']' || *p == '}') {
            if (depth-- == 0)
                break;
        } else if (*p == ',' && depth == 0) {
            break;
        }
    }
    return p;
}

const char *
json_element(const char **at, size_t *len_r)
{
    const char *p = *at + 1;        /* behind the bracket or the comma */

    if (**at == ']' || *p == ']')
        return NULL;
    *at = value_end(p);
    *len_r = (size_t)(*at - p);
    return p;
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
