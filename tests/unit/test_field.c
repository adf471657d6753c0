/* test_field - tables against JSON and query strings
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "shared/field.h"
#include "shared/id.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct person {
    const char *name;
};

struct input {
    const char *text, *trimmed, *content, *raw;
    int64_t number, clamped, unbounded;
    bool flag, flag_given;
    struct id id;
    struct list texts, people, keys;
    const char *words;
    double level;
    int64_t key;
};

static const struct field person_fields[] = {
    { .name = "name", .kind = F_TEXT, .offset = offsetof(struct person, name), .min = 1, .max = 3,
      .flags = FIELD_REQUIRED },
    { 0 }
};

static const struct field fields[] = {
    { .name = "text", .kind = F_TEXT, .offset = offsetof(struct input, text), .min = 1, .max = 3 },
    { .name = "trimmed", .kind = F_TEXT, .offset = offsetof(struct input, trimmed), .min = 1,
      .max = 3, .flags = FIELD_TRIM },
    { .name = "content", .kind = F_CONTENT, .offset = offsetof(struct input, content), .max = 3 },
    { .name = "raw", .kind = F_RAW, .offset = offsetof(struct input, raw), .max = 7 },
    { .name = "number", .kind = F_INT, .offset = offsetof(struct input, number), .min = 1,
      .max = 10 },
    { .name = "clamped", .kind = F_INT, .offset = offsetof(struct input, clamped), .min = 1,
      .max = 10, .flags = FIELD_CLAMP },
    { .name = "unbounded", .kind = F_INT, .offset = offsetof(struct input, unbounded) },
    { .name = "flag", .kind = F_BOOL, .offset = offsetof(struct input, flag),
      .has = offsetof(struct input, flag_given), .flags = FIELD_NOT_NULL },
    { .name = "id", .kind = F_UUID, .offset = offsetof(struct input, id) },
    { .name = "texts", .kind = F_LIST, .offset = offsetof(struct input, texts), .max = 2,
      .element_max = 3 },
    { .name = "people", .kind = F_LIST, .offset = offsetof(struct input, people), .min = 1,
      .max = 2, .elements = person_fields, .element_size = sizeof(struct person),
      .over = ERR_TOO_MANY },
    { .name = "words", .kind = F_TEXT, .offset = offsetof(struct input, words), .max = 3,
      .flags = FIELD_NOT_BLANK },
    { .name = "level", .kind = F_NUMBER, .offset = offsetof(struct input, level), .from = -1,
      .to = 0.5 },
    { .name = "key", .kind = F_KEY, .offset = offsetof(struct input, key) },
    { .name = "keys", .kind = F_KEYS, .offset = offsetof(struct input, keys), .max = 3 },
    { 0 }
};

static enum err
read_json(struct arena *a, const struct field *table, const char *text, void *out,
          struct fail *fail)
{
    struct json *v;

    assert_int_equal(json_parse(a, text, strlen(text), 16, &v, NULL), ERR_OK);
    return field_read_json(a, table, v, text, strlen(text), out, fail);
}

static void
json_is_refused(void **state)
{
    static const struct { const char *text; enum err e; const char *field; } cases[] = {
        { "[]", ERR_FIELD, NULL }, { "null", ERR_FIELD, NULL },
        { "{\"text\":1}", ERR_FIELD, "text" }, { "{\"text\":\"\"}", ERR_LIMIT, "text" },
        { "{\"text\":\"abcd\"}", ERR_LIMIT, "text" }, { "{\"text\":\"a\\u0000\"}", ERR_LIMIT, "text" },
        { "{\"trimmed\":\" \\u00a0 \"}", ERR_LIMIT, "trimmed" },
        { "{\"content\":\"abcd\"}", ERR_LIMIT, "content" }, { "{\"content\":[]}", ERR_FIELD, "content" },
        { "{\"raw\":[1,2,3,4]}", ERR_LIMIT, "raw" },
        { "{\"words\":\" \\u3000\\n\"}", ERR_LIMIT, "words" }, { "{\"words\":\"\"}", ERR_LIMIT, "words" },
        { "{\"level\":0.51}", ERR_LIMIT, "level" }, { "{\"level\":-1.01}", ERR_LIMIT, "level" },
        { "{\"level\":1e999}", ERR_FIELD, "level" }, { "{\"level\":\"0\"}", ERR_FIELD, "level" },
        { "{\"level\":true}", ERR_FIELD, "level" },
        { "{\"key\":1.5}", ERR_FIELD, "key" }, { "{\"key\":\"1.0\"}", ERR_FIELD, "key" },
        { "{\"key\":\"\"}", ERR_FIELD, "key" }, { "{\"key\":\" 1\"}", ERR_FIELD, "key" },
        { "{\"key\":\"1\\u0000\"}", ERR_FIELD, "key" }, { "{\"key\":true}", ERR_FIELD, "key" },
        { "{\"key\":[1]}", ERR_FIELD, "key" }, { "{\"key\":1e999}", ERR_FIELD, "key" },
        { "{\"keys\":1}", ERR_FIELD, "keys" }, { "{\"keys\":[1,null]}", ERR_FIELD, "keys" },
        { "{\"keys\":[1,2,3,4]}", ERR_LIMIT, "keys" },
        { "{\"number\":0}", ERR_LIMIT, "number" }, { "{\"number\":11}", ERR_LIMIT, "number" },
        { "{\"number\":1.5}", ERR_FIELD, "number" }, { "{\"number\":\"1\"}", ERR_FIELD, "number" },
        { "{\"number\":1e300}", ERR_FIELD, "number" },
        { "{\"flag\":1}", ERR_FIELD, "flag" }, { "{\"flag\":null}", ERR_FIELD, "flag" },
        { "{\"id\":\"x\"}", ERR_FIELD, "id" }, { "{\"id\":5}", ERR_FIELD, "id" },
        { "{\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\\u0000\"}", ERR_FIELD, "id" },
        { "{\"texts\":{}}", ERR_FIELD, "texts" }, { "{\"texts\":[\"a\",\"b\",\"c\"]}", ERR_LIMIT, "texts" },
        { "{\"texts\":[1]}", ERR_FIELD, "texts" }, { "{\"texts\":[\"\"]}", ERR_LIMIT, "texts" },
        { "{\"texts\":[\"abcd\"]}", ERR_LIMIT, "texts" }, { "{\"texts\":[\"\\u0000\"]}", ERR_LIMIT, "texts" },
        { "{\"texts\":[null]}", ERR_FIELD, "texts" },
        { "{\"people\":[]}", ERR_LIMIT, "people" }, { "{\"people\":[{},{},{}]}", ERR_TOO_MANY, "people" },
        { "{\"people\":[\"x\"]}", ERR_FIELD, "people" },
        { "{\"people\":[{\"name\":\"a\"},{}]}", ERR_FIELD, "people[1].name" },
        { "{\"people\":[{\"name\":\"abcd\"}]}", ERR_LIMIT, "people[0].name" },
        { "{\"people\":[{\"name\":null}]}", ERR_FIELD, "people[0].name" },
    };
    struct arena *a = arena_new();
    struct input in;
    struct fail fail;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++) {
        fail = (struct fail){ 0 };
        in = (struct input){ 0 };
        if (read_json(a, fields, cases[i].text, &in, &fail) != cases[i].e)
            fail_msg("%s: wrong verdict %d", cases[i].text, fail.code);
        assert_true(fail.code == cases[i].e && fail.why[0] != '\0');
        if (cases[i].field == NULL)
            assert_null(fail.field);
        else
            assert_string_equal(fail.field, cases[i].field);
        assert_int_equal(read_json(a, fields, cases[i].text, &in, NULL), cases[i].e);
    }
    arena_free(a);
}

static void
json_fills_the_struct(void **state)
{
    struct arena *a = arena_new();
    struct input in = { 0 };
    char id[ID_TEXT_SIZE];

    (void)state;
    assert_int_equal(read_json(a, fields,
        "{\"text\":\"\\u0436\\u0436\\ud83d\\ude00\",\"trimmed\":\" \\u00a0abc \",\"content\":\"a\\u0000bc\","
        "\"raw\":{\"a\" : 1},\"number\":1e1,\"clamped\":-5,\"unbounded\":-9007199254740991,"
        "\"flag\":false,\"id\":\"01890A5D-ac96-774b-bcce-b302099a8057\",\"texts\":[\"x\",\"yz\"],"
        "\"people\":[{\"name\":\"Ann\",\"other\":1}],\"unknown\":[]}", &in, NULL), ERR_OK);
    assert_string_equal(in.text, "\xd0\xb6\xd0\xb6\xf0\x9f\x98\x80");
    assert_string_equal(in.trimmed, "abc");
    assert_string_equal(in.content, "abc");
    assert_string_equal(in.raw, "{\"a\":1}");
    assert_int_equal(in.number, 10);
    assert_int_equal(in.clamped, 1);
    assert_int_equal(in.unbounded, -9007199254740991);
    assert_true(in.flag_given && !in.flag);
    assert_string_equal(id_text(&in.id, id), "01890a5d-ac96-774b-bcce-b302099a8057");
    assert_int_equal(in.texts.n, 2);
    assert_string_equal(((const char **)in.texts.items)[1], "yz");
    assert_int_equal(in.people.n, 1);
    assert_string_equal(((struct person *)in.people.items)[0].name, "Ann");
    arena_free(a);
}

static void
null_and_absent_leave_the_struct_alone(void **state)
{
    struct arena *a = arena_new();
    struct input in = { .number = 7 };

    (void)state;
    assert_int_equal(read_json(a, fields, "{\"number\":null,\"text\":null,\"raw\":null,\"people\":null}",
                               &in, NULL), ERR_OK);
    assert_int_equal(in.number, 7);
    assert_null(in.raw);
    assert_false(in.flag_given);
    assert_int_equal(in.people.n, 0);
    arena_free(a);
}

static void
queries_are_read(void **state)
{
    const struct pair pairs[] = {
        { "text", "abc" }, { "text", "toolong" }, { "clamped", "99999999999999999999" },
        { "number", "10" }, { "flag", "true" }, { "unknown", "x" },
        { "id", "01890a5d-ac96-774b-bcce-b302099a8057" }, { "trimmed", " x " },
        { "unbounded", "-12" },
    };
    struct arena *a = arena_new();
    struct input in = { 0 };

    (void)state;
    assert_int_equal(field_read_query(a, fields, pairs, COUNT(pairs), &in, NULL), ERR_OK);
    assert_string_equal(in.text, "abc");
    assert_string_equal(in.trimmed, "x");
    assert_int_equal(in.clamped, 10);
    assert_int_equal(in.number, 10);
    assert_int_equal(in.unbounded, -12);
    assert_true(in.flag && in.flag_given && in.id.given);
    assert_int_equal(field_read_query(a, fields, NULL, 0, &in, NULL), ERR_OK);
    arena_free(a);
}

/* Whatever is an integer is an id; what no row can have finds nothing. */
static void
keys_are_read(void **state)
{
    static const struct { const char *text; int64_t key; } cases[] = {
        { "42", 42 }, { "\"42\"", 42 }, { "42.0", 42 }, { "\"007\"", 7 },
        { "9007199254740991", INT64_C(9007199254740991) }, { "9007199254740992", FIELD_NO_ROW },
        { "\"9007199254740992\"", FIELD_NO_ROW }, { "0", FIELD_NO_ROW }, { "-1", FIELD_NO_ROW },
        { "\"-0\"", FIELD_NO_ROW }, { "\"99999999999999999999999\"", FIELD_NO_ROW },
        { "99999999999999999999999", FIELD_NO_ROW }, { "-1e300", FIELD_NO_ROW },
    };
    struct arena *a = arena_new();
    struct input in = { 0 };
    struct fail fail;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (read_json(a, fields, arena_printf(a, "{\"key\":%s,\"keys\":[1,%s]}", cases[i].text, cases[i].text),
                      &in, &fail) != ERR_OK || in.key != cases[i].key)
            fail_msg("%s: %lld", cases[i].text, (long long)in.key);
        assert_int_equal(in.keys.n, 2);
        assert_int_equal(((int64_t *)in.keys.items)[1], cases[i].key);
    }
    assert_int_equal(field_read_query(a, fields, &(struct pair){ "key", "-5" }, 1, &in, &fail), ERR_OK);
    assert_int_equal(in.key, FIELD_NO_ROW);
    assert_int_equal(field_read_query(a, fields, &(struct pair){ "key", "1.0" }, 1, &in, &fail), ERR_FIELD);
    assert_int_equal(read_json(a, fields, "{\"level\":-0,\"keys\":[]}", &in, &fail), ERR_OK);
    assert_true(in.level == 0 && 1 / in.level > 0);
    assert_int_equal(in.keys.n, 0);
    arena_free(a);
}

static void
queries_are_refused(void **state)
{
    static const struct { struct pair pair; enum err e; } cases[] = {
        { { "text", "" }, ERR_LIMIT }, { { "text", "abcd" }, ERR_LIMIT },
        { { "number", "" }, ERR_FIELD }, { { "number", "x" }, ERR_FIELD },
        { { "number", "1.0" }, ERR_FIELD }, { { "number", "+1" }, ERR_FIELD },
        { { "number", " 1" }, ERR_FIELD }, { { "number", "-" }, ERR_FIELD },
        { { "number", "11" }, ERR_LIMIT }, { { "number", "-99999999999999999999" }, ERR_LIMIT },
        { { "flag", "" }, ERR_FIELD }, { { "flag", "1" }, ERR_FIELD }, { { "flag", "True" }, ERR_FIELD },
        { { "id", "" }, ERR_FIELD }, { { "id", "x" }, ERR_FIELD },
    };
    struct arena *a = arena_new();
    struct fail fail;
    struct input in = { 0 };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++) {
        if (field_read_query(a, fields, &cases[i].pair, 1, &in, &fail) != cases[i].e)
            fail_msg("%s=%s", cases[i].pair.name, cases[i].pair.value);
        assert_string_equal(fail.field, cases[i].pair.name);
    }
    assert_int_equal(field_read_query(a, person_fields, NULL, 0, &in, &fail), ERR_FIELD);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_refused),
        cmocka_unit_test(json_fills_the_struct),
        cmocka_unit_test(null_and_absent_leave_the_struct_alone),
        cmocka_unit_test(queries_are_read),
        cmocka_unit_test(queries_are_refused),
        cmocka_unit_test(keys_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
