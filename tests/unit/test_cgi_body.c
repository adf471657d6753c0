/* test_cgi_body - bodies of requests, whole and piece by piece, from a source that gives what the test says
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fcgi/cgi_body.h"
#include "shared/when.h"

#define PIECE 4                 /* bytes that the source gives at once */

/* Gives text in pieces, then its end; or breaks off. */
struct source {
    const char *text;
    size_t at;
    bool breaks;
    int reads;
};

static ssize_t
give(void *arg, char *p, size_t len)
{
    struct source *s = arg;
    size_t n = strlen(s->text + s->at);

    s->reads++;
    if (n == 0)
        return s->breaks ? -1 : 0;
    if (n > PIECE)
        n = PIECE;
    if (n > len)
        n = len;
    memcpy(p, s->text + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

static struct body_input
input(struct source *s, const char *declared, bool bounded)
{
    return (struct body_input){ .source = give, .arg = s, .bounded = bounded, .declared = declared,
                                .deadline_ms = when_monotonic_ms() + 60000 };
}

/* All of a stream; how it ended. */
static enum err
read_all(struct body_reader *r, char *text, size_t size)
{
    size_t len = 0, n = 1;
    enum err e = ERR_OK;

    for (; e == ERR_OK && n > 0 && len < size - 1; len += n)
        e = r->read(r, text + len, size - 1 - len, &n);
    text[len] = '\0';
    return e;
}

static void
a_stream_gives_what_comes(void **state)
{
    static const char *const declared[] = { "10", NULL };
    char text[64];

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct source s = { .text = "0123456789" };
        struct body_input in = input(&s, declared[i], false);
        struct body_stream stream;
        struct request q = { 0 };

        body_stream_start(&stream, &in, &q);
        assert_int_equal(q.body_err, ERR_OK);
        assert_ptr_equal(q.reader, &stream.reader);
        assert_int_equal(q.reader->length, declared[i] ? 10 : -1);
        assert_int_equal(read_all(q.reader, text, sizeof text), ERR_OK);
        assert_string_equal(text, "0123456789");
        assert_true(stream.ended);
    }
}

static void
a_stream_has_its_announced_length(void **state)
{
    static const struct {
        const char *declared;
        bool breaks;
        enum err e;
    } cases[] = {
        { "11", false, ERR_MALFORMED },     /* shorter */
        { "9", false, ERR_MALFORMED },      /* longer */
        { "20", true, ERR_MALFORMED },      /* broken off */
        { NULL, true, ERR_MALFORMED },
    };
    char text[64];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct source s = { .text = "0123456789", .breaks = cases[i].breaks };
        struct body_input in = input(&s, cases[i].declared, false);
        struct body_stream stream;
        struct request q = { 0 };

        body_stream_start(&stream, &in, &q);
        assert_int_equal(read_all(q.reader, text, sizeof text), cases[i].e);
    }
}

/* A source without an end of its own is not asked for more than there is. */
static void
a_bounded_stream_stops_at_its_length(void **state)
{
    struct source s = { .text = "0123456789 and the next request", .breaks = true };
    struct body_input in = input(&s, "10", true);
    struct body_stream stream;
    struct request q = { 0 };
    char text[64];

    (void)state;
    body_stream_start(&stream, &in, &q);
    assert_int_equal(read_all(q.reader, text, sizeof text), ERR_OK);
    assert_string_equal(text, "0123456789");
    assert_int_equal(s.at, 10);
    in = input(&s, NULL, true);
    body_stream_start(&stream, &in, &q);
    assert_int_equal(read_all(q.reader, text, sizeof text), ERR_OK);
    assert_string_equal(text, "");
    assert_int_equal(s.at, 10);
}

static void
time_runs_out(void **state)
{
    struct source s = { .text = "0123456789" };
    struct body_input in = input(&s, NULL, false);
    struct body_stream stream;
    struct request q = { 0 };
    char text[64];

    (void)state;
    in.deadline_ms = when_monotonic_ms() - 1;
    body_stream_start(&stream, &in, &q);
    assert_int_equal(read_all(q.reader, text, sizeof text), ERR_TIMEOUT);
    assert_int_equal(s.reads, 0);
}

static void
what_nobody_wanted_is_read_away(void **state)
{
    struct source s = { .text = "0123456789" };
    struct body_input in = input(&s, "10", false);
    struct body_stream stream;
    struct request q = { 0 };

    (void)state;
    body_stream_start(&stream, &in, &q);
    body_stream_discard(&stream);
    assert_true(stream.ended);
    assert_int_equal(s.at, 10);
    s.at = 0;
    in = input(&s, "1000000000", false);
    body_stream_start(&stream, &in, &q);
    body_stream_discard(&stream);
    assert_false(stream.ended);         /* too much: the connection ends instead */
    assert_int_equal(s.at, 0);
}

static void
a_whole_body_has_its_length_and_bound(void **state)
{
    static const struct {
        const char *declared;
        int64_t max;
        enum err e;
    } cases[] = {
        { "10", 10, ERR_OK }, { NULL, 10, ERR_OK }, { "10", 9, ERR_TOO_LARGE }, { NULL, 9, ERR_TOO_LARGE },
        { "11", 100, ERR_MALFORMED }, { "9", 100, ERR_MALFORMED }, { "x", 100, ERR_MALFORMED }, { "-1", 100, ERR_MALFORMED },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct source s = { .text = "0123456789" };
        struct body_input in = input(&s, cases[i].declared, false);
        struct request q = { 0 };
        struct sbuf body;

        sbuf_init(&body, 1000);
        body_read(&q, &in, cases[i].max, &body);
        assert_int_equal(q.body_err, cases[i].e);
        if (cases[i].e == ERR_OK)
            assert_string_equal(q.body, "0123456789");
        sbuf_fini(&body);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_gives_what_comes),
        cmocka_unit_test(a_stream_has_its_announced_length),
        cmocka_unit_test(a_bounded_stream_stops_at_its_length),
        cmocka_unit_test(time_runs_out),
        cmocka_unit_test(what_nobody_wanted_is_read_away),
        cmocka_unit_test(a_whole_body_has_its_length_and_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
