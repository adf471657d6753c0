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
    assert_string_equal(head.authorization, "Bearer x.y.z");
    assert_string_equal(head.origin, "https://a.example");
    assert_string_equal(head.forwarded, "192.0.2.8");
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
    assert_null(head.authorization);
    assert_null(head.origin);
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
    io_answer_write(&out, &a, false);
    assert_string_equal(sbuf_str(&out), "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n"
                        "Content-Length: 2\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n{}");
    sbuf_reset(&out);
    io_answer_write(&out, &a, true);
    assert_null(strstr(sbuf_str(&out), "{}"));
    assert_non_null(strstr(sbuf_str(&out), "Content-Length: 2\r\n"));
    sbuf_fini(&a.body);
    sbuf_fini(&a.headers);

    sbuf_reset(&out);
    a = (struct io_answer){ .status = 426 };
    io_answer_write(&out, &a, false);
    assert_string_equal(sbuf_str(&out), "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n"
                        "Connection: close\r\n\r\n");
    sbuf_fini(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_upgrade_is_read_raw),
        cmocka_unit_test(a_plain_request_is_no_upgrade),
        cmocka_unit_test(verdicts_are_as_listed),
        cmocka_unit_test(nul_is_refused),
        cmocka_unit_test(the_end_is_found_wherever_the_pieces_end),
        cmocka_unit_test(what_cannot_be_a_head_is_seen_early),
        cmocka_unit_test(answers_are_whole),
    };

    return cmocka_run_group_tests_name("io_request", tests, NULL, NULL);
}
