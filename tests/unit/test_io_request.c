/* test_io_request - request heads good and bad, in one piece and byte by byte; answers
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "relay/io_request.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define LINE "GET /api/v1/ws?user_id=a+b%20c HTTP/1.1\r\n"
#define WEBSOCKET "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define ASKS WEBSOCKET "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: 13\r\n"

/* Parses a copy that lives until the next call, so that a sanitizer sees every byte too far. */
static int
parse(const char *text, size_t len, struct io_head *head_r)
{
    static char *copy;

    free(copy);
    copy = malloc(len + (len == 0));
    assert_non_null(copy);
    memcpy(copy, text, len);
    return io_head_parse(copy, len, head_r);
}

static const char *
header(const struct io_head *head, const char *name)
{
    struct io_request r = { .fields = &head->fields };

    return io_header(&r, name);
}

static void
an_upgrade_is_read_raw(void **state)
{
    struct io_head head;
    static const char text[] = LINE ASKS
        "Authorization:  Bearer x.y.z \t\r\nORIGIN: https://a.example\r\n"
        "X-Forwarded-For: 10.0.0.1, 192.0.2.7\r\nX-Forwarded-For: 10.0.0.2,192.0.2.8 \r\n\r\n";

    (void)state;
    assert_int_equal(parse(text, sizeof text - 1, &head), 0);
    assert_true(head.upgrade);
    assert_string_equal(head.method, "GET");
    assert_string_equal(head.path, "/api/v1/ws");
    assert_string_equal(head.query, "user_id=a+b%20c");
    assert_string_equal(head.key, KEY);
    assert_string_equal(header(&head, "authorization"), "Bearer x.y.z");
    assert_string_equal(header(&head, "Origin"), "https://a.example");
    assert_string_equal(header(&head, "X-Forwarded-For"), "10.0.0.1, 192.0.2.7");
    assert_null(header(&head, "Bearer"));
    assert_string_equal(head.forwarded, "192.0.2.8");
}

static void
a_target_may_be_so_long(void **state)
{
    static const char before[] = "GET ", behind[] = " HTTP/1.1\r\n\r\n";
    struct io_head head;

    (void)state;
    for (size_t n = IO_TARGET_MAX; n <= IO_TARGET_MAX + 1; n++) {
        char *text = malloc(IO_HEAD_MAX);

        assert_non_null(text);
        memcpy(text, before, 4);
        memset(text + 4, '/', n);
        memcpy(text + 4 + n, behind, sizeof behind - 1);
        assert_int_equal(parse(text, 4 + n + sizeof behind - 1, &head),
                         n <= IO_TARGET_MAX ? 0 : 413);
        free(text);
    }
}

static void
a_plain_request_is_no_upgrade(void **state)
{
    struct io_head head;
    static const char text[] = "POST /a//b/../c HTTP/1.0\r\nContent-Length: 5\r\n\r\n";

    (void)state;
    assert_int_equal(parse(text, sizeof text - 1, &head), 0);
    assert_false(head.upgrade);
    assert_string_equal(head.path, "/a//b/../c");
    assert_string_equal(head.query, "");
    assert_int_equal(head.content_length, 5);
    assert_true(head.close);
    assert_string_equal(header(&head, "content-length"), "5");
    assert_null(header(&head, "Origin"));
    assert_null(head.forwarded);
}

static const struct verdict {
    const char *text;
    int status;
    bool upgrade;
} verdicts[] = {
    { LINE ASKS "\r\n", 0, true },
    { LINE ASKS "Content-Length: 0\r\n\r\n", 0, true },
    { LINE "upgrade: h2c, WebSocket\r\nCONNECTION: keep-alive , UPGRADE\r\nsec-websocket-key: " KEY
      "\r\nsec-websocket-version:13\r\n\r\n", 0, true },
    { "POST / HTTP/1.1\r\n" ASKS "\r\n", 0, false },
    { "GET / HTTP/1.0\r\n" ASKS "\r\n", 0, false },
    { LINE "Upgrade: websocket\r\n\r\n", 0, false },
    { LINE "Upgrade: websockets\r\nConnection: Upgrade\r\n\r\n", 0, false },
    { LINE "\r\n", 0, false },
    { LINE "Empty:\r\n\r\n", 0, false },
    { "GET /\xc3\xa9?\xff HTTP/1.1\r\n\r\n", 0, false },
    /* upgrades asked for wrongly are none */
    { LINE WEBSOCKET "Sec-WebSocket-Key: " KEY "\r\n\r\n", 0, false },
    { LINE WEBSOCKET "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: " KEY "\r\n\r\n", 0, false },
    { LINE WEBSOCKET "Sec-WebSocket-Version: 13\r\n\r\n", 0, false },
    { LINE WEBSOCKET "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: abc\r\n\r\n", 0, false },
    { LINE WEBSOCKET "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=a"
      "\r\n\r\n", 0, false },
    { LINE ASKS "Content-Length: 5\r\n\r\n", 400, false },
    { LINE ASKS "Transfer-Encoding: chunked\r\n\r\n", 400, false },
    { LINE ASKS "Sec-WebSocket-Key: " KEY "\r\n\r\n", 400, false },
    /* not HTTP */
    { "", 400, false },
    { "\r\n", 400, false },
    { "\r\n\r\n", 400, false },
    { "GET\r\n\r\n", 400, false },
    { "GET /\r\n\r\n", 400, false },
    { "GET  / HTTP/1.1\r\n\r\n", 400, false },
    { "GET / HTTP/1.1 \r\n\r\n", 400, false },
    { "GET / FTP/1.1\r\n\r\n", 400, false },
    { "GET / HTTP/2.0\r\n\r\n", 505, false },
    { "GET * HTTP/1.1\r\n\r\n", 400, false },
    { "GET http://h/ HTTP/1.1\r\n\r\n", 400, false },
    { "G:T / HTTP/1.1\r\n\r\n", 400, false },
    { LINE "no colon\r\n\r\n", 400, false },
    { LINE ": no name\r\n\r\n", 400, false },
    { LINE "Space : before\r\n\r\n", 400, false },
    { LINE "A: b\r\n folded\r\n\r\n", 400, false },
    { LINE "A: b\nC: d\r\n\r\n", 400, false },
    { LINE "A: b\rC: d\r\n\r\n", 400, false },
    { LINE "Origin: a\r\nOrigin: b\r\n\r\n", 400, false },
    { LINE "Authorization: a\r\nAuthorization: a\r\n\r\n", 400, false },
    { LINE "A: b\r\n", 400, false },
    /* where does it end? */
    { LINE "Content-Length: 5\r\n\r\n", 0, false },
    { LINE "Transfer-Encoding: Chunked\r\n\r\n", 0, false },
    { LINE "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400, false },
    { LINE "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400, false },
    { LINE "Content-Length: 5, 5\r\n\r\n", 400, false },
    { LINE "Content-Length: +5\r\n\r\n", 400, false },
    { LINE "Content-Length: -1\r\n\r\n", 400, false },
    { LINE "Content-Length: 0x5\r\n\r\n", 400, false },
    { LINE "Content-Length:\r\n\r\n", 400, false },
    { LINE "Content-Length: 99999999999999999999\r\n\r\n", 400, false },
    { LINE "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400, false },
    { LINE "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, false },
    { LINE "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400, false },
    { LINE "Transfer-Encoding: gzip, chunked\r\n\r\n", 400, false },
    { LINE "Transfer-Encoding: identity\r\n\r\n", 400, false },
    { LINE "Transfer-Encoding: xchunked\r\n\r\n", 400, false },
    { "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, false },
    { LINE "Expect: 200-ok\r\n\r\n", 417, false },
    { LINE "Host: a\r\nHost: b\r\n\r\n", 400, false },
    { LINE "X-API-Key: a\r\nX-Api-Key: a\r\n\r\n", 400, false },
    { LINE "\r\nbody", 400, false },
};

static void
verdicts_are_as_listed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
        const struct verdict *v = &verdicts[i];
        struct io_head head;
        int status = parse(v->text, strlen(v->text), &head);

        if (status != v->status || (status == 0 && head.upgrade != v->upgrade))
            fail_msg("%d instead of %d for:\n%s", status, v->status, v->text);
    }
}

static void
nul_is_refused(void **state)
{
    static const char text[] = "GET /\0 HTTP/1.1\r\n\r\n";
    struct io_head head;
    size_t end;

    (void)state;
    assert_int_equal(parse(text, sizeof text - 1, &head), 400);
    assert_int_equal(io_head_scan(text, sizeof text - 1, 0, &end), IO_SCAN_BAD);
}

static void
the_end_is_found_wherever_the_pieces_end(void **state)
{
    static const char text[] = LINE ASKS "\r\n\x81\x85 what follows";
    size_t head_len = strlen(LINE ASKS "\r\n");

    (void)state;
    for (size_t cut = 0; cut < head_len; cut++) {
        size_t end = 0;

        assert_int_equal(io_head_scan(text, cut, 0, &end), IO_SCAN_MORE);
        assert_int_equal(io_head_scan(text, sizeof text - 1, cut, &end), IO_SCAN_DONE);
        assert_int_equal(end, head_len);
    }
}

static void
what_cannot_be_a_head_is_seen_early(void **state)
{
    size_t end;

    (void)state;
    assert_int_equal(io_head_scan("\x16\x03\x01", 3, 0, &end), IO_SCAN_BAD);
    assert_int_equal(io_head_scan("\r\n", 2, 0, &end), IO_SCAN_BAD);
    assert_int_equal(io_head_scan("get /", 5, 0, &end), IO_SCAN_BAD);
    assert_int_equal(io_head_scan("GET /\x7f", 6, 0, &end), IO_SCAN_BAD);
    assert_int_equal(io_head_scan("GET /\x01", 6, 5, &end), IO_SCAN_BAD);
}

static void
answers_are_whole(void **state)
{
    struct io_answer a = { .status = 401, .content_type = "application/json" };
    struct sbuf out;

    (void)state;
    sbuf_init(&a.body, 100);
    sbuf_init(&a.headers, 100);
    sbuf_init(&out, 1000);
    sbuf_puts(&a.body, "{}");
    sbuf_puts(&a.headers, "Cache-Control: no-store\r\n");
    io_answer_write(&out, &a, false, true);
    assert_string_equal(sbuf_str(&out), "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n"
                        "Cache-Control: no-store\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
    sbuf_reset(&out);
    io_answer_write(&out, &a, true, false);
    assert_null(strstr(sbuf_str(&out), "Connection"));
    assert_null(strstr(sbuf_str(&out), "{}"));
    assert_non_null(strstr(sbuf_str(&out), "Content-Length: 2\r\n"));
    sbuf_fini(&a.body);
    sbuf_fini(&a.headers);

    sbuf_reset(&out);
    a = (struct io_answer){ .status = 426 };
    io_answer_write(&out, &a, false, true);
    assert_string_equal(sbuf_str(&out), "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n"
                        "Connection: close\r\n\r\n");
    sbuf_fini(&out);
}

static const struct chunks {
    const char *text;
    enum io_body_scan scan;
    const char *content;        /* of what is good */
    const char *behind;
} chunks[] = {
    { "5\r\nhello\r\n0\r\n\r\n", IO_BODY_WHOLE, "hello", "" },
    { "5\r\nhello\r\n0\r\n\r\nGET /", IO_BODY_WHOLE, "hello", "GET /" },
    { "0\r\n\r\n\r\n", IO_BODY_WHOLE, "", "\r\n" },
    { "a;x=\"y\"\r\n0123456789\r\n00\r\nA: b\r\nC: d\r\n\r\n", IO_BODY_WHOLE, "0123456789", "" },
    { "3\r\na\r\n\r\n1\r\nb\r\n0\r\n\r\n", IO_BODY_WHOLE, "a\r\nb", "" },
    { "5\r\nhel", IO_BODY_MORE, "hel", "" },
    { "A\r\n0123456789\r\nB\r\n", IO_BODY_TOO_BIG, NULL, NULL },
    { "15\r\n", IO_BODY_TOO_BIG, NULL, NULL },
    { "ffffffff\r\n", IO_BODY_TOO_BIG, NULL, NULL },
    { "100000000\r\n", IO_BODY_BAD, NULL, NULL },
    { "\r\n", IO_BODY_BAD, NULL, NULL },
    { "5\nhello", IO_BODY_BAD, NULL, NULL },
    { "5 \r\nhello", IO_BODY_BAD, NULL, NULL },
    { " 5\r\nhello", IO_BODY_BAD, NULL, NULL },
    { "+5\r\nhello", IO_BODY_BAD, NULL, NULL },
    { "-5\r\nhello", IO_BODY_BAD, NULL, NULL },
    { "0x5\r\nhello", IO_BODY_BAD, NULL, NULL },
    { "5\r\nhello!", IO_BODY_BAD, NULL, NULL },
    { "5\r\nhello\n0\r\n\r\n", IO_BODY_BAD, NULL, NULL },
    { "5;a\nb\r\nhello", IO_BODY_BAD, NULL, NULL },
    { "5\r\nhello\r\n0\r\n\nx", IO_BODY_BAD, NULL, NULL },
    { "5\r\nhello\r\n0\r\n\rx", IO_BODY_BAD, NULL, NULL },
};

static void
chunks_are_read_wherever_the_pieces_end(void **state)
{
    struct io_head head = { .http_1_1 = true, .chunked = true };

    (void)state;
    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
        const struct chunks *c = &chunks[i];
        size_t len = strlen(c->text);

        for (size_t step = 1; step <= len; step++) {
            enum io_body_scan scan = IO_BODY_MORE;
            size_t at = 0, used = 0;
            struct io_body body;
            struct sbuf out;

            sbuf_init(&out, 20);
            io_body_begin(&body, &head, 20);
            for (; at < len && scan == IO_BODY_MORE; at += used)
                scan = io_body_feed(&body, c->text + at, len - at < step ? len - at : step, &used, &out);
            if (scan != c->scan || out.failed)
                fail_msg("%d instead of %d by %zu for:\n%s", scan, c->scan, step, c->text);
            if (c->content != NULL) {
                assert_string_equal(sbuf_str(&out), c->content);
                assert_string_equal(c->text + at, c->behind);
            }
            sbuf_fini(&out);
        }
    }
}

static void
chunk_lines_and_trailers_are_bounded(void **state)
{
    struct io_head head = { .http_1_1 = true, .chunked = true };
    static const char *const starts[] = { "5;", "0\r\nA:" };
    struct io_body body;
    struct sbuf out;
    size_t used, n;

    (void)state;
    sbuf_init(&out, 20);
    for (size_t i = 0; i < 2; i++) {
        io_body_begin(&body, &head, 20);
        assert_int_equal(io_body_feed(&body, starts[i], strlen(starts[i]), &used, &out), IO_BODY_MORE);
        for (n = 0; n < 10000; n++)
            if (io_body_feed(&body, "x", 1, &used, &out) != IO_BODY_MORE)
                break;
        assert_true(n < 5000);
    }
    sbuf_fini(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_upgrade_is_read_raw),
        cmocka_unit_test(a_target_may_be_so_long),
        cmocka_unit_test(a_plain_request_is_no_upgrade),
        cmocka_unit_test(verdicts_are_as_listed),
        cmocka_unit_test(nul_is_refused),
        cmocka_unit_test(the_end_is_found_wherever_the_pieces_end),
        cmocka_unit_test(what_cannot_be_a_head_is_seen_early),
        cmocka_unit_test(answers_are_whole),
        cmocka_unit_test(chunks_are_read_wherever_the_pieces_end),
        cmocka_unit_test(chunk_lines_and_trailers_are_bounded),
    };

    return cmocka_run_group_tests_name("io_request", tests, NULL, NULL);
}
