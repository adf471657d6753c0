/* test_push_settings - the compiled settings: channels and their names, origins, what does not go together
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
#include <unistd.h>

#include <cmocka.h>

#include "relay/push/settings.h"
#include "shared/log.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CURVE_KEY "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"

static char file[] = "/tmp/test_push_settings.XXXXXX";

static int
set_up(void **state)
{
    int fd;

    (void)state;
    log_setup("test_push_settings", LOG_LEVEL_ERROR, 0);
    if ((fd = mkstemp(file)) < 0)
        return -1;
    close(fd);
    clearenv();
    return setenv("CONFAB_CONFIG", file, 1);
}

static int
tear_down(void **state)
{
    (void)state;
    return unlink(file);
}

/* Compiles a file; ERR_OK or what settings say. */
static enum err
compile(const char *text, struct push_settings **s_r, struct fail *fail)
{
    struct arena *a = arena_new();
    const struct config *c;
    FILE *f = fopen(file, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    *fail = (struct fail){ 0 };
    if (config_load(a, &c, fail) != ERR_OK)
        fail_msg("%s", fail->why);
    return push_settings_new(a, c, s_r, fail);
}

static struct push_settings *
settings(const char *text)
{
    struct push_settings *s = NULL;
    struct fail fail;

    if (compile(text, &s, &fail) != ERR_OK)
        fail_msg("%s", fail.why);
    return s;
}

/* What holds for a channel: the namespace, "-" for a bad name, "?" for an unknown one. */
static const char *
section_of(const struct push_settings *s, const char *channel)
{
    const struct channel_options *o = NULL;

    switch (push_settings_channel(s, channel, &o)) {
    case CHANNEL_FINE:
        return o->name;
    case CHANNEL_BAD_NAME:
        return "-";
    default:
        return "?";
    }
}

static void
channels_find_their_section(void **state)
{
    static const struct { const char *channel, *section; } cases[] = {
        { "lobby", "" }, { "$lobby", "" }, { "#42", "" }, { "a#1,2", "" }, { "news:today", "news" },
        { "news:", "news" }, { "news:a:b", "news" }, { "$news:a", "news" }, { "news:$a", "news" },
        { "new:x", "?" }, { "newsx:x", "?" }, { "News:x", "?" }, { "ab:x", "ab" }, { "abc:x", "abc" },
        { ":x", "?" }, { "$:x", "?" }, { ":", "?" }, { "$$news:x", "?" }, { "", "-" },
        { "caf\xc3\xa9", "" }, { "\xff", "-" }, { "a\nb", "-" }, { "a\x7f", "-" }, { "a\xc2\x85" "b", "-" },
        { "a\xc2\xa0" "b", "" }, { "news:\x01", "-" },
    };
    struct push_settings *s = settings("[channels news]\n[channels abc]\n[channels ab]\n");
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++)
        if (strcmp(section_of(s, cases[i].channel), cases[i].section) != 0)
            fail_msg("%s is of %s", cases[i].channel, section_of(s, cases[i].channel));
    push_settings_unref(s);
}

static void
names_have_a_length(void **state)
{
    struct push_settings *s = settings("push_channel_max = 5\n[channels ab]\n");

    (void)state;
    assert_string_equal(section_of(s, "ab:cd"), "ab");
    assert_string_equal(section_of(s, "ab:cde"), "-");
    assert_string_equal(section_of(s, "abcde"), "");
    assert_string_equal(section_of(s, "abcdef"), "-");
    push_settings_unref(s);
}

static void
patterns_fit_whole_names(void **state)
{
    static const struct { const char *channel, *section; } cases[] = {
        { "n:5", "?" }, { "num:5", "num" }, { "num:55", "num" }, { "num:", "-" }, { "num:5x", "-" }, { "num:x5", "-" },
        { "$num:5", "num" }, { "num:$5", "-" }, { "alt:ab", "alt" }, { "alt:a", "alt" }, { "alt:abc", "-" },
        { "lobby", "-" }, { "x", "" },
    };
    struct push_settings *s = settings("[channels num]\npattern = [0-9]+\n[channels alt]\npattern = a|ab\n"
                                       "[channels]\npattern = x\n");
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++)
        if (strcmp(section_of(s, cases[i].channel), cases[i].section) != 0)
            fail_msg("%s is of %s", cases[i].channel, section_of(s, cases[i].channel));
    push_settings_unref(s);
}

static void
private_names_begin_with_a_dollar(void **state)
{
    (void)state;
    assert_true(channel_is_private("$a"));
    assert_true(channel_is_private("$ns:a"));
    assert_true(channel_is_private("ns:$a"));
    assert_false(channel_is_private("ns:a$"));
    assert_false(channel_is_private("ns:a:$"));
    assert_false(channel_is_private(""));
}

static void
listed_users_are_whole(void **state)
{
    (void)state;
    assert_true(channel_lists_user("dialog#42,43", "42"));
    assert_true(channel_lists_user("dialog#42,43", "43"));
    assert_true(channel_lists_user("ns:d#42", "42"));
    assert_false(channel_lists_user("dialog#42,43", "4"));
    assert_false(channel_lists_user("dialog#42,43", "42,43"));
    assert_false(channel_lists_user("dialog#42,43", "2,4"));
    assert_false(channel_lists_user("dialog#42,43", ""));
    assert_false(channel_lists_user("dialog#", ""));
    assert_false(channel_lists_user("dialog", "dialog"));
    assert_false(channel_lists_user("dialog#42,", "42"));
    assert_false(channel_lists_user("dialog#42,,43", "42"));
    assert_false(channel_lists_user("dialog#,42", "42"));
    assert_false(channel_lists_user("dialog#1#42", "42"));
    assert_false(channel_lists_user("dialog#1#42", "1#42"));
}

static void
origins_are_compared_whole(void **state)
{
    static const struct { const char *origin; bool may; } cases[] = {
        { NULL, true }, { "https://a.example", true }, { "HTTPS://A.example:443", true }, { "http://a.example", false },
        { "https://a.example:444", false }, { "https://a.example.evil.example", false },
        { "https://xa.example", false }, { "https://a.exampl", false }, { "null", false }, { "", false },
        { "http://b.example:80", false }, { "http://b.example:8080", true }, { "http://b.example", false },
        { "https://a.example/", false }, { "https://a.example:443x", false }, { "https://a.example:", false },
        { "https://user@a.example", false }, { "https://a.example#", false }, { "a.example", false },
        { "http://[::1]:3000", true }, { "http://[::1]", false }, { "http://host.of.request", false },
        { "https://a.example:65979", false }, { "app://local", true }, { "app://local:1", false },
    };
    struct push_settings *s = settings("push_allowed_origins = https://a.example , http://B.example:8080,"
                                       "http://[::1]:3000,,app://local\n");
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++)
        if (push_settings_origin(s, cases[i].origin, "host.of.request", false) != cases[i].may)
            fail_msg("%s", cases[i].origin);
    push_settings_unref(s);
}

static void
the_own_host_is_the_default(void **state)
{
    struct push_settings *s = settings("");

    (void)state;
    assert_true(push_settings_origin(s, "http://a.example", "a.example", false));
    assert_true(push_settings_origin(s, "https://a.example", "A.Example", false));
    assert_true(push_settings_origin(s, "https://a.example", "a.example:443", true));
    assert_false(push_settings_origin(s, "http://a.example", "a.example", true));
    assert_true(push_settings_origin(s, "http://a.example:8000", "a.example:8000", false));
    assert_false(push_settings_origin(s, "http://a.example:8000", "a.example", false));
    assert_false(push_settings_origin(s, "http://a.example", "a.example:8000", false));
    assert_false(push_settings_origin(s, "http://a.example", "b.example", false));
    assert_false(push_settings_origin(s, "http://a.example", "a.example, a.example", false));
    assert_false(push_settings_origin(s, "http://a.example", "", false));
    assert_false(push_settings_origin(s, "app://a.example", "a.example", false));
    assert_false(push_settings_origin(s, "ftp://a.example:80", "a.example:80", false));
    assert_false(push_settings_origin(s, "http://a.example", NULL, false));
    assert_false(push_settings_origin(s, "null", "null", false));
    assert_true(push_settings_origin(s, NULL, NULL, false));
    push_settings_unref(s);
    s = settings("push_allowed_origins = *\n");
    assert_true(push_settings_origin(s, "http://anything.example", "a.example", false));
    assert_true(push_settings_origin(s, "file://", "a.example", false));
    assert_false(push_settings_origin(s, "null", "a.example", false));
    push_settings_unref(s);
}

static void
what_does_not_go_together_is_refused(void **state)
{
    static const struct { const char *text, *why; } cases[] = {
        { "push_pong_s = 25", "push_pong_s must be less" },
        { "[channels ab]\nrecovery = allowed", "[channels ab] recovery: needs history_size" },
        { "[channels]\npositioning = always", "[channels] positioning: needs history_size" },
        { "[channels ab]\ndelta = 1", "delta: needs history_size" },
        { "[channels ab]\nhistory = anyone", "history: needs history_size" },
        { "[channels ab]\ndurable = 1", "durable: needs history_size" },
        { "[channels ab]\ndurable = 1\nhistory_size = 1", "durable: needs the setting push_history" },
        { "[channels ab]\nhistory_meta_ttl_s = 299", "history_meta_ttl_s" },
        { "[channels ab]\nrecovery_mode = cache", "cache needs recovery" },
        { "[channels ab]\nslow = recover", "recover needs recovery" },
        { "[channels ab]\nslow = latest\nhistory_size = 1\nrecovery = always", "latest leaves holes" },
        { "[channels ab]\npresence_for = anyone", "presence_for: needs presence" },
        { "[channels ab]\nhooks = 1", "hooks: needs the setting push_hook_url" },
        { "[channels ab]\npattern = (", "[channels ab] pattern: " },
        { "push_hook_url = ftp://x", "http:// or https://" },
        { "push_callback_url = x", "push_callback_url must begin with http:// or https://" },
        { "push_rpc = 1", "push_rpc needs push_callback_url" },
        { "[channels ab]\nauthorize = 1", "authorize: needs the setting push_callback_url" },
        { "push_allowed_origins = a.example", "a.example is not SCHEME" },
        { "push_allowed_origins = https://a.example/x", "is not SCHEME" },
        { "push_allowed_origins = null", "null is not SCHEME" },
        { "push_token_public_key = /nonexistent", "/nonexistent" },
        { "push_publish_pull = inproc://x", "ipc:///PATH or tcp://HOST:PORT" },
        { "push_publish_pull = ipc://", "ipc:///PATH" }, { "push_publish_pull = ipc://x/y", "ipc:///PATH" },
        { "push_publish_pull = tcp://localhost:5000", "tcp beyond loopback" },
        { "push_publish_pull = tcp://10.0.0.1:5000", "tcp beyond loopback" },
        { "push_publish_pull = tcp://127.0.0.1.2:5000", "tcp beyond loopback" },
        { "push_publish_pull = tcp://[fe80::1]:5000", "tcp beyond loopback" },
        { "push_publish_pull = tcp://127.0.0.1", "ipc:///PATH or tcp://HOST:PORT" },
        { "push_publish_pull = tcp://0.0.0.0:5000", "push_publish_pull: tcp beyond loopback" },
        { "push_publish_router = tcp://*:5000", "push_publish_router: tcp beyond loopback" },
        { "push_publish_router = tcp://127.evil.example:5000", "tcp beyond loopback" },
        { "push_publish_pull = tcp://*:5000\npush_curve_secret_key = " CURVE_KEY, "push_curve_clients" },
        { "push_curve_secret_key = short", "40 characters" },
        { "push_curve_clients = " CURVE_KEY " short", "40 characters" },
        { "push_publish_pull = ipc:///x\npush_publish_router = ipc:///x", "same endpoint" },
    };
    struct push_settings *s = NULL;
    struct fail fail;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++) {
        if (compile(cases[i].text, &s, &fail) != ERR_FIELD)
            fail_msg("taken: %s", cases[i].text);
        if (strstr(fail.why, cases[i].why) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", fail.why, cases[i].why);
    }
}

static void
what_goes_together_is_taken(void **state)
{
    static const char *const cases[] = {
        "push_publish_pull = tcp://127.0.0.1:5000\npush_publish_router = ipc:///run/x",
        "push_publish_pull = tcp://[::1]:*\npush_publish_router = tcp://127.1.2.3:5001",
        "push_publish_pull = tcp://*:5000\npush_curve_secret_key = " CURVE_KEY "\npush_curve_clients = " CURVE_KEY "\t" CURVE_KEY,
        "push_history = /tmp/x\n[channels ab]\nhistory_size = 1\ndurable = 1\nrecovery = always\ndelta = 1\nslow = recover",
        "[channels ab]\nhistory_size = 1\nrecovery = always\nrecovery_mode = cache\nslow = latest",
        "push_hook_url = https://x\n[channels ab]\nhooks = 1\npresence = 1\npresence_for = subscriber",
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++)
        push_settings_unref(settings(cases[i]));
}

static void
pictures_are_counted(void **state)
{
    struct push_settings *s = settings("push_channel_max = 77\n");

    (void)state;
    assert_ptr_equal(push_settings_ref(s), s);
    push_settings_unref(s);
    assert_int_equal(push_settings_config(s)->push_channel_max, 77);
    assert_true(token_keys_empty(push_settings_keys(s)));
    push_settings_unref(s);
    push_settings_unref(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channels_find_their_section),
        cmocka_unit_test(names_have_a_length),
        cmocka_unit_test(patterns_fit_whole_names),
        cmocka_unit_test(private_names_begin_with_a_dollar),
        cmocka_unit_test(listed_users_are_whole),
        cmocka_unit_test(origins_are_compared_whole),
        cmocka_unit_test(the_own_host_is_the_default),
        cmocka_unit_test(what_does_not_go_together_is_refused),
        cmocka_unit_test(what_goes_together_is_taken),
        cmocka_unit_test(pictures_are_counted),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
