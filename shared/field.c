/* field - the one validator
 *
 * One setter per kind; JSON and query strings differ only in how a value is got at.
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/field.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "shared/id.h"
#include "shared/utf8.h"

#define KEY_MAX ((INT64_C(1) << 53) - 1)

/* ---- storing a checked value ---- */

static void *
place(const struct field *f, void *out)
{
    return (char *)out + f->offset;
}

static enum err
wrong_type(const struct field *f, struct fail *fail, const char *wanted)
{
    return err_fail(fail, ERR_FIELD, f->name, "%s must be %s", f->name, wanted);
}

static bool
is_blank(const char *text, size_t len)
{
    utf8_trim(text, len, &len);
    return len == 0;
}

static enum err
set_text(struct arena *a, const struct field *f, const char *given, void *out, struct fail *fail)
{
    char *text = arena_string(a, given);
    size_t len, n;

    if (f->kind == F_CONTENT)
        json_nul_drop(text);
    else if (json_nul_present(text))
        return err_fail(fail, ERR_LIMIT, f->name, "%s must not hold NUL", f->name);
    len = strlen(text);
    if (f->flags & FIELD_TRIM) {
        text = (char *)utf8_trim(text, len, &len);
        text[len] = '\0';
    }
    n = utf8_length(text, len);
    if ((f->flags & FIELD_NOT_BLANK) && is_blank(text, len))
        return err_fail(fail, ERR_LIMIT, f->name, "%s must not be empty", f->name);
    if (n < (size_t)f->min)
        return f->min == 1 ? err_fail(fail, ERR_LIMIT, f->name, "%s must not be empty", f->name)
                           : err_fail(fail, ERR_LIMIT, f->name, "%s is shorter than %lld characters",
                                      f->name, (long long)f->min);
    if (f->max > 0 && n > (size_t)f->max)
        return err_fail(fail, ERR_LIMIT, f->name, "%s is longer than %lld characters", f->name,
                        (long long)f->max);
    *(const char **)place(f, out) = text;
    return ERR_OK;
}

/* min and max both 0 mean no bounds at all. */
static enum err
set_int(const struct field *f, int64_t n, void *out, struct fail *fail)
{
    bool low = (f->min != 0 || f->max != 0) && n < f->min;
    bool high = f->max != 0 && n > f->max;

    if ((low || high) && !(f->flags & FIELD_CLAMP))
        return err_fail(fail, ERR_LIMIT, f->name, "%s must be %s %lld", f->name,
                        low ? "at least" : "at most", (long long)(low ? f->min : f->max));
    *(int64_t *)place(f, out) = low ? f->min : high ? f->max : n;
    return ERR_OK;
}

static enum err
set_number(const struct field *f, double v, void *out, struct fail *fail)
{
    if (!isfinite(v))
        return wrong_type(f, fail, "a number that a double can hold");
    if ((f->from != 0 || f->to != 0) && (v < f->from || v > f->to))
        return err_fail(fail, ERR_LIMIT, f->name, "%s must be within %g and %g", f->name, f->from,
                        f->to);
    *(double *)place(f, out) = v + 0.0;         /* -0 is 0 */
    return ERR_OK;
}

static int64_t
key_of(int64_t n)
{
    return n >= 1 && n <= KEY_MAX ? n : FIELD_NO_ROW;
}

static enum err
set_uuid(const struct field *f, const char *text, void *out, struct fail *fail)
{
    if (!id_parse(text, place(f, out)))
        return wrong_type(f, fail, "a UUID");
    return ERR_OK;
}

/* Decimal digits, a minus in front allowed; beyond 64 bits it stays at the bound, for the limits
 * to judge. */
static bool
parse_int(const char *text, int64_t *n_r)
{
    size_t sign = text[0] == '-';

    if (text[sign] == '\0' || text[sign + strspn(text + sign, "0123456789")] != '\0')
        return false;
    *n_r = strtoll(text, NULL, 10);
    return true;
}

/* ---- JSON ---- */

/* Puts "list[i]" in front of the field that an element's check has blamed. */
static enum err
blame_element(struct arena *a, const struct field *f, size_t i, enum err e, struct fail *fail)
{
    if (fail != NULL)
        fail->field = fail->field == NULL
                          ? arena_printf(a, "%s[%zu]", f->name, i)
                          : arena_printf(a, "%s[%zu].%s", f->name, i, fail->field);
    return e;
}

static enum err
read_text_element(struct arena *a, const struct field *f, const struct json *v, const char **out,
                  struct fail *fail)
{
    const struct field one = { f->name, F_TEXT, 0, .min = 1, .max = f->element_max };

    if (json_type(v) != JSON_STRING)
        return wrong_type(f, fail, "a list of texts");
    return set_text(a, &one, json_text(v), out, fail);
}

static enum err
read_list(struct arena *a, const struct field *f, const struct json *v, void *out,
          struct fail *fail)
{
    size_t size = f->elements == NULL ? sizeof(const char *) : f->element_size;
    struct list list = { .n = json_count(v) };
    const struct json *element;
    size_t i = 0;
    enum err e;
    char *item;

    if (json_type(v) != JSON_ARRAY)
        return wrong_type(f, fail, "a list");
    if (list.n < (size_t)f->min)
        return err_fail(fail, ERR_LIMIT, f->name, "%s has fewer than %lld elements", f->name,
                        (long long)f->min);
    if (f->max > 0 && list.n > (size_t)f->max)
        return err_fail(fail, f->over != ERR_OK ? f->over : ERR_LIMIT, f->name,
                        "%s has more than %lld elements", f->name, (long long)f->max);
    list.items = arena_array(a, list.n, size);
    for (element = json_first(v); element != NULL; element = json_next(element), i++) {
        item = (char *)list.items + i * size;
        if (f->elements == NULL) {
            if ((e = read_text_element(a, f, element, (const char **)item, fail)) != ERR_OK)
                return e;
        } else if (json_type(element) != JSON_OBJECT) {
            return wrong_type(f, fail, "a list of objects");
        } else if ((e = field_read_json(a, f->elements, element, NULL, 0, item, fail)) != ERR_OK) {
            return blame_element(a, f, i, e, fail);
        }
    }
    *(struct list *)place(f, out) = list;
    return ERR_OK;
}

/* Beyond 2^53 every double is an integer, and none of them a row's. */
static bool
read_key(const struct json *v, int64_t *key_r)
{
    int64_t n = FIELD_NO_ROW;

    if (json_type(v) == JSON_STRING) {
        if (!parse_int(json_text(v), &n))
            return false;
    } else if (json_type(v) != JSON_NUMBER) {
        return false;
    } else if (!json_integer(v, &n)) {
        double d = json_number(v);

        if (!isfinite(d) || fabs(d) <= (double)KEY_MAX)
            return false;
    }
    *key_r = key_of(n);
    return true;
}

static enum err
read_keys(struct arena *a, const struct field *f, const struct json *v, void *out,
          struct fail *fail)
{
    struct list list = { .n = json_count(v) };
    const struct json *element;
    int64_t *key;

    if (json_type(v) != JSON_ARRAY)
        return wrong_type(f, fail, "a list of ids");
    if (list.n < (size_t)f->min || (f->max > 0 && list.n > (size_t)f->max))
        return err_fail(fail, ERR_LIMIT, f->name, "%s has too %s elements", f->name,
                        list.n < (size_t)f->min ? "few" : "many");
    list.items = key = arena_array(a, list.n, sizeof *key);
    for (element = json_first(v); element != NULL; element = json_next(element))
        if (!read_key(element, key++))
            return wrong_type(f, fail, "a list of ids");
    *(struct list *)place(f, out) = list;
    return ERR_OK;
}

static enum err
read_raw(struct arena *a, const struct field *f, const char *text, size_t len, void *out,
         struct fail *fail)
{
    const char *raw;

    assert(text != NULL);       /* elements of lists have no raw fields */
    raw = json_raw(a, text, len, f->name);
    if (raw == NULL)
        return ERR_INTERNAL;    /* object and text are not the same thing */
    if (f->max > 0 && strlen(raw) > (size_t)f->max)
        return err_fail(fail, ERR_LIMIT, f->name, "%s is longer than %lld bytes", f->name,
                        (long long)f->max);
    if (json_nul_in_raw(raw))
        return err_fail(fail, ERR_LIMIT, f->name, "%s must not hold NUL", f->name);
    *(const char **)place(f, out) = raw;
    return ERR_OK;
}

static enum err
read_value(struct arena *a, const struct field *f, const struct json *v, const char *text,
           size_t len, void *out, struct fail *fail)
{
    int64_t n;

    switch (f->kind) {
    case F_TEXT:
    case F_CONTENT:
        if (json_type(v) != JSON_STRING)
            return wrong_type(f, fail, "a text");
        return set_text(a, f, json_text(v), out, fail);
    case F_INT:
        if (!json_integer(v, &n))
            return wrong_type(f, fail, "an integer");
        return set_int(f, n, out, fail);
    case F_NUMBER:
        if (json_type(v) != JSON_NUMBER)
            return wrong_type(f, fail, "a number");
        return set_number(f, json_number(v), out, fail);
    case F_KEY:
        return read_key(v, place(f, out)) ? ERR_OK : wrong_type(f, fail, "an id");
    case F_KEYS:
        return read_keys(a, f, v, out, fail);
    case F_BOOL:
        if (json_type(v) != JSON_BOOL)
            return wrong_type(f, fail, "true or false");
        *(bool *)place(f, out) = json_is_true(v);
        return ERR_OK;
    case F_UUID:
        if (json_type(v) != JSON_STRING)
            return wrong_type(f, fail, "a UUID");
        return set_uuid(f, json_text(v), out, fail);
    case F_RAW:
        return read_raw(a, f, text, len, out, fail);
    case F_LIST:
        return read_list(a, f, v, out, fail);
    }
    return ERR_INTERNAL;
}

static void
mark_given(const struct field *f, void *out)
{
    if (f->has != 0)
        *(bool *)((char *)out + f->has) = true;
}

enum err
field_read_json(struct arena *a, const struct field *table, const struct json *object,
                const char *text, size_t len, void *out, struct fail *fail)
{
    const struct field *f;
    const struct json *v;
    enum err e;

    if (json_type(object) != JSON_OBJECT)
        return err_fail(fail, ERR_FIELD, NULL, "a JSON object is expected");
    for (f = table; f->name != NULL; f++) {
        v = json_get(object, f->name);
        if (v == NULL || (json_type(v) == JSON_NULL && !(f->flags & FIELD_NOT_NULL))) {
            if (f->flags & FIELD_REQUIRED)
                return err_fail(fail, ERR_FIELD, f->name, "%s is missing", f->name);
            continue;
        }
        if (json_type(v) == JSON_NULL)
            return err_fail(fail, ERR_FIELD, f->name, "%s must not be null", f->name);
        if ((e = read_value(a, f, v, text, len, out, fail)) != ERR_OK)
            return e;
        mark_given(f, out);
    }
    return ERR_OK;
}

/* ---- query strings ---- */

static enum err
read_query_value(struct arena *a, const struct field *f, const char *value, void *out,
                 struct fail *fail)
{
    int64_t n;

    switch (f->kind) {
    case F_TEXT:
        return set_text(a, f, value, out, fail);
    case F_INT:
        if (!parse_int(value, &n))
            return wrong_type(f, fail, "an integer");
        return set_int(f, n, out, fail);
    case F_KEY:
        if (!parse_int(value, &n))
            return wrong_type(f, fail, "an integer");
        *(int64_t *)place(f, out) = key_of(n);
        return ERR_OK;
    case F_BOOL:
        if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
            return wrong_type(f, fail, "true or false");
        *(bool *)place(f, out) = value[0] == 't';
        return ERR_OK;
    case F_UUID:
        return set_uuid(f, value, out, fail);
    case F_CONTENT:
    case F_NUMBER:
    case F_KEYS:
    case F_RAW:
    case F_LIST:
        break;
    }
    return ERR_INTERNAL;        /* the table is wrong: queries have no such fields */
}

enum err
field_read_query(struct arena *a, const struct field *table, const struct pair *pairs, size_t n,
                 void *out, struct fail *fail)
{
    const struct field *f;
    enum err e;
    size_t i;

    for (f = table; f->name != NULL; f++) {
        for (i = 0; i < n && strcmp(pairs[i].name, f->name) != 0; i++)
            ;
        if (i == n) {
            if (f->flags & FIELD_REQUIRED)
                return err_fail(fail, ERR_FIELD, f->name, "%s is missing", f->name);
            continue;
        }
        if ((e = read_query_value(a, f, pairs[i].value, out, fail)) != ERR_OK)
            return e;
        mark_given(f, out);
    }
    return ERR_OK;
}
