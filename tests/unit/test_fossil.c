/* test_fossil - patches applied back give the target; they are short, valid UTF-8, and soon made
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "relay/push/fossil.h"
#include "tests/unit/fossil_apply.h"

enum { ROUNDS = 20000, TEXT_MAX = 3000, EDITS_MAX = 8, LARGE = 1 << 20 };

static uint64_t seed = 0x9e3779b97f4a7c15u;

static size_t
below(size_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return n ? seed % n : 0;
}

/* The patch from one to the other, checked; 0 when there is none. */
static size_t
length(const char *from, size_t from_len, const char *to, size_t to_len)
{
    struct sbuf patch;
    size_t len = 0, made_len;
    char *made;

    sbuf_init(&patch, 1 << 24);
    sbuf_puts(&patch, "before");
    if (fossil_delta(from, from_len, to, to_len, &patch)) {
        len = patch.len - 6;
        assert_true(len < to_len);
        assert_true(utf8_valid(patch.data, patch.len));
        made = fossil_apply(from, from_len, patch.data + 6, len, true, &made_len);
        assert_non_null(made);
        assert_int_equal(made_len, to_len);
        assert_memory_equal(made, to, to_len);
        free(made);
    } else {
        assert_string_equal(sbuf_str(&patch), "before");
    }
    assert_memory_equal(patch.data, "before", 6);
    sbuf_fini(&patch);
    return len;
}

static size_t
length_of(const char *from, const char *to)
{
    return length(from, strlen(from), to, strlen(to));
}

static void
known_patches(void **state)
{
    struct sbuf patch;

    (void)state;
    sbuf_init(&patch, 1000);
    assert_true(fossil_delta("{\"number\":1,\"text\":\"abcdefgh\"}", 30, "{\"number\":2,\"text\":\"abcdefgh\"}", 30,
                             &patch));
    assert_string_equal(sbuf_str(&patch), "U\nA@0,1:2J@B,2Abs1u;");    /* tried with another reader */
    sbuf_fini(&patch);
}

static void
what_is_not_shorter_is_refused(void **state)
{
    (void)state;
    assert_int_equal(length_of("", ""), 0);
    assert_int_equal(length_of("a", "a"), 0);
    assert_int_equal(length_of("", "something that was not there before at all"), 0);
    assert_int_equal(length_of("1234567890", "abcdefghij"), 0);
    assert_int_equal(length_of("a longer text goes before", ""), 0);
}

static void
the_same_is_short(void **state)
{
    const char *text = "{\"a\":\"one two three four five six seven\"}";

    (void)state;
    assert_in_range(length_of(text, text), 1, 16);
}

static void
moved_blocks_are_found(void **state)
{
    const char *from = "The first part of it, which is long enough. The second part of it, which is as long.";
    const char *to = "The second part of it, which is as long. The first part of it, which is long enough.";

    (void)state;
    assert_in_range(length_of(from, to), 1, strlen(to) / 2);
}

static void
characters_are_not_cut(void **state)
{
    (void)state;    /* neighbours in one block of Unicode: their first bytes are the same, or the last ones */
    assert_true(length_of("\"text before \xc3\xa4 text behind\"", "\"text before \xc3\xb6 text behind\"") > 0);
    assert_true(length_of("\"text before \xc3\xa4 text behind\"", "\"text before \xc4\xa4 text behind\"") > 0);
    assert_true(length_of("\"text before \xf0\x9f\x98\x80 text behind\"",
                          "\"text before \xf0\x9f\x98\x81 text behind\"") > 0);
    assert_true(length_of("\"text before \xf0\x9f\x98\x80 text behind\"",
                          "\"text before \xf0\x9f\x99\x80 text behind\"") > 0);
}

/* ---- at random ---- */

static const char *const pieces[] = {
    "a", "b", "\"", "{\"key\":", "0123456789", ",\"name\":\"value of some length\"", "\xc3\xa4", "\xc3\xb6", "\xe2\x82\xac",
    "\xe2\x82\xad", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x81", "\xf0\x9f\x99\x80", " ", "\\u00e4", "\xd0\xb6\xd0\xb7\xd0\xb8",
};

static size_t
random_text(char *out, size_t max)
{
    size_t len = 0, want = below(max);

    while (len < want) {
        const char *piece = pieces[below(sizeof pieces / sizeof *pieces)];

        memcpy(out + len, piece, strlen(piece));
        len += strlen(piece);
    }
    return len;
}

static size_t
character_start(const char *p, size_t len, size_t at)
{
    while (at < len && ((unsigned char)p[at] & 0xc0) == 0x80)
        at++;
    return at;
}

/* Cuts something out, puts something in, or doubles something. */
static size_t
edit(char *p, size_t len)
{
    char new[TEXT_MAX + 64];
    size_t a = character_start(p, len, below(len + 1)), b = character_start(p, len, below(len + 1));
    size_t from = a < b ? a : b, to = a < b ? b : a, new_len;

    if (to - from > 100)
        to = character_start(p, len, from + below(100));
    if (below(3) == 0) {
        new_len = to - from;
        memcpy(new, p + from, new_len);
        to = from;
    } else {
        new_len = random_text(new, below(2) ? 40 : 2);
    }
    if (len - (to - from) + new_len > TEXT_MAX)
        new_len = 0;
    memmove(p + from + new_len, p + to, len - to);
    memcpy(p + from, new, new_len);
    return len - (to - from) + new_len;
}

static void
random_edits_are_made_again(void **state)
{
    static char from[TEXT_MAX + 64], to[TEXT_MAX + 64];
    size_t from_len, to_len, with = 0;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        from_len = random_text(from, round % 10 == 0 ? TEXT_MAX - 64 : 300);
        memcpy(to, from, from_len);
        to_len = from_len;
        for (size_t n = below(EDITS_MAX) + 1; n > 0; n--)
            to_len = edit(to, to_len);
        if (below(20) == 0)
            to_len = random_text(to, 300);
        with += length(from, from_len, to, to_len) > 0;
    }
    assert_true(with > ROUNDS / 2);
}

static void
hard_texts_take_no_longer(void **state)
{
    char *from = malloc(LARGE), *to = malloc(LARGE);

    (void)state;        /* a search that is not linear would not end before the test's patience does */
    memset(from, 'a', LARGE);
    memset(to, 'a', LARGE);
    to[LARGE / 2] = 'b';
    assert_in_range(length(from, LARGE, to, LARGE), 1, 60);
    for (size_t i = 0; i < LARGE; i++) {
        from[i] = i % 17 ? 'a' : 'b';
        to[i] = i % 19 ? 'a' : 'b';
    }
    length(from, LARGE, to, LARGE);
    for (size_t i = 0; i < LARGE; i++)
        from[i] = to[i] = (char)('a' + below(26));
    memmove(to, to + 1000, LARGE - 1000);
    assert_in_range(length(from, LARGE, to, LARGE), 1, 1100);
    free(from);
    free(to);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_patches),
        cmocka_unit_test(what_is_not_shorter_is_refused),
        cmocka_unit_test(the_same_is_short),
        cmocka_unit_test(moved_blocks_are_found),
        cmocka_unit_test(characters_are_not_cut),
        cmocka_unit_test(random_edits_are_made_again),
        cmocka_unit_test(hard_texts_take_no_longer),
    };

    return cmocka_run_group_tests_name("fossil", tests, NULL, NULL);
}
