/* fuzz_json - the JSON reader, and one table of every kind of field
 *
 * What is accepted is walked in full and each top-level member's exact text must be found
 * again and be valid JSON by itself.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/field.h"
#include "shared/id.h"
#include "shared/json.h"

#define DEPTH_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const char *text, *content, *raw;
    int64_t integer;
    bool flag;
    struct id id;
    struct list texts, objects;
};

struct element {
    const char *name;
};

static const struct field element_fields[] = {
    { .name = "name", .kind = F_TEXT, .offset = offsetof(struct element, name), .max = 20,
      .flags = FIELD_REQUIRED | FIELD_TRIM },
    { 0 }
};

static const struct field input_fields[] = {
    { .name = "text", .kind = F_TEXT, .offset = offsetof(struct input, text), .min = 1, .max = 9 },
    { .name = "content", .kind = F_CONTENT, .offset = offsetof(struct input, content) },
    { .name = "raw", .kind = F_RAW, .offset = offsetof(struct input, raw), .max = 40 },
    { .name = "integer", .kind = F_INT, .offset = offsetof(struct input, integer), .min = -5,
      .max = 5, .flags = FIELD_CLAMP },
    { .name = "flag", .kind = F_BOOL, .offset = offsetof(struct input, flag) },
    { .name = "id", .kind = F_UUID, .offset = offsetof(struct input, id) },
    { .name = "texts", .kind = F_LIST, .offset = offsetof(struct input, texts), .max = 4,
      .element_max = 8 },
    { .name = "objects", .kind = F_LIST, .offset = offsetof(struct input, objects), .max = 4,
      .elements = element_fields, .element_size = sizeof(struct element) },
    { 0 }
};

static size_t
walk(const struct json *v)
{
    const struct json *child;
    size_t n = 1;
    int64_t integer;

    if (json_type(v) == JSON_STRING && json_text(v) == NULL)
        abort();
    json_integer(v, &integer);
    for (child = json_first(v); child != NULL; child = json_next(child))
        n += walk(child);
    return n;
}

static void
check_raw(struct arena *a, const struct json *object, const char *text, size_t size)
{
    const struct json *member;
    struct json *again;
    char *raw;

    for (member = json_first(object); member != NULL; member = json_next(member)) {
        raw = json_raw(a, text, size, json_name(member));
        if (raw == NULL || json_parse(a, raw, strlen(raw), DEPTH_MAX, &again, NULL) != ERR_OK ||
            json_type(again) != json_type(member))
            abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct fail fail = { 0 };
    struct input input = { 0 };
    struct json *v;

    if (json_parse(a, (const char *)data, size, DEPTH_MAX, &v, &fail) == ERR_OK) {
        walk(v);
        if (json_type(v) == JSON_OBJECT) {
            check_raw(a, v, (const char *)data, size);
            field_read_json(a, input_fields, v, (const char *)data, size, &input, &fail);
        }
    }
    arena_free(a);
    return 0;
}
