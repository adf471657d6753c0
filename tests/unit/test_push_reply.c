/* test_push_reply - every line a client is told
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

#include "relay/push/reply.h"
#include "shared/json.h"

static struct sbuf out;

/* What was written is this, is JSON, and is one line. */
static void
assert_line(const char *wanted)
{
    struct arena *a = arena_new();
    struct json *json;

    assert_string_equal(sbuf_str(&out), wanted);
    assert_int_equal(json_parse(a, out.data, out.len, 64, &json, NULL), ERR_OK);
    assert_null(strpbrk(out.data, "\r\n"));
    arena_free(a);
    sbuf_reset(&out);
}

static struct publication *
publication(const char *data, const char *info, const char *tags, uint64_t offset)
{
    struct publication *p = publication_new(data, strlen(data), info, tags, false);

    p->offset = offset;
    return p;
}

static void
errors_and_empty_results(void **state)
{
    (void)state;
    reply_error(&out, 7, PUSH_DENIED);
    assert_line("{\"id\":7,\"error\":{\"code\":103,\"message\":\"permission denied\"}}");
    reply_error(&out, 4294967295, PUSH_TOO_MANY);
    assert_line("{\"id\":4294967295,\"error\":{\"code\":111,\"message\":\"too many requests\",\"temporary\":true}}");
    reply_error(&out, 1, (enum push_error)400);
    assert_line("{\"id\":1,\"error\":{\"code\":400,\"message\":\"error\"}}");
    reply_empty(&out, 3, "publish");
    assert_line("{\"id\":3,\"publish\":{}}");
}

static void
words_are_never_empty_nor_json(void **state)
{
    static const int closes[] = { 3000, 3001, 3004, 3005, 3008, 3012, 3500, 3501, 3509, 4000, 4999 };

    (void)state;
    for (size_t i = 0; i < sizeof closes / sizeof *closes; i++)
        assert_in_range(push_close_reason((enum push_close)closes[i])[0], 'a', 'z');
    assert_string_equal(push_close_reason(CLOSE_STALE), "stale");
    assert_string_equal(push_unsubscribe_reason(UNSUBSCRIBE_EXPIRED), "subscription expired");
    assert_in_range(push_unsubscribe_reason((enum push_unsubscribe)2999)[0], 'a', 'z');
    assert_true(push_error_temporary(PUSH_INTERNAL));
    assert_false(push_error_temporary((enum push_error)1999));
}

static void
connect_small_and_large(void **state)
{
    struct stream_position at = { .offset = 3, .epoch = "abcdefgh" };
    struct reply_sub subs[] = {
        { "news", { .recoverable = true, .positioned = true, .position = &at, .data = "{\"x\":1}" } },
        { "\"q\"", { 0 } },
    };

    (void)state;
    reply_connect(&out, 1, &(struct reply_connect){ .client = "c-1" });
    assert_line("{\"id\":1,\"connect\":{\"client\":\"c-1\",\"version\":\"confab " PACKAGE_VERSION "\"}}");
    reply_connect(&out, 0, &(struct reply_connect){ .client = "c-1", .ttl_s = 60, .data = "{\"a\":\n1}",
                                                    .subs = subs, .n_subs = 2, .ping_s = 25, .pong = true,
                                                    .session = "s", .node = "n" });
    assert_line("{\"connect\":{\"client\":\"c-1\",\"version\":\"confab " PACKAGE_VERSION "\",\"expires\":true,\"ttl\":60,"
                "\"data\":{\"a\": 1},\"subs\":{\"news\":{\"recoverable\":true,\"positioned\":true,"
                "\"epoch\":\"abcdefgh\",\"offset\":3,\"data\":{\"x\":1}},\"\\\"q\\\"\":{}},"
                "\"ping\":25,\"pong\":true,\"session\":\"s\",\"node\":\"n\"}}");
}

static void
subscribe_small_and_large(void **state)
{
    struct stream_position at = { .offset = 0, .epoch = "abcdefgh" };
    struct publication *list[] = { publication("{\"a\":1}", NULL, NULL, 1), publication("2", NULL, NULL, 2) };
    struct reply_subscribe r = { .recoverable = true, .positioned = true, .recovered = true,
                                 .was_recovering = true, .position = &at, .publications = list, .n = 2 };

    (void)state;
    reply_subscribe(&out, 2, &(struct reply_subscribe){ 0 });
    assert_line("{\"id\":2,\"subscribe\":{}}");
    reply_subscribe(&out, 2, &r);
    assert_line("{\"id\":2,\"subscribe\":{\"recoverable\":true,\"positioned\":true,\"epoch\":\"abcdefgh\",\"offset\":0,"
                "\"publications\":[{\"data\":{\"a\":1},\"offset\":1},{\"data\":2,\"offset\":2}],"
                "\"recovered\":true,\"was_recovering\":true}}");
    r.delta = true;             /* then data are texts, recovered ones too */
    r.n = 1;
    reply_subscribe(&out, 2, &r);
    assert_line("{\"id\":2,\"subscribe\":{\"recoverable\":true,\"positioned\":true,\"epoch\":\"abcdefgh\",\"offset\":0,"
                "\"publications\":[{\"data\":\"{\\\"a\\\":1}\",\"offset\":1}],"
                "\"recovered\":true,\"was_recovering\":true,\"delta\":true}}");
    reply_subscribed(&out, false, "c", &(struct reply_subscribe){ .positioned = true, .position = &at });
    assert_line("{\"push\":{\"channel\":\"c\",\"subscribe\":{\"positioned\":true,\"epoch\":\"abcdefgh\",\"offset\":0}}}");
    publication_unref(list[0]);
    publication_unref(list[1]);
}

static void
refresh_history_presence(void **state)
{
    struct publication *list[] = { publication("\"x\"", "{\"user\":\"u\",\"client\":\"c\"}", "{\"t\":\"1\"}", 9) };
    struct stream_history h = { .top = { .offset = 9, .epoch = "e" }, .publications = list, .n = 1 };
    struct stream_presence who = { .client = "c1", .user = "u", .info = "{\"user\":\"u\",\"client\":\"c1\"}" };

    (void)state;
    reply_refresh(&out, 5, "refresh", 0);
    assert_line("{\"id\":5,\"refresh\":{}}");
    reply_refresh(&out, 5, "sub_refresh", 31536000);
    assert_line("{\"id\":5,\"sub_refresh\":{\"expires\":true,\"ttl\":31536000}}");
    reply_history(&out, 6, &h);
    assert_line("{\"id\":6,\"history\":{\"publications\":[{\"data\":\"x\",\"offset\":9,\"info\":{\"user\":\"u\",\"client\":\"c\"},"
                "\"tags\":{\"t\":\"1\"}}],\"epoch\":\"e\",\"offset\":9}}");
    reply_history(&out, 6, &(struct stream_history){ 0 });
    assert_line("{\"id\":6,\"history\":{\"publications\":[],\"epoch\":\"\",\"offset\":0}}");
    reply_presence_open(&out, 7);
    reply_presence_close(&out);
    assert_line("{\"id\":7,\"presence\":{\"presence\":{}}}");
    reply_presence_open(&out, 7);
    reply_presence_one(&out, &who);
    who.client = "c2";
    reply_presence_one(&out, &who);
    reply_presence_close(&out);
    assert_line("{\"id\":7,\"presence\":{\"presence\":{\"c1\":{\"user\":\"u\",\"client\":\"c1\"},"
                "\"c2\":{\"user\":\"u\",\"client\":\"c1\"}}}}");
    reply_presence_stats(&out, 8, 0, 0);
    assert_line("{\"id\":8,\"presence_stats\":{\"num_clients\":0,\"num_users\":0}}");
    publication_unref(list[0]);
}

static void
publications_in_every_form(void **state)
{
    struct publication *p = publication("{\"a\":\r\n[1,\n2]}", NULL, NULL, 0);

    (void)state;
    reply_publication(&out, false, "c\n", p, FORM_PLAIN, NULL, 0);
    assert_line("{\"push\":{\"channel\":\"c\\n\",\"pub\":{\"data\":{\"a\":  [1, 2]}}}}");
    p->offset = 9007199254740991;
    p->time_ms = 1700000000000;
    reply_publication(&out, true, "c", p, FORM_STRING, NULL, 0);
    assert_line("{\"channel\":\"c\",\"pub\":{\"data\":\"{\\\"a\\\":  [1, 2]}\",\"offset\":9007199254740991,"
                "\"time\":1700000000000}}");
    reply_publication(&out, false, "c", p, FORM_PATCH, "4\n4:\"abc;", 9);
    assert_line("{\"push\":{\"channel\":\"c\",\"pub\":{\"data\":\"4\\n4:\\\"abc;\",\"offset\":9007199254740991,"
                "\"delta\":true,\"time\":1700000000000}}}");
    publication_unref(p);
}

static void
other_pushes(void **state)
{
    (void)state;
    reply_client_info(&out, "", "c", NULL, NULL);
    assert_line("{\"user\":\"\",\"client\":\"c\"}");
    reply_client_info(&out, "\"u", "c", "{\"n\":\n1}", "2");
    assert_line("{\"user\":\"\\\"u\",\"client\":\"c\",\"conn_info\":{\"n\": 1},\"chan_info\":2}");
    reply_join(&out, false, "c", "{\"user\":\"\",\"client\":\"c\"}", false);
    assert_line("{\"push\":{\"channel\":\"c\",\"join\":{\"info\":{\"user\":\"\",\"client\":\"c\"}}}}");
    reply_join(&out, true, "c", "{}", true);
    assert_line("{\"channel\":\"c\",\"leave\":{\"info\":{}}}");
    reply_unsubscribed(&out, false, "c", 2500, "insufficient state");
    assert_line("{\"push\":{\"channel\":\"c\",\"unsubscribe\":{\"code\":2500,\"reason\":\"insufficient state\"}}}");
    reply_disconnect(&out, false, 3503, "force disconnect");
    assert_line("{\"push\":{\"disconnect\":{\"code\":3503,\"reason\":\"force disconnect\"}}}");
    reply_disconnect(&out, true, 3503, "x");
    assert_line("{\"disconnect\":{\"code\":3503,\"reason\":\"x\"}}");
}

static void
a_full_buffer_fails_and_stays_in_bounds(void **state)
{
    struct publication *p = publication("[1,2,3]", "{}", "{}", 5);
    struct sbuf whole, b;

    (void)state;
    sbuf_init(&whole, 4096);
    reply_publication(&whole, false, "c", p, FORM_STRING, NULL, 0);
    for (size_t max = 0; max < whole.len; max++) {
        sbuf_init(&b, max);
        reply_publication(&b, false, "c", p, FORM_STRING, NULL, 0);
        assert_true(b.failed && b.len <= max);
        sbuf_fini(&b);
    }
    sbuf_fini(&whole);
    publication_unref(p);
}

static void
numbers_as_they_are(void **state)
{
    (void)state;
    json_open(&out, '[');
    json_int(&out, 0);
    json_int(&out, -1);
    json_int(&out, INT64_MAX);
    json_int(&out, INT64_MIN);
    json_close(&out, ']');
    assert_line("[0,-1,9223372036854775807,-9223372036854775808]");
}

static int
fresh(void **state)
{
    (void)state;
    sbuf_init(&out, 65536);
    return 0;
}

static int
done(void **state)
{
    (void)state;
    sbuf_fini(&out);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(errors_and_empty_results), TEST(words_are_never_empty_nor_json),
        TEST(connect_small_and_large), TEST(subscribe_small_and_large),
        TEST(refresh_history_presence), TEST(publications_in_every_form), TEST(other_pushes),
        TEST(a_full_buffer_fails_and_stays_in_bounds), TEST(numbers_as_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
