/* fuzz_field - one table against query pairs and against JSON
 *
 * The input is "name=value" lines for the query reader, and as a whole a JSON text. What is accepted
 * must keep the limits of its row.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/field.h"
#include "shared/id.h"
#include "shared/utf8.h"

#define PAIRS_MAX 16
#define DEPTH_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const char *text, *trimmed;
    int64_t plain, clamped;
    bool flag, flag_given;
    struct id id;
    int64_t key;
    const char *words;
    double level;
    struct list keys;
};

static const struct field fields[] = {
    { .name = "text", .kind = F_TEXT, .offset = offsetof(struct input, text), .min = 1, .max = 5 },
    { .name = "trimmed", .kind = F_TEXT, .offset = offsetof(struct input, trimmed), .max = 5,
      .flags = FIELD_TRIM },
    { .name = "plain", .kind = F_INT, .offset = offsetof(struct input, plain), .min = -9,
      .max = 9 },
    { .name = "clamped", .kind = F_INT, .offset = offsetof(struct input, clamped), .min = 1,
      .max = 100, .flags = FIELD_CLAMP },
    { .name = "flag", .kind = F_BOOL, .offset = offsetof(struct input, flag),
      .has = offsetof(struct input, flag_given), .flags = FIELD_NOT_NULL },
    { .name = "id", .kind = F_UUID, .offset = offsetof(struct input, id) },
    { .name = "key", .kind = F_KEY, .offset = offsetof(struct input, key) },
    { 0 }
};

/* Kinds that no query has. */
static const struct field body_fields[] = {
    { .name = "words", .kind = F_TEXT, .offset = offsetof(struct input, words), .max = 5,
      .flags = FIELD_NOT_BLANK },
    { .name = "level", .kind = F_NUMBER, .offset = offsetof(struct input, level), .from = -0.5,
      .to = 1 },
    { .name = "keys", .kind = F_KEYS, .offset = offsetof(struct input, keys), .max = 3 },
    { 0 }
};

static void
check_text(const char *text, size_t max)
{
    if (text != NULL && utf8_length(text, strlen(text)) > max)
        abort();
}

static void
check_key(int64_t key)
{
    if (key != FIELD_NO_ROW && (key < 1 || key >= INT64_C(1) << 53))
        abort();
}

static void
check_body(const struct input *in)
{
    size_t len, i;

    check_text(in->words, 5);
    if (in->words != NULL && (utf8_trim(in->words, strlen(in->words), &len), len == 0))
        abort();
    if (!(in->level >= -0.5 && in->level <= 1) || in->keys.n > 3)
        abort();
    for (i = 0; i < in->keys.n; i++)
        check_key(((const int64_t *)in->keys.items)[i]);
}

static void
check(const struct input *in)
{
    if (in->key != 0)
        check_key(in->key);
    check_text(in->text, 5);
    check_text(in->trimmed, 5);
    if (in->plain < -9 || in->plain > 9 || in->clamped < 0 || in->clamped > 100)
        abort();
    if ((in->text != NULL && in->text[0] == '\0') || (in->flag && !in->flag_given))
        abort();
}

/* Cuts lines into pairs in place; a line without '=' ends it. */
static size_t
cut_pairs(char *text, struct pair *pairs)
{
    char *equals, *next;
    size_t n;

    for (n = 0; n < PAIRS_MAX && text != NULL && (equals = strchr(text, '=')) != NULL; n++) {
        next = strchr(equals, '\n');
        *equals = '\0';
        if (next != NULL)
            *next++ = '\0';
        pairs[n] = (struct pair){ text, equals + 1 };
        text = next;
    }
    return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct pair pairs[PAIRS_MAX];
    struct input query = { 0 }, json = { 0 };
    struct fail fail = { 0 };
    struct json *v;
    size_t n;

    if (utf8_valid((const char *)data, size)) {
        n = cut_pairs(arena_copy(a, data, size), pairs);
        field_read_query(a, fields, pairs, n, &query, &fail);
        check(&query);
    }
    if (json_parse(a, (const char *)data, size, DEPTH_MAX, &v, &fail) == ERR_OK) {
        field_read_json(a, fields, v, (const char *)data, size, &json, &fail);
        check(&json);
        field_read_json(a, body_fields, v, (const char *)data, size, &json, &fail);
        check_body(&json);
    }
    arena_free(a);
    return 0;
}
