/* test_event - the codec of events: round trips, forgeries, every truncation
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

#include "shared/event.h"

static const uint8_t key[EVENT_KEY_SIZE] = "0123456789abcdef0123456789abcde";
static const uint8_t other_key[EVENT_KEY_SIZE] = "0123456789abcdef0123456789abcdE";

static const char *channels[] = { "dialog:1", "user:mtchat:Zo\xc3\xab" };
static struct event_operation operations[] = {
    { EVENT_JOIN, "dialog:1", "a+b@x", 0, NULL },
    { EVENT_LEAVE, "dialog:1", "", 0, NULL },
    { EVENT_GONE, "dialog:2", NULL, 0, NULL },
    { EVENT_CLOSE, "room:7:chat", NULL, 4404, "room deleted" },
};

static struct event
sample(void)
{
    return (struct event){
        .seq = 0x0102030405060708, .at_ms = 1700000000123, .kind = EVENT_ENTRY_NEW,
        .system = "mtchat", .n_channels = 2, .channels = channels, .n_operations = 4,
        .operations = operations, .except = "zed", .about = 42, .request = "req-1",
        .body = "{\"type\":\"x\"}", .body_len = 12,
    };
}

static void
assert_same_envelope(const struct event *a, const struct event *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_true(a->at_ms == b->at_ms && a->about == b->about);
    assert_string_equal(a->system, b->system);
    assert_string_equal(a->except, b->except);
    assert_string_equal(a->request, b->request);
    assert_int_equal(a->n_channels, b->n_channels);
    for (size_t i = 0; i < a->n_channels; i++)
        assert_string_equal(a->channels[i], b->channels[i]);
    assert_int_equal(a->n_operations, b->n_operations);
    for (size_t i = 0; i < a->n_operations; i++) {
        const struct event_operation *x = &a->operations[i], *y = &b->operations[i];

        assert_int_equal(x->verb, y->verb);
        assert_string_equal(x->channel, y->channel);
        assert_int_equal(x->code, y->code);
        assert_true(!x->user == !y->user && !x->reason == !y->reason);
        if (x->user)
            assert_string_equal(x->user, y->user);
        if (x->reason)
            assert_string_equal(x->reason, y->reason);
    }
}

static void
message_comes_back(void **state)
{
    struct arena *a = arena_new();
    struct event in = sample(), out;
    struct sbuf b;

    (void)state;
    sbuf_init(&b, 1 << 20);
    sbuf_puts(&b, "before");
    event_message_write(&b, &in, key);
    assert_false(b.failed);
    assert_int_equal(event_message_read(a, b.data + 6, b.len - 6, key, &out), ERR_OK);
    assert_same_envelope(&in, &out);
    assert_true(in.seq == out.seq);
    assert_int_equal(out.body_len, in.body_len);
    assert_memory_equal(out.body, in.body, in.body_len);
    sbuf_fini(&b);
    arena_free(a);
}

static void
envelope_alone_comes_back(void **state)
{
    struct arena *a = arena_new();
    struct event in = { .system = "mtchat", .kind = EVENT_READ }, out;
    struct sbuf b;

    (void)state;
    sbuf_init(&b, 1 << 20);
    event_envelope_write(&b, &in);
    assert_int_equal(event_envelope_read(a, b.data, b.len, &out), ERR_OK);
    assert_null(out.except);
    assert_null(out.request);
    assert_int_equal(out.n_channels + out.n_operations, 0);
    sbuf_fini(&b);
    arena_free(a);
}

static void
every_changed_byte_is_noticed(void **state)
{
    struct arena *a = arena_new();
    struct event in = sample(), out;
    struct sbuf b;

    (void)state;
    sbuf_init(&b, 1 << 20);
    event_message_write(&b, &in, key);
    assert_int_equal(event_message_read(a, b.data, b.len, other_key, &out), ERR_UNAUTHORIZED);
    for (size_t i = 0; i < b.len; i++) {
        b.data[i] ^= 1;
        assert_int_equal(event_message_read(a, b.data, b.len, key, &out),
                         i == 0 ? ERR_MALFORMED : ERR_UNAUTHORIZED);
        b.data[i] ^= 1;
    }
    for (size_t len = 0; len < b.len; len++)
        assert_int_not_equal(event_message_read(a, b.data, len, key, &out), ERR_OK);
    sbuf_fini(&b);
    arena_free(a);
}

static void
truncated_envelopes_are_refused(void **state)
{
    struct arena *a = arena_new();
    struct event in = sample(), out;
    struct sbuf b;

    (void)state;
    sbuf_init(&b, 1 << 20);
    event_envelope_write(&b, &in);
    for (size_t len = 0; len < b.len; len++) {
        /* an exact copy, so that a sanitizer sees a read past its end */
        char *copy = malloc(len ? len : 1);

        memcpy(copy, b.data, len);
        assert_int_equal(event_envelope_read(a, copy, len, &out), ERR_MALFORMED);
        free(copy);
    }
    sbuf_putc(&b, 0);
    assert_int_equal(event_envelope_read(a, b.data, b.len, &out), ERR_MALFORMED);
    sbuf_fini(&b);
    arena_free(a);
}

static void
huge_counts_allocate_nothing(void **state)
{
    static const unsigned char bytes[] = {
        EVENT_VERSION, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 1, 'm', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    };
    struct arena *a = arena_new();
    struct event out;

    (void)state;
    assert_int_equal(event_envelope_read(a, bytes, sizeof bytes, &out), ERR_MALFORMED);
    arena_free(a);
}

static void
refused(struct event_operation op)
{
    struct arena *a = arena_new();
    struct event in = { .system = "m", .n_operations = 1, .operations = &op }, out;
    struct sbuf b;

    sbuf_init(&b, 1 << 20);
    event_envelope_write(&b, &in);
    assert_int_equal(event_envelope_read(a, b.data, b.len, &out), ERR_MALFORMED);
    sbuf_fini(&b);
    arena_free(a);
}

static void
half_operations_are_refused(void **state)
{
    (void)state;
    refused((struct event_operation){ 0, "c", "u", 0, NULL });
    refused((struct event_operation){ (enum event_verb)5, "c", "u", 0, NULL });
    refused((struct event_operation){ EVENT_JOIN, "c", NULL, 0, NULL });
    refused((struct event_operation){ EVENT_LEAVE, "c", NULL, 0, NULL });
    refused((struct event_operation){ EVENT_GONE, NULL, NULL, 0, NULL });
    refused((struct event_operation){ EVENT_CLOSE, "c", NULL, 1000, NULL });
    refused((struct event_operation){ EVENT_CLOSE, "c", NULL, 999, "why" });
    refused((struct event_operation){ EVENT_CLOSE, "c", NULL, 5000, "why" });
}

static void
what_cannot_be_read_is_not_written(void **state)
{
    static char long_name[EVENT_CHANNEL_MAX + 2];
    const char *one = long_name;
    struct event e = { .system = "m", .n_channels = 1, .channels = &one };
    struct sbuf b;

    (void)state;
    memset(long_name, 'x', EVENT_CHANNEL_MAX + 1);
    sbuf_init(&b, 1 << 20);
    event_message_write(&b, &e, key);
    assert_true(b.failed);
    long_name[EVENT_CHANNEL_MAX] = '\0';
    sbuf_reset(&b);
    event_message_write(&b, &e, key);
    assert_false(b.failed);
    sbuf_fini(&b);
}

static void
longest_user_has_a_channel(void **state)
{
    struct arena *a = arena_new();
    char user[255 * 4 + 1];

    (void)state;
    for (int i = 0; i < 255; i++)
        memcpy(user + 4 * i, "\xf0\x9f\x98\x80", 4);
    user[255 * 4] = '\0';
    assert_true(strlen(channel_of_user(a, "conversations", user)) <= EVENT_CHANNEL_MAX);
    assert_string_equal(channel_of_user(a, "mtchat", "a:b"), "user:mtchat:a:b");
    assert_string_equal(channel_of(a, "dialog", "1"), "dialog:1");
    assert_string_equal(channel_of_system(a, "mtchat"), "system:mtchat");
    arena_free(a);
}

static void
kinds_know_whether_they_are_kept(void **state)
{
    (void)state;
    assert_true(event_kept(EVENT_ENTRY_NEW));
    assert_false(event_kept(EVENT_PRESENCE));
    assert_false(event_kept((enum event_kind)999));
    assert_string_equal(event_name(EVENT_READ), "READ");
    assert_string_equal(event_name((enum event_kind)999), "UNKNOWN");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_comes_back),
        cmocka_unit_test(envelope_alone_comes_back),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(truncated_envelopes_are_refused),
        cmocka_unit_test(huge_counts_allocate_nothing),
        cmocka_unit_test(half_operations_are_refused),
        cmocka_unit_test(what_cannot_be_read_is_not_written),
        cmocka_unit_test(longest_user_has_a_channel),
        cmocka_unit_test(kinds_know_whether_they_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
