/* test_push_api - the server API: who may, what is read, what is answered and when
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

#include "tests/unit/push_api_fakes.h"

static struct sbuf body;            /* of the answer */
static struct sbuf headers;

static int
setup(void **state)
{
    (void)state;
    fakes_begin();
    sbuf_init(&body, 1 << 20);
    sbuf_init(&headers, 1 << 12);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    sbuf_fini(&body);
    sbuf_fini(&headers);
    fakes_end();
    return 0;
}

/* Asks; the status, 0 when the answer comes later. */
static int
ask(const char *http, const char *path, const char *query, const char *text)
{
    struct io_request r = { .method = http, .path = path, .query = query, .address = "127.0.0.1",
                            .body = text, .body_len = strlen(text) };
    struct io_answer a = { .body = body, .headers = headers };
    struct io_client *client = NULL;
    enum io_verdict v;

    sbuf_reset(&a.body);
    sbuf_reset(&a.headers);
    v = api_request(&fakes.push, &r, (struct io_exchange *)&fakes, &a, &client);
    body = a.body;
    headers = a.headers;
    return v == IO_LATER ? 0 : a.status;
}

/* Calls a method that must be answered 200 with that text. */
static void
call(const char *method, const char *text, const char *wanted)
{
    char path[100];

    snprintf(path, sizeof path, "/api/%s", method);
    assert_int_equal(ask("POST", path, "", text), 200);
    assert_string_equal(sbuf_str(&body), wanted);
}

static void
refused(const char *method, const char *text, int code)
{
    char path[100], wanted[100];

    snprintf(path, sizeof path, "/api/%s", method);
    assert_int_equal(ask("POST", path, "", text), 200);
    snprintf(wanted, sizeof wanted, "{\"error\":{\"code\":%d,", code);
    assert_memory_equal(sbuf_str(&body), wanted, strlen(wanted));
}

static void
saw(const char *wanted)
{
    assert_string_equal(fakes.seen, wanted);
    fakes.seen[0] = '\0';
}

static void
only_the_key_gets_in(void **state)
{
    (void)state;
    fakes.key_header = "wrong";
    assert_int_equal(ask("POST", "/api/info", "", "{}"), 401);
    assert_int_equal(body.len, 0);
    fakes.authorization = "apikey secret";      /* the first present wins */
    assert_int_equal(ask("POST", "/api/info", "", "{}"), 401);
    fakes.key_header = NULL;
    assert_int_equal(ask("POST", "/api/info", "", "{}"), 200);
    fakes.authorization = NULL;
    assert_int_equal(ask("POST", "/api/info", "", "{}"), 401);
    assert_int_equal(ask("POST", "/api/info", "x=1&api_key=s%65cret", "{}"), 200);
    assert_int_equal(ask("POST", "/api/info", "api_key=secre", "{}"), 401);
    assert_int_equal(ask("POST", "/api/info", "api_key=", "{}"), 401);
    fakes.config.push_api_key = "";
    assert_int_equal(ask("POST", "/api/info", "api_key=", "{}"), 401);
    fakes.config.push_api_insecure = true;
    assert_int_equal(ask("POST", "/api/info", "", "{}"), 200);
}

static void
paths_methods_and_bodies(void **state)
{
    (void)state;
    assert_int_equal(ask("POST", "/api/nothing", "", "{}"), 404);
    assert_int_equal(ask("POST", "/api/", "", "{}"), 404);
    assert_int_equal(ask("POST", "/api", "", "{}"), 404);
    assert_int_equal(ask("GET", "/api/info", "", ""), 405);
    assert_string_equal(sbuf_str(&headers), "Allow: POST\r\n");
    assert_int_equal(ask("POST", "/api/info", "", ""), 400);
    assert_int_equal(ask("POST", "/api/info", "", "{} {}"), 400);
    assert_int_equal(ask("POST", "/api/info", "", "5"), 400);
    assert_int_equal(ask("POST", "/api/publish", "", "{\"channel\":5,\"data\":1}"), 400);
    assert_int_equal(ask("POST", "/api/publish", "", "{\"channel\":\"c\",\"data\":1,\"tags\":[1]}"), 400);
    assert_int_equal(ask("POST", "/api/publish", "", "{\"channel\":\"c\",\"data\":1,\"tags\":{\"a\":1}}"), 400);
    saw("");
}

static void
errors_as_statuses(void **state)
{
    (void)state;
    fakes.mode = "transport";
    assert_int_equal(ask("POST", "/api/publish", "", "{\"channel\":\"unknown:c\",\"data\":1}"), 404);
    assert_string_equal(sbuf_str(&body), "{\"code\":102,\"message\":\"unknown channel\"}");
    assert_int_equal(ask("POST", "/api/publish", "", "{\"channel\":\"c\"}"), 400);
    assert_int_equal(ask("POST", "/api/rpc", "", "{\"method\":\"m\"}"), 400);
    assert_int_equal(api_status(PUSH_UNRECOVERABLE), 416);
    assert_int_equal(api_status(PUSH_CONCURRENT), 409);
    assert_int_equal(api_status(PUSH_INTERNAL), 500);
    assert_int_equal(api_status(PUSH_TOO_MANY), 500);
}

static void
publishing(void **state)
{
    (void)state;
    call("publish", "{\"channel\":\"c\",\"data\": { \"a\" : [ 1,\n2 ] },\"unknown\":1}",
         "{\"result\":{\"offset\":1,\"epoch\":\"epoch123\"}}");
    saw("c={\"a\":[1,2]};");
    call("publish", "{\"channel\":\"c\",\"data\":null,\"tags\":[],\"idempotency_key\":\"k\",\"version\":3,"
         "\"version_epoch\":\"v\"}", "{\"result\":{\"offset\":2,\"epoch\":\"epoch123\"}}");
    saw("c=null key k;version 3 v;");
    call("publish", "{\"channel\":\"c\",\"b64data\":\"eyJhIjogInh5eiJ9\",\"tags\":{\"t\":\"1\"}}",
         "{\"result\":{\"offset\":3,\"epoch\":\"epoch123\"}}");
    saw("c={\"a\":\"xyz\"} tags {\"t\":\"1\"};");
    call("publish", "{\"channel\":\"c\",\"b64data\":\"MQ==\"}",
         "{\"result\":{\"offset\":4,\"epoch\":\"epoch123\"}}");
    saw("c=1;");
    refused("publish", "{\"channel\":\"c\",\"b64data\":\"eyJh\"}", 107);        /* no JSON */
    refused("publish", "{\"channel\":\"c\",\"b64data\":\"e*==\"}", 107);        /* no base64 */
    refused("publish", "{\"channel\":\"c\",\"b64data\":\"MTIzN\"}", 107);
    refused("publish", "{\"channel\":\"c\"}", 107);
    refused("publish", "{\"data\":1}", 107);
    refused("publish", "[]", 107);
    refused("publish", "{\"channel\":\"c\",\"data\":1,\"version\":-1}", 107);
    saw("");
    assert_int_equal(fakes.push.counters[PUSH_COUNT_BAD_API], 7);
}

static void
broadcasts_answer_in_order(void **state)
{
    char many[1000] = "{\"data\":1,\"channels\":[\"a\"";

    (void)state;
    call("broadcast", "{\"channels\":[\"a\",\"unknown:b\",\"c\"],\"data\":1}",
         "{\"result\":{\"responses\":[{\"result\":{\"offset\":1,\"epoch\":\"epoch123\"}},"
         "{\"error\":{\"code\":102,\"message\":\"unknown channel\"}},"
         "{\"result\":{\"offset\":3,\"epoch\":\"epoch123\"}}]}}");
    refused("broadcast", "{\"channels\":[],\"data\":1}", 107);
    for (int i = 0; i < 50; i++)
        strcat(many, ",\"a\"");
    strcat(many, "]}");
    refused("broadcast", many, 107);
    assert_int_equal(ask("POST", "/api/broadcast", "", "{\"channels\":\"a\",\"data\":1}"), 400);
}

static void
late_answers_come_by_the_exchange(void **state)
{
    (void)state;
    fakes.hold = true;
    assert_int_equal(ask("POST", "/api/publish", "", "{\"channel\":\"c\",\"data\":1}"), 0);
    assert_int_equal(ask("POST", "/api/broadcast", "", "{\"channels\":[\"a\",\"b\"],\"data\":1}"), 0);
    assert_int_equal(fakes.answered.len, 0);
    fakes_answer();
    assert_int_equal(fakes.answered_status, 200);
    assert_string_equal(sbuf_str(&fakes.answered), "{\"result\":{\"offset\":1,\"epoch\":\"epoch123\"}}");
    sbuf_reset(&fakes.answered);
    fakes_answer();
    assert_int_equal(fakes.answered.len, 0);
    fakes_answer();
    assert_string_equal(sbuf_str(&fakes.answered),
                        "{\"result\":{\"responses\":[{\"result\":{\"offset\":2,\"epoch\":\"epoch123\"}},"
                        "{\"result\":{\"offset\":3,\"epoch\":\"epoch123\"}}]}}");
}

static void
acting_on_clients(void **state)
{
    (void)state;
    call("subscribe", "{\"user\":\"u\",\"channel\":\"c\",\"b64info\":\"eyJhIjoxfQ==\",\"data\":[1],"
         "\"expire_at\":99,\"override\":{\"presence\":{\"value\":true},\"force_recovery\":[]},"
         "\"recover_since\":{\"offset\":7,\"epoch\":\"e\"}}", "{\"result\":{}}");
    saw("subscribe u c info {\"a\":1} data [1] until 99 override 21 recover 1 7 e;");
    call("subscribe", "{\"user\":\"\",\"channel\":\"c\",\"override\":[],\"info\":null}", "{\"result\":{}}");
    saw("subscribe  c info - data - until 0 override 00 recover 0 0 ;");
    refused("subscribe", "{\"channel\":\"c\"}", 107);
    refused("subscribe", "{\"user\":\"u\",\"channel\":\"unknown:c\"}", 102);
    assert_int_equal(ask("POST", "/api/subscribe", "", "{\"user\":7,\"channel\":\"c\"}"), 400);
    fakes.seen[0] = '\0';
    call("unsubscribe", "{\"user\":\"u\",\"channel\":\"c\"}", "{\"result\":{}}");
    call("disconnect", "{\"user\":\"u\"}", "{\"result\":{}}");
    call("disconnect", "{\"user\":\"u\",\"whitelist\":[\"a\",\"b\"],\"disconnect\":"
         "{\"code\":4001,\"reason\":\"bye\"}}", "{\"result\":{}}");
    call("refresh", "{\"user\":\"u\",\"expired\":true,\"expire_at\":5,\"info\":{}}", "{\"result\":{}}");
    saw("unsubscribe u c;disconnect u 3503 force disconnect except;"
        "disconnect u 4001 bye except a b;refresh u 1 5 {};");
}

static void
reasons_and_codes_of_disconnect(void **state)
{
    (void)state;
    refused("disconnect", "{\"user\":\"u\",\"disconnect\":{\"code\":2999,\"reason\":\"x\"}}", 107);
    refused("disconnect", "{\"user\":\"u\",\"disconnect\":{\"code\":5000,\"reason\":\"x\"}}", 107);
    refused("disconnect", "{\"user\":\"u\",\"disconnect\":{\"code\":4000,\"reason\":\"12\"}}", 107);
    refused("disconnect", "{\"user\":\"u\",\"disconnect\":{\"code\":4000,\"reason\":\"{}\"}}", 107);
    call("disconnect", "{\"user\":\"u\",\"disconnect\":{\"code\":4000,\"reason\":\"\"}}", "{\"result\":{}}");
    assert_non_null(strstr(fakes.seen, "disconnect u 4000 "));
    assert_null(strstr(fakes.seen, "4000  except"));        /* words in place of an empty reason */
}

static void
asking(void **state)
{
    (void)state;
    call("presence", "{\"channel\":\"c\"}",
         "{\"result\":{\"presence\":{\"c1\":{\"user\":\"u1\",\"client\":\"c1\"}}}}");
    call("presence_stats", "{\"channel\":\"c\"}", "{\"result\":{\"num_clients\":1,\"num_users\":1}}");
    refused("presence", "{\"channel\":\"off\"}", 108);
    refused("presence_stats", "{\"channel\":\"off\"}", 108);
    assert_int_equal(ask("POST", "/api/history", "",
                         "{\"channel\":\"c\",\"limit\":-1,\"since\":{\"offset\":3,\"epoch\":\"e\"},\"reverse\":true}"),
                     200);
    assert_non_null(strstr(sbuf_str(&body), "\"epoch\":\"epoch123\",\"offset\":5}"));
    assert_non_null(strstr(sbuf_str(&body), "{\"publications\":[{"));
    assert_non_null(strstr(sbuf_str(&body), "\"data\":{\"n\":1}"));
    saw("history c limit -1 since 1 3 e reverse 1;");
    assert_int_equal(ask("POST", "/api/history", "", "{\"channel\":\"c\",\"since\":[],\"reverse\":true}"), 200);
    saw("history c limit 0 since 0 0 - reverse 1;");
    refused("history", "{\"channel\":\"unknown:c\"}", 102);
    call("history_remove", "{\"channel\":\"c\"}", "{\"result\":{}}");
    fakes.seen[0] = '\0';
    call("channels", "[]", "{\"result\":{\"channels\":{\"a\\\"b\":{\"num_clients\":2}}}}");
    call("channels", "{\"pattern\":\"a*\",\"limit\":1,\"cursor\":\"a\"}",
         "{\"result\":{\"channels\":{\"a\\\"b\":{\"num_clients\":2}},\"cursor\":\"a\\\"b\"}}");
    call("channels", "{\"limit\":1000}", "{\"result\":{\"channels\":{\"a\\\"b\":{\"num_clients\":2}}}}");
    saw("channels  after  limit 10;channels a* after a limit 1;channels  after  limit 10;");
    call("info", "[]", "{\"result\":{\"nodes\":[{\"uid\":\"uid\",\"name\":\"name\",\"version\":\"0\","
         "\"num_clients\":1,\"num_users\":2,\"num_channels\":3,\"num_subs\":4,\"uptime\":5}]}}");
    refused("rpc", "{\"method\":\"m\",\"params\":{}}", 108);
    refused("rpc", "{}", 107);
    call("connections", "{\"user\":\"u1\",\"limit\":2}",
         "{\"result\":{\"connections\":[{\"client\":\"c1\",\"user\":\"u1\",\"address\":\"127.0.0.1\","
         "\"transport\":\"websocket\",\"age\":1,\"subscriptions\":2,\"queued\":3}],\"cursor\":\"c1\"}}");
}

static void
batches_answer_in_order(void **state)
{
    (void)state;
    call("batch", "{\"commands\":[{\"publish\":{\"channel\":\"a\",\"data\":[1, \"],{\"]}},"
         "{\"publish\":{\"channel\":\"unknown:b\",\"data\":1}},{\"nonsense\":{}},{},[],{\"batch\":{\"commands\":[]}},"
         "{\"info\":[]},{\"publish\":{\"channel\":\"c\"}},{\"channels\":{}}]}",
         "{\"replies\":[{\"publish\":{\"offset\":1,\"epoch\":\"epoch123\"}},"
         "{\"error\":{\"code\":102,\"message\":\"unknown channel\"}},"
         "{\"error\":{\"code\":104,\"message\":\"method not found\"}},"
         "{\"error\":{\"code\":104,\"message\":\"method not found\"}},"
         "{\"error\":{\"code\":104,\"message\":\"method not found\"}},"
         "{\"error\":{\"code\":104,\"message\":\"method not found\"}},"
         "{\"info\":{\"nodes\":[{\"uid\":\"uid\",\"name\":\"name\",\"version\":\"0\",\"num_clients\":1,"
         "\"num_users\":2,\"num_channels\":3,\"num_subs\":4,\"uptime\":5}]}},"
         "{\"error\":{\"code\":107,\"message\":\"bad request\"}},"
         "{\"channels\":{\"channels\":{\"a\\\"b\":{\"num_clients\":2}}}}]}");
    saw("a=[1,\"],{\"];unknown:b=1;channels  after  limit 10;");
    call("batch", "{\"commands\":[]}", "{\"replies\":[]}");
    refused("batch", "{}", 107);
    assert_int_equal(ask("POST", "/api/batch", "", "{\"commands\":{}}"), 400);
    assert_int_equal(ask("POST", "/api/batch", "", "{\"commands\":[5]}"), 400);
}

static void
nothing_of_a_malformed_batch_is_run(void **state)
{
    (void)state;
    assert_int_equal(ask("POST", "/api/batch", "",
                         "{\"commands\":[{\"publish\":{\"channel\":\"a\",\"data\":1}},{\"publish\":{\"channel\":1}}]}"),
                     400);
    saw("");
}

static void
batches_wait(void **state)
{
    const char *const text = "{\"commands\":[{\"publish\":{\"channel\":\"a\",\"data\":1}},"
                             "{\"publish\":{\"channel\":\"b\",\"data\":2}}],\"parallel\":%s}";
    char command[300];

    (void)state;
    fakes.hold = true;
    snprintf(command, sizeof command, text, "false");
    assert_int_equal(ask("POST", "/api/batch", "", command), 0);
    saw("a=1;");                    /* the second waits for the first */
    fakes_answer();
    saw("b=2;");
    assert_int_equal(fakes.answered.len, 0);
    fakes_answer();
    assert_string_equal(sbuf_str(&fakes.answered),
                        "{\"replies\":[{\"publish\":{\"offset\":1,\"epoch\":\"epoch123\"}},"
                        "{\"publish\":{\"offset\":2,\"epoch\":\"epoch123\"}}]}");
    snprintf(command, sizeof command, text, "true");
    assert_int_equal(ask("POST", "/api/batch", "", command), 0);
    saw("a=1;b=2;");
    fakes_answer();
    fakes_answer();
}

static void
figures_and_health(void **state)
{
    struct io_request r = { .method = "GET", .path = "/metrics", .query = "", .body = "" };
    struct io_answer a = { .body = body, .headers = headers };
    struct io_client *client = NULL;

    (void)state;
    assert_int_equal(metrics_request(&fakes.push, &r, NULL, &a, &client), IO_ANSWER);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(sbuf_str(&a.body), "\nconfab_loop_things 7\n"));
    assert_non_null(strstr(sbuf_str(&a.body), "\nconfab_process_resident_bytes "));
    fakes.key_header = NULL;
    assert_int_equal(metrics_request(&fakes.push, &r, NULL, &a, &client), IO_ANSWER);
    assert_int_equal(a.status, 401);
    sbuf_reset(&a.body);
    assert_int_equal(health_request(&fakes.push, &r, NULL, &a, &client), IO_ANSWER);
    assert_int_equal(a.status, 200);
    assert_string_equal(sbuf_str(&a.body), "{}");
    body = a.body;
    headers = a.headers;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_the_key_gets_in, setup, teardown),
        cmocka_unit_test_setup_teardown(paths_methods_and_bodies, setup, teardown),
        cmocka_unit_test_setup_teardown(errors_as_statuses, setup, teardown),
        cmocka_unit_test_setup_teardown(publishing, setup, teardown),
        cmocka_unit_test_setup_teardown(broadcasts_answer_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(late_answers_come_by_the_exchange, setup, teardown),
        cmocka_unit_test_setup_teardown(acting_on_clients, setup, teardown),
        cmocka_unit_test_setup_teardown(reasons_and_codes_of_disconnect, setup, teardown),
        cmocka_unit_test_setup_teardown(asking, setup, teardown),
        cmocka_unit_test_setup_teardown(batches_answer_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_of_a_malformed_batch_is_run, setup, teardown),
        cmocka_unit_test_setup_teardown(batches_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(figures_and_health, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
