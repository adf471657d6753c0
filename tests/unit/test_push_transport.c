/* test_push_transport - requests that become clients, emulation, one-way clients, and what servers do to all of them
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/unit/push_client_fakes.h"

/* ---- transports ---- */

static void
http_stream_and_emulation(void **state)
{
    struct push_client *c = open_stream(0, "/connection/http_stream",
                                        "{\"id\":1,\"connect\":{\"token\":\"ann\"}}\n");
    struct io_request r = { .method = "POST", .path = "/emulation", .query = "", .address = "" };
    char body[300];

    (void)state;
    assert_non_null(strstr(out, ",\"node\":\"this-node\""));
    assert_non_null(strstr(out, client_session_id(c)));
    assert_true(strlen(client_session_id(c)) >= 36);
    out[0] = '\0';

    sprintf(body, "{\"session\":\"%s\",\"node\":\"this-node\",\"data\":"
                  "\"{\\\"id\\\":2,\\\"history\\\":{\\\"channel\\\":\\\"a\\\"}}\\n{}\"}",
            client_session_id(c));
    r.body = body;
    r.body_len = strlen(body);
    assert_int_equal(status_of(&r), 204);
    expect("(history a)\n");
    assert_int_equal(conns[0].heard, 2);     /* as it connected, and now */

    client_close(c, CLOSE_FORCE_DISCONNECT, NULL);
    expect("{\"push\":{\"disconnect\":{\"code\":3503,\"reason\":\"force disconnect\"}}}\n!end\n");
}

static void
emulation_refused(void **state)
{
    struct push_client *c = open_stream(0, "/connection/sse", "{\"id\":1,\"connect\":{\"token\":\"old\"}}");
    struct io_request r = { .method = "POST", .path = "/emulation", .query = "", .address = "" };
    const char *session = client_session_id(c);
    struct {
        int status;
        const char *format;
    } cases[] = {
        { 400, "nonsense" },
        { 400, "[]" },
        { 400, "{\"session\":\"%s\",\"node\":\"this-node\"}" },
        { 400, "{\"session\":\"%s\",\"node\":1,\"data\":\"{}\"}" },
        { 404, "{\"session\":\"%s\",\"node\":\"other\",\"data\":\"{}\"}" },
        { 404, "{\"session\":\"x%s\",\"node\":\"this-node\",\"data\":\"{}\"}" },
        { 204, "{\"session\":\"%s\",\"node\":\"this-node\",\"data\":\"{}\"}" },
    };
    char body[300];

    (void)state;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(body, sizeof body, cases[i].format, session);
#pragma GCC diagnostic pop
        r.body = body;
        r.body_len = strlen(body);
        assert_int_equal(status_of(&r), cases[i].status);
    }
    /* the last reached one whose connect was refused */
    expect("{\"push\":{\"disconnect\":{\"code\":3501,\"reason\":\"bad request\"}}}\n!end\n");
    r.method = "GET";
    assert_int_equal(status_of(&r), 405);
}

static void
one_way_clients(void **state)
{
    struct push_client *c = open_stream(0, "/connection/uni_sse", "{\"token\":\"ann-60\"}");

    (void)state;
    expect("{\"connect\":{\"client\":\"ID\",\"version\":\"confab " PACKAGE_VERSION
           "\",\"expires\":true,\"ttl\":60,\"ping\":25}}\n(started ann)\n");
    assert_int_equal(op_refresh(push, &(struct op_whom){ .user = "ann" }, false, 1090, NULL), PUSH_OK);
    expect("{\"refresh\":{\"expires\":true,\"ttl\":90}}\n");
    client_close(c, 4001, "so long");
    expect("{\"disconnect\":{\"code\":4001,\"reason\":\"so long\"}}\n!end\n");

    open_stream(1, "/connection/uni_http_stream", "{\"token\":\"old\"}");
    expect("{\"disconnect\":{\"code\":3005,\"reason\":\"connection expired\"}}\n!end\n");
}

static void
one_way_socket(void **state)
{
    struct io_request r = socket_request;
    struct push_client *c;

    (void)state;
    r.path = "/connection/uni_websocket";
    c = open_request(&r, 0);
    expect("");
    say(c, "{\"token\":\"ann\"}");
    say(c, "whatever");
    expect("{\"connect\":{\"client\":\"ID\",\"version\":\"confab " PACKAGE_VERSION "\",\"ping\":25}}\n(started ann)\n");
    c = open_request(&r, 1);
    say(c, "nonsense");
    expect("!3501 bad request\n");
    r.query = "x=1&cf_connect=%7B%22token%22%3A%22ann%22%7D";
    open_request(&r, 2);
    assert_non_null(strstr(out, "{\"connect\":{\"client\":"));
}

static void
requests(void **state)
{
    static const struct {
        const char *method, *path, *query;
        bool upgrade;
        const char *name, *value, *body;
        int status;
    } cases[] = {
        { "GET", "/connection/websocket", "", true, NULL, NULL, "", 101 },
        { "GET", "/connection/websocket", "", false, NULL, NULL, "", 426 },
        { "POST", "/connection/websocket", "", false, NULL, NULL, "", 405 },
        { "GET", "/connection/websocket", "", true, "Origin", "https://good.test", "", 101 },
        { "GET", "/connection/websocket", "", true, "Origin", "https://evil.test", "", 403 },
        { "GET", "/connection/websocket", "format=protobuf", true, NULL, NULL, "", 400 },
        { "GET", "/connection/websocket", "a=b&cf_protocol=protobuf", true, NULL, NULL, "", 400 },
        { "GET", "/connection/websocket", "", true, "Sec-WebSocket-Protocol",
          "centrifuge-protobuf", "", 400 },
        { "GET", "/connection/websocket", "", true, "Sec-WebSocket-Protocol",
          "centrifuge-protobuf, centrifuge-json", "", 101 },
        { "POST", "/connection/http_stream", "", false, NULL, NULL, "{}", 200 },
        { "POST", "/connection/http_stream", "", false, NULL, NULL, "", 400 },
        { "GET", "/connection/http_stream", "", false, NULL, NULL, "", 405 },
        { "POST", "/connection/http_stream", "", false, "Origin", "https://evil.test", "{}", 403 },
        { "OPTIONS", "/connection/http_stream", "", false, "Origin", "https://good.test", "", 204 },
        { "OPTIONS", "/emulation", "", false, "Origin", "https://good.test", "", 204 },
        { "OPTIONS", "/emulation", "", false, "Origin", "https://evil.test", "", 403 },
        { "GET", "/connection/sse", "cf_connect=%7B%7D", false, NULL, NULL, "", 200 },
        { "GET", "/connection/sse", "", false, NULL, NULL, "", 400 },
        { "POST", "/connection/sse", "", false, NULL, NULL, "{}", 200 },
        { "PUT", "/connection/sse", "", false, NULL, NULL, "{}", 405 },
        { "GET", "/connection/uni_sse", "", false, NULL, NULL, "", 200 },
        { "GET", "/connection/uni_sse", "cf_connect=nonsense", false, NULL, NULL, "", 400 },
        { "POST", "/connection/uni_http_stream", "", false, NULL, NULL, "[]", 400 },
        { "GET", "/connection/other", "", false, NULL, NULL, "", 404 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct io_fields fields = { { cases[i].name ? cases[i].name : "X" }, { cases[i].value } };
        struct io_request r = { cases[i].method, cases[i].path, cases[i].query, cases[i].upgrade,
                                "192.0.2.1", cases[i].body, strlen(cases[i].body), false, &fields };

        if (status_of(&r) != cases[i].status)
            fail_msg("%s %s?%s: %d", r.method, r.path, r.query, status_of(&r));
    }
}

static void
headers_of_answers(void **state)
{
    struct io_fields fields = {
        { "Origin", "Access-Control-Request-Headers", "Sec-WebSocket-Protocol" },
        { "https://good.test", "content-type", "x,centrifuge-json" },
    };
    struct io_request r = { .method = "OPTIONS", .path = "/connection/http_stream", .query = "",
                            .body = "", .fields = &fields };
    struct io_answer a;
    struct io_client *client;

    (void)state;
    ask(&r, &a, &client);
    assert_string_equal(sbuf_str(&a.headers),
                        "Access-Control-Allow-Origin: https://good.test\r\n"
                        "Access-Control-Allow-Credentials: true\r\nVary: Origin\r\n"
                        "Access-Control-Allow-Methods: POST, OPTIONS\r\n"
                        "Access-Control-Allow-Headers: content-type\r\n");
    answer_free(&a);
    r = socket_request;
    r.fields = &fields;
    assert_int_equal(ask(&r, &a, &client), IO_UPGRADE);
    assert_non_null(strstr(sbuf_str(&a.headers), "Sec-WebSocket-Protocol: centrifuge-json\r\n"));
    answer_free(&a);
    client->calls->abandoned(client);
}

static void
native_pings(void **state)
{
    struct io_request r = socket_request;
    struct push_client *c;

    (void)state;
    r.query = "cf_ws_frame_ping_pong=true";
    c = open_request(&r, 0);
    say(c, "{\"id\":1,\"connect\":{\"token\":\"ann\"}}");
    expect(HELLO "}}\n(started ann)\n");
    assert_ptr_equal(c->io.rules, &push->native_rules);
}

/* ---- what servers do ---- */

static void
who_is_meant(void **state)
{
    struct push_client *a = connected(0, "ann"), *b = connected(1, "ann"), *o = connected(2, "bob");
    const char *except[] = { a->id, NULL };

    (void)state;
    assert_int_equal(op_disconnect(push, &(struct op_whom){ .user = "bob", .client = a->id }, 4000, "x"),
                     PUSH_OK);
    assert_int_equal(op_disconnect(push, &(struct op_whom){ .user = "ann", .session = "s" }, 4000, "x"),
                     PUSH_OK);
    assert_int_equal(op_disconnect(push, &(struct op_whom){ .user = "", .client = "" }, 4000, "x"), PUSH_OK);
    assert_int_equal(conns[0].closed + conns[1].closed + conns[2].closed, 0);
    op_disconnect(push, &(struct op_whom){ .user = "ann", .except = except }, 4000, "for now");
    expect("!4000 for now\n");
    assert_int_equal(conns[1].closed, 4000);
    assert_int_equal(b->state, CLIENT_CLOSING);
    op_disconnect(push, &(struct op_whom){ .user = "bob", .client = o->id }, 3503, "out");
    assert_int_equal(conns[2].closed, 3503);
    assert_int_equal(conns[0].closed, 0);
}

static void
subscribing_others(void **state)
{
    struct op_whom ann = { .user = "ann" };

    (void)state;
    connected(0, "ann");
    assert_int_equal(op_subscribe(push, &ann, &(struct op_subscribe){ .channel = "room" }), PUSH_OK);
    assert_int_equal(op_subscribe(push, &ann, &(struct op_subscribe){ .channel = "again" }), PUSH_OK);
    assert_int_equal(op_subscribe(push, &ann, &(struct op_subscribe){ .channel = "full" }), PUSH_LIMIT);
    assert_int_equal(op_subscribe(push, &ann, &(struct op_subscribe){ .channel = "no:way" }),
                     PUSH_UNKNOWN_CHANNEL);
    assert_int_equal(op_unsubscribe(push, &ann, "news"), PUSH_OK);
    assert_int_equal(op_unsubscribe(push, &ann, "room"), PUSH_OK);
    assert_int_equal(op_unsubscribe(push, &ann, ""), PUSH_BAD_REQUEST);
    expect("(add room)\n(add again)\n(add full)\n(end 2000 server unsubscribe)\n");
}

static void
refreshing_others(void **state)
{
    struct push_client *c = connected(0, "ann");
    struct op_whom ann = { .user = "ann" };

    (void)state;
    op_refresh(push, &ann, false, unix_ms / 1000 + 100, "{\"name\":\"Ann\"}");
    expect("");
    assert_non_null(strstr(c->client_info, "\"conn_info\":{\"name\":\"Ann\"}"));
    time_passes(c, 124000);
    expect("");
    time_passes(c, 2000);
    expect("!3005 connection expired\n");
    connected(1, "ann");
    op_refresh(push, &ann, true, 0, NULL);
    expect("!3005 connection expired\n");
    connected(2, "ann");
    op_refresh(push, &ann, false, 1, NULL);
    expect("!3005 connection expired\n");
}

static void
reasons(void **state)
{
    static const char *const bad[] = { "", "12", "true", "{}", "null", "\"x\"", " 7 ", "a\nb", "\xff" };
    char text[125];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(push_reason_is_clean(bad[i]));
    assert_true(push_reason_is_clean("going away"));
    memset(text, 'x', sizeof text);
    text[124] = '\0';
    assert_false(push_reason_is_clean(text));
    text[123] = '\0';
    assert_true(push_reason_is_clean(text));
}

static void
list_one(void *arg, const struct op_connection *c)
{
    strcat(arg, c->client);
    strcat(arg, " ");
}

static void
listing_in_pages(void **state)
{
    char all[400] = "", paged[400] = "", after[37] = "";
    struct op_info info;
    bool more = true;

    (void)state;
    for (int i = 0; i < 7; i++)
        connected(i, i < 5 ? "ann" : "bob");
    op_connections(push, NULL, "", 100, list_one, all, &more);
    assert_false(more);
    assert_int_equal(strlen(all), 7 * 37);
    do {
        op_connections(push, NULL, after, 3, list_one, paged, &more);
        memcpy(after, paged + strlen(paged) - 37, 36);
    } while (more);
    assert_string_equal(paged, all);
    paged[0] = '\0';
    op_connections(push, "bob", NULL, 100, list_one, paged, &more);
    assert_int_equal(strlen(paged), 2 * 37);
    op_info(push, &info);
    assert_int_equal(info.clients, 7);
    assert_int_equal(info.users, 2);
    assert_int_equal(info.channels, 3);
    assert_string_equal(info.uid, "this-node");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(http_stream_and_emulation),
        TEST(emulation_refused),
        TEST(one_way_clients),
        TEST(one_way_socket),
        TEST(requests),
        TEST(headers_of_answers),
        TEST(native_pings),
        TEST(who_is_meant),
        TEST(subscribing_others),
        TEST(refreshing_others),
        TEST(reasons),
        TEST(listing_in_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
