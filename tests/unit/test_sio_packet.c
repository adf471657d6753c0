/* test_sio_packet - Engine.IO and Socket.IO packets as bytes
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

#include "relay/socketio/packet.h"

static struct arena *arena;

static int
set_up(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static bool
reads(const char *text, struct sio_packet *packet_r)
{
    const struct sio_bounds bounds = { .json_depth = 4, .attachments = 10 };

    return sio_packet_read(arena, text, strlen(text), &bounds, packet_r);
}

static void
engine_packets(void **state)
{
    struct packet p;

    (void)state;
    assert_true(packet_read(arena, "4hello", 6, &p));
    assert_int_equal(p.type, PACKET_MESSAGE);
    assert_memory_equal(p.data, "hello", 5);
    assert_int_equal(p.len, 5);
    assert_true(packet_read(arena, "3", 1, &p));
    assert_int_equal(p.len, 0);
    assert_false(packet_read(arena, "", 0, &p));
    assert_false(packet_read(arena, "7", 1, &p));
    assert_false(packet_read(arena, "abc", 3, &p));
    assert_true(packet_read(arena, "bAQIDBA==", 9, &p));
    assert_int_equal(p.type, PACKET_MESSAGE);
    assert_true(p.binary && p.len == 4 && memcmp(p.data, "\1\2\3\4", 4) == 0);
    assert_false(packet_read(arena, "b!", 2, &p));
}

static void
payloads_are_read(void **state)
{
    static const char text[] = "4hello\x1e" "2\x1e" "bAQIDBA==\x1e" "b\x1e" "4";
    struct packet_reader r = { .p = text, .end = text + sizeof text - 1 };
    struct packet p;

    (void)state;
    assert_true(packet_payload_good(arena, text, sizeof text - 1));
    assert_true(packet_next(arena, &r, &p));
    assert_memory_equal(p.data, "hello", 5);
    assert_true(packet_next(arena, &r, &p));
    assert_int_equal(p.type, PACKET_PING);
    assert_true(packet_next(arena, &r, &p));
    assert_true(p.binary);
    assert_int_equal(p.len, 4);
    assert_memory_equal(p.data, "\1\2\3\4", 4);
    assert_true(packet_next(arena, &r, &p));
    assert_true(p.binary);
    assert_int_equal(p.len, 0);
    assert_true(packet_next(arena, &r, &p));
    assert_int_equal(p.type, PACKET_MESSAGE);
    assert_false(packet_next(arena, &r, &p));
    assert_false(r.bad);
}

static void
payloads_are_refused(void **state)
{
    static const char *const bad[] = {
        "", "abc", "\x1e", "4a\x1e", "\x1e" "4a", "4a\x1e\x1e" "4b", "bAQ", "bAQIDBA", "b!", "4a\x1e" "x",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (packet_payload_good(arena, bad[i], strlen(bad[i])))
            fail_msg("taken: %s", bad[i]);
}

static void
payloads_are_written(void **state)
{
    static const char *const texts[] = { "bAA==", "bAAE=", "bAAEC", "b" };
    static const unsigned char bytes[] = { 0, 1, 2, 0xff };
    static const size_t lens[] = { 1, 2, 3, 0 };
    struct sbuf out;
    size_t size;

    (void)state;
    sbuf_init(&out, 1000);
    packet_put(&out, "4a", 2, false);
    size = packet_size(&out, 4, true);
    packet_put(&out, bytes, 4, true);
    assert_string_equal(sbuf_str(&out), "4a\x1e" "bAAEC/w==");
    assert_int_equal(out.len, 2 + size);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        sbuf_reset(&out);
        assert_int_equal(packet_size(&out, lens[i], true), strlen(texts[i]));
        packet_put(&out, bytes, lens[i], true);
        assert_string_equal(sbuf_str(&out), texts[i]);
    }
    sbuf_fini(&out);
}

static void
the_open_packet(void **state)
{
    struct packet_open o = { "abc", true, 300, 200, 1000000 };
    struct sbuf out;

    (void)state;
    sbuf_init(&out, 1000);
    packet_put_open(&out, &o);
    assert_string_equal(sbuf_str(&out),
                        "0{\"sid\":\"abc\",\"upgrades\":[\"websocket\"],\"pingInterval\":300,"
                        "\"pingTimeout\":200,\"maxPayload\":1000000}");
    o.can_upgrade = false;
    sbuf_reset(&out);
    packet_put_open(&out, &o);
    assert_non_null(strstr(sbuf_str(&out), "\"upgrades\":[],"));
    sbuf_fini(&out);
}

struct good {
    const char *text;
    enum sio_type type;
    const char *namespace;
    int64_t ack;
    unsigned attachments;
    const char *json, *name, *args;
};

static void
good_packets(void **state)
{
    static const struct good good[] = {
        { "0", SIO_CONNECT, "/", -1, 0, NULL, NULL, NULL },
        { "0{\"token\":\"abc\"}", SIO_CONNECT, "/", -1, 0, "{\"token\":\"abc\"}", NULL, NULL },
        { "0/custom", SIO_CONNECT, "/custom", -1, 0, NULL, NULL, NULL },
        { "0/custom,", SIO_CONNECT, "/custom", -1, 0, NULL, NULL, NULL },
        { "0/admin?x=1,{ }", SIO_CONNECT, "/admin", -1, 0, "{}", NULL, NULL },
        { "1", SIO_DISCONNECT, "/", -1, 0, NULL, NULL, NULL },
        { "1/eventchat,", SIO_DISCONNECT, "/eventchat", -1, 0, NULL, NULL, NULL },
        { "2[\"a\"]", SIO_EVENT, "/", -1, 0, "[\"a\"]", "a", "[]" },
        { "2[ \"a\" , 1.50, {\"b\": [ ] } ]", SIO_EVENT, "/", -1, 0, "[\"a\",1.50,{\"b\":[]}]", "a",
          "[1.50,{\"b\":[]}]" },
        { "2/eventchat,7[\"read_messages\",{}]", SIO_EVENT, "/eventchat", 7, 0,
          "[\"read_messages\",{}]", "read_messages", "[{}]" },
        { "2[12]", SIO_EVENT, "/", -1, 0, "[12]", "12", "[]" },
        { "29007199254740991[\"\\u0061\"]", SIO_EVENT, "/", 9007199254740991, 0, "[\"\\u0061\"]", "a", "[]" },
        { "3/eventchat,7[]", SIO_ACK, "/eventchat", 7, 0, "[]", NULL, NULL },
        { "51-[\"up\",{\"_placeholder\":true,\"num\":0}]", SIO_BINARY_EVENT, "/", -1, 1,
          "[\"up\",{\"_placeholder\":true,\"num\":0}]", "up", "[{\"_placeholder\":true,\"num\":0}]" },
        { "510-/a,3[\"up\"]", SIO_BINARY_EVENT, "/a", 3, 10, "[\"up\"]", "up", "[]" },
        { "61-/a,3[{\"_placeholder\":true,\"num\":0}]", SIO_BINARY_ACK, "/a", 3, 1,
          "[{\"_placeholder\":true,\"num\":0}]", NULL, NULL },
    };
    struct sio_packet p;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const struct good *g = &good[i];

        if (!reads(g->text, &p))
            fail_msg("refused: %s", g->text);
        assert_int_equal(p.type, g->type);
        assert_string_equal(p.namespace, g->namespace);
        assert_int_equal(p.ack, g->ack);
        assert_int_equal(p.attachments, g->attachments);
        assert_string_equal(p.json ? p.json : "", g->json ? g->json : "");
        assert_string_equal(p.name ? p.name : "", g->name ? g->name : "");
        assert_string_equal(p.args ? p.args : "", g->args ? g->args : "");
    }
}

static void
bad_packets(void **state)
{
    static const char *const bad[] = {
        "", "abc", "7", "8[]", "x",
        "0[]", "01{}", "0{", "0null", "0{}{}", "1{}", "1/a,{}",
        "2", "2{}", "2[]", "2abc[\"a\"]", "2[\"a\"", "2[\"a\"]x", "2[null]", "2[{}]", "2[[\"a\"]]", "2[true]",
        "2[\"connect\"]", "2[\"connect_error\"]", "2[\"disconnect\"]", "2[\"disconnecting\"]",
        "2[\"newListener\"]", "2[\"removeListener\"]", "2[\"\\u0063onnect\"]",
        "2[\"a\",[[[[]]]]]",                            /* deeper than the bound */
        "29007199254740992[\"a\"]", "2-1[\"a\"]", "2/a\x1e,[\"a\"]", "2/a\n,[\"a\"]",
        "3[]", "31", "31{}", "3/a,x[]",
        "4{\"message\":\"x\"}",
        "5[\"a\"]", "50-[\"a\"]", "5-[\"a\"]", "511-[\"a\"]", "51[\"a\"]", "599999999999999999999-[\"a\"]",
        "6[]", "61-[]", "60-1[]",
    };
    struct sio_packet p;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (reads(bad[i], &p))
            fail_msg("taken: %s", bad[i]);
}

static void
placeholders(void **state)
{
    static const struct {
        const char *json, *expected;
        unsigned n;
    } cases[] = {
        { "[]", "[]", 1 },
        { "[{\"_placeholder\":true,\"num\":0}]", "[null]", 1 },
        { "[{\"num\":1,\"_placeholder\":true,\"x\":{}},2]", "[null,2]", 2 },
        { "[{\"a\":[{\"_placeholder\":true,\"num\":0},\"}\\\"{\"],\"b\":{\"num\":7}}]",
          "[{\"a\":[null,\"}\\\"{\"],\"b\":{\"num\":7}}]", 1 },
        { "[{\"_placeholder\":false,\"num\":9}]", "[{\"_placeholder\":false,\"num\":9}]", 1 },
        { "[\"_placeholder\",true]", "[\"_placeholder\",true]", 1 },
        { "[{\"_placeholder\":true,\"num\":1}]", NULL, 1 },
        { "[{\"_placeholder\":true}]", NULL, 1 },
        { "[{\"_placeholder\":true,\"num\":-1}]", NULL, 1 },
        { "[{\"_placeholder\":true,\"num\":0.5}]", NULL, 1 },
        { "[{\"_placeholder\":true,\"num\":\"0\"}]", NULL, 1 },
        { "[{\"_placeholder\":true,\"num\":18446744073709551616}]", NULL, 1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *got = sio_placeholders_drop(arena, cases[i].json, cases[i].n);

        if (cases[i].expected)
            assert_string_equal(got, cases[i].expected);
        else
            assert_null(got);
    }
}

static void
packets_are_written(void **state)
{
    static const struct {
        struct sio_packet packet;
        const char *text;
    } cases[] = {
        { { SIO_CONNECT, 0, "/", SIO_NO_ACK, "{\"sid\":\"x\"}", NULL, NULL }, "40{\"sid\":\"x\"}" },
        { { SIO_CONNECT_ERROR, 0, "/random", SIO_NO_ACK, "{}", NULL, NULL }, "44/random,{}" },
        { { SIO_DISCONNECT, 0, "/a", SIO_NO_ACK, NULL, NULL, NULL }, "41/a," },
        { { SIO_DISCONNECT, 0, "/", SIO_NO_ACK, NULL, NULL, NULL }, "41" },
        { { SIO_ACK, 0, "/a", 0, "[]", NULL, NULL }, "43/a,0[]" },
        { { SIO_BINARY_ACK, 2, "/a", 3, "[]", NULL, NULL }, "462-/a,3[]" },
    };
    struct sbuf out;

    (void)state;
    sbuf_init(&out, 1000);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sbuf_reset(&out);
        sio_packet_put(&out, &cases[i].packet);
        assert_string_equal(sbuf_str(&out), cases[i].text);
    }
    sbuf_fini(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engine_packets),
        cmocka_unit_test(payloads_are_read),
        cmocka_unit_test(payloads_are_refused),
        cmocka_unit_test(payloads_are_written),
        cmocka_unit_test(the_open_packet),
        cmocka_unit_test(good_packets),
        cmocka_unit_test(bad_packets),
        cmocka_unit_test(placeholders),
        cmocka_unit_test(packets_are_written),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
