/* test_frame - headers of every length, counting
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "relay/frame.h"

static void
headers_follow_the_length(void **state)
{
    static const struct {
        size_t len;
        uint32_t header;
        unsigned char bytes[10];
    } cases[] = {
        { 0, 2, { 0x81, 0 } },
        { 1, 2, { 0x81, 1 } },
        { 125, 2, { 0x81, 125 } },
        { 126, 4, { 0x81, 126, 0, 126 } },
        { 65535, 4, { 0x81, 126, 0xff, 0xff } },
        { 65536, 10, { 0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0 } },
        { 70000, 10, { 0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70 } },
    };
    char *payload = malloc(70000);

    (void)state;
    assert_non_null(payload);
    memset(payload, 'x', 70000);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct frame *f = frame_text(payload, cases[i].len);

        assert_non_null(f);
        assert_int_equal(f->payload, cases[i].header);
        assert_int_equal(f->len, cases[i].header + cases[i].len);
        assert_memory_equal(f->bytes, cases[i].bytes, cases[i].header);
        assert_memory_equal(f->bytes + f->payload, payload, cases[i].len);
        assert_false(frame_is_ping(f));
        frame_unref(f);
    }
    free(payload);
}

static void
no_payload_needs_no_pointer(void **state)
{
    struct frame *f = frame_text(NULL, 0);

    (void)state;
    assert_int_equal(f->len, 2);
    frame_unref(f);
    frame_unref(NULL);
}

static void
a_ping_is_told_from_text(void **state)
{
    struct frame *f = frame_ping();

    (void)state;
    assert_true(frame_is_ping(f));
    assert_int_equal(f->bytes[0], 0x89);
    assert_int_equal(f->len, f->payload + 1);
    frame_unref(f);
}

static void
bytes_stay_bytes(void **state)
{
    struct frame *list[2] = { frame_binary("\xff\0", 2), frame_text("a", 1) }, *joined, *part;
    struct frame_view v;
    uint32_t at = 0;

    (void)state;
    assert_int_equal(list[0]->bytes[0], 0x82);
    assert_false(frame_is_ping(list[0]));
    joined = frame_join(list, 2);
    assert_true(frame_next(joined, &at, &v));
    assert_true(v.binary && !v.text);
    assert_memory_equal(v.payload, "\xff\0", v.len);
    assert_true(frame_next(joined, &at, &v));
    assert_true(v.text && !v.binary);
    at = 0;
    part = frame_part(joined, &at);
    assert_int_equal(part->len, list[0]->len);
    assert_memory_equal(part->bytes, list[0]->bytes, part->len);
    frame_unref(part);
    frame_unref(joined);
    frame_unref(list[0]);
    frame_unref(list[1]);
}

static void
joined_frames_are_read_one_by_one(void **state)
{
    char *longer = calloc(1, 70000);
    struct frame *list[4] = { frame_text("a", 1), frame_text(longer, 70000), frame_ping(), frame_text("", 0) };
    static const size_t lengths[] = { 1, 70000, 1, 0 };
    struct frame *joined = frame_join(list, 4), *part;
    struct frame_view v;
    uint32_t at = 0, part_at = 0;

    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_true(frame_next(joined, &at, &v));
        assert_int_equal(v.len, lengths[i]);
        assert_int_equal(v.text, i != 2);
        part = frame_part(joined, &part_at);
        assert_int_equal(part->len, list[i]->len);
        assert_memory_equal(part->bytes, list[i]->bytes, part->len);
        frame_unref(part);
        frame_unref(list[i]);
    }
    assert_false(frame_next(joined, &at, &v));
    assert_null(frame_part(joined, &part_at));
    frame_unref(joined);
    free(longer);
}

static void
references_are_counted(void **state)
{
    struct frame *f = frame_text("hi", 2);

    (void)state;
    assert_int_equal(f->refs, 1);
    assert_ptr_equal(frame_ref(f), f);
    assert_int_equal(f->refs, 2);
    frame_unref(f);
    assert_memory_equal(f->bytes + f->payload, "hi", 2);
    frame_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_follow_the_length),
        cmocka_unit_test(no_payload_needs_no_pointer),
        cmocka_unit_test(a_ping_is_told_from_text),
        cmocka_unit_test(bytes_stay_bytes),
        cmocka_unit_test(joined_frames_are_read_one_by_one),
        cmocka_unit_test(references_are_counted),
    };

    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
