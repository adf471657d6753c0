/* test_token - tokens made elsewhere, tokens made here, and every way to be wrong
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "shared/token.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOW_S 1700000000
#define HS256 "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"

static const char *const secrets[] = { "first", "second", NULL };
static const struct token_rules usual = { .secrets = secrets, .user_claim = "sub",
                                          .check_times = true, .leeway_s = 60 };

static void
put_part(struct sbuf *out, const void *p, size_t len)
{
    char text[16000];

    sbuf_puts(out, sodium_bin2base64(text, sizeof(text), p, len,
                                     sodium_base64_VARIANT_URLSAFE_NO_PADDING));
}

/* A token of any header and claims, signed with secret. */
static void
put_token(struct sbuf *out, const char *header, const char *claims, const char *secret)
{
    crypto_auth_hmacsha256_state st;
    unsigned char mac[32];

    put_part(out, header, strlen(header));
    sbuf_putc(out, '.');
    put_part(out, claims, strlen(claims));
    crypto_auth_hmacsha256_init(&st, (const unsigned char *)secret, strlen(secret));
    crypto_auth_hmacsha256_update(&st, (const unsigned char *)out->data, out->len);
    crypto_auth_hmacsha256_final(&st, mac);
    sbuf_putc(out, '.');
    put_part(out, mac, sizeof(mac));
}

static enum err
verify_with(struct arena *a, const struct token_rules *rules, const char *header,
            const char *claims, struct token *t)
{
    struct sbuf b;
    enum err e;

    sbuf_init(&b, 65536);
    put_token(&b, header, claims, "second");
    e = token_verify(a, sbuf_str(&b), rules, (int64_t)NOW_S * 1000, t);
    sbuf_fini(&b);
    return e;
}

static void
a_foreign_token_is_read(void **state)
{
    /* {"alg":"HS256"}.{"sub":"u"} under "k", made with openssl */
    static const char text[] = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1In0.gj43NvXuHsNvh-y77Iju50bTzcQ9fuOkwbvFZ4Y9SXg";
    static const char *const key[] = { "k", NULL };
    const struct token_rules rules = { .secrets = key, .user_claim = "sub" };
    struct arena *a = arena_new();
    struct token t;

    (void)state;
    assert_int_equal(token_verify(a, text, &rules, 0, &t), ERR_OK);
    assert_string_equal(t.user, "u");
    arena_free(a);
}

static void
users_come_from_the_claim(void **state)
{
    static const struct { const char *claims, *user; } cases[] = {
        { "{\"sub\":\"ann\"}", "ann" }, { "{\"sub\":42}", "42" }, { "{\"sub\":-1e2}", "-100" },
        { "{\"sub\":\" \\u0436 \"}", " \xd0\xb6 " },
        { "{\"sub\":\"\"}", NULL }, { "{}", NULL }, { "{\"sub\":null}", NULL }, { "{\"sub\":true}", NULL },
        { "{\"sub\":[\"a\"]}", NULL }, { "{\"sub\":{}}", NULL }, { "{\"sub\":1.5}", NULL },
        { "{\"sub\":1e30}", NULL }, { "{\"sub\":\"a\\u0000\"}", NULL },
        { "{\"sub\":\"a\",\"sub\":\"b\"}", NULL }, { "[]", NULL }, { "\"a\"", NULL }, { "{", NULL },
    };
    struct arena *a = arena_new();
    struct token t;
    enum err e;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++) {
        e = verify_with(a, &usual, HS256, cases[i].claims, &t);
        if (e != (cases[i].user != NULL ? ERR_OK : ERR_UNAUTHORIZED))
            fail_msg("%s", cases[i].claims);
        if (e == ERR_OK)
            assert_string_equal(t.user, cases[i].user);
    }
    arena_free(a);
}

static void
only_hs256_headers_pass(void **state)
{
    static const char *const bad[] = {
        "{}", "{\"alg\":\"none\"}", "{\"alg\":\"hs256\"}", "{\"alg\":\"HS512\"}", "{\"alg\":\"RS256\"}",
        "{\"alg\":null}", "{\"alg\":[\"HS256\"]}", "{\"alg\":\"HS256\\u0000\"}", "[]", "x",
        "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", "{\"alg\":\"HS256\",\"crit\":null}",
        "{\"alg\":\"none\",\"alg\":\"HS256\"}",
    };
    struct arena *a = arena_new();
    struct token t;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(bad); i++)
        if (verify_with(a, &usual, bad[i], "{\"sub\":\"u\"}", &t) != ERR_UNAUTHORIZED)
            fail_msg("%s", bad[i]);
    assert_int_equal(verify_with(a, &usual, "{\"kid\":\"x\",\"alg\":\"HS256\"}", "{\"sub\":\"u\"}", &t),
                     ERR_OK);
    arena_free(a);
}

static void
times_count_with_leeway(void **state)
{
    static const struct { const char *claims; bool good; int64_t expires_ms; } cases[] = {
        { "{\"sub\":\"u\"}", true, 0 },
        { "{\"sub\":\"u\",\"exp\":1700000001}", true, 1700000061000 },
        { "{\"sub\":\"u\",\"exp\":1699999941}", true, 1700000001000 },
        { "{\"sub\":\"u\",\"exp\":1699999940}", false, 0 },
        { "{\"sub\":\"u\",\"exp\":1700000000.5}", true, 1700000060500 },
        { "{\"sub\":\"u\",\"exp\":1e300}", true, 253402300799000 },
        { "{\"sub\":\"u\",\"exp\":-1e300}", false, 0 }, { "{\"sub\":\"u\",\"exp\":0}", false, 0 },
        { "{\"sub\":\"u\",\"exp\":\"1800000000\"}", false, 0 }, { "{\"sub\":\"u\",\"exp\":null}", false, 0 },
        { "{\"sub\":\"u\",\"nbf\":1700000060}", true, 0 }, { "{\"sub\":\"u\",\"nbf\":1700000061}", false, 0 },
        { "{\"sub\":\"u\",\"nbf\":true}", false, 0 },
    };
    struct token_rules unchecked = usual;
    struct arena *a = arena_new();
    struct token t;
    size_t i;
    enum err e;

    (void)state;
    unchecked.check_times = false;
    for (i = 0; i < COUNT(cases); i++) {
        e = verify_with(a, &usual, HS256, cases[i].claims, &t);
        if (e != (cases[i].good ? ERR_OK : ERR_UNAUTHORIZED))
            fail_msg("%s", cases[i].claims);
        if (e == ERR_OK)
            assert_int_equal(t.expires_ms, cases[i].expires_ms);
        assert_int_equal(verify_with(a, &unchecked, HS256, cases[i].claims, &t), ERR_OK);
        assert_int_equal(t.expires_ms, 0);
    }
    arena_free(a);
}

static void
audiences_are_kept_apart(void **state)
{
    static const struct { const char *wanted, *claims; bool good; } cases[] = {
        { NULL, "{\"sub\":\"u\",\"aud\":\"x\"}", true }, { NULL, "{\"sub\":\"u\",\"aud\":5}", true },
        { NULL, "{\"sub\":\"u\",\"aud\":\"confab:rooms\"}", false },
        { NULL, "{\"sub\":\"u\",\"aud\":[\"x\",\"confab:\"]}", false },
        { "app", "{\"sub\":\"u\"}", false }, { "app", "{\"sub\":\"u\",\"aud\":\"other\"}", false },
        { "app", "{\"sub\":\"u\",\"aud\":\"app\"}", true },
        { "app", "{\"sub\":\"u\",\"aud\":[1,\"x\",\"app\"]}", true },
        { "app", "{\"sub\":\"u\",\"aud\":[]}", false },
        { "app", "{\"sub\":\"u\",\"aud\":[\"app\",\"confab:rooms\"]}", false },
        { "confab:rooms", "{\"sub\":\"u\",\"aud\":\"confab:rooms\"}", true },
        { "confab:rooms", "{\"sub\":\"u\",\"aud\":\"confab:other\"}", false },
    };
    struct token_rules rules = usual;
    struct arena *a = arena_new();
    struct token t;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++) {
        rules.audience = cases[i].wanted;
        if (verify_with(a, &rules, HS256, cases[i].claims, &t) !=
            (cases[i].good ? ERR_OK : ERR_UNAUTHORIZED))
            fail_msg("%s", cases[i].claims);
    }
    arena_free(a);
}

static void
every_damage_is_noticed(void **state)
{
    static const char *const malformed[] = { "", ".", "..", "...", "a.b", "a.b.c", "e30.e30.",
                                             "Bearer x" };
    struct arena *a = arena_new();
    struct token t;
    struct sbuf b;
    char *text;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(malformed); i++)
        assert_int_equal(token_verify(a, malformed[i], &usual, 0, &t), ERR_UNAUTHORIZED);
    sbuf_init(&b, 65536);
    token_mint(&b, "first", "sub", "ann", NOW_S, 0, NULL);
    assert_int_equal(token_verify(a, sbuf_str(&b), &usual, 0, &t), ERR_OK);
    for (i = 0; i < b.len; i++) {
        text = arena_copy(a, b.data, b.len);
        text[i] = text[i] == 'A' ? 'B' : 'A';
        assert_int_equal(token_verify(a, text, &usual, 0, &t), ERR_UNAUTHORIZED);
        text[i] = '\0';
        assert_int_equal(token_verify(a, text, &usual, 0, &t), ERR_UNAUTHORIZED);
    }
    assert_int_equal(token_verify(a, arena_printf(a, "%s=", b.data), &usual, 0, &t), ERR_UNAUTHORIZED);
    assert_int_equal(token_verify(a, arena_printf(a, "%s.e30", b.data), &usual, 0, &t),
                     ERR_UNAUTHORIZED);
    text = arena_alloc(a, TOKEN_MAX + 2);
    memset(text, 'a', TOKEN_MAX + 1);
    assert_int_equal(token_verify(a, text, &usual, 0, &t), ERR_UNAUTHORIZED);
    sbuf_fini(&b);
    arena_free(a);
}

static void
minted_tokens_verify(void **state)
{
    static const char *const other[] = { "third", NULL };
    static const char *const none[] = { NULL };
    struct token_rules rules = usual;
    struct arena *a = arena_new();
    struct token t;
    struct sbuf b;

    (void)state;
    rules.user_claim = "user";
    rules.audience = "confab:rooms";
    sbuf_init(&b, 65536);
    token_mint(&b, "second", "user", "Zo\xc3\xab \"q\"", NOW_S, NOW_S + 10, "confab:rooms");
    assert_int_equal(token_verify(a, sbuf_str(&b), &rules, (int64_t)NOW_S * 1000, &t), ERR_OK);
    assert_string_equal(t.user, "Zo\xc3\xab \"q\"");
    assert_int_equal(t.expires_ms, (NOW_S + 70) * INT64_C(1000));
    assert_int_equal(token_verify(a, sbuf_str(&b), &usual, (int64_t)NOW_S * 1000, &t), ERR_UNAUTHORIZED);
    rules.secrets = other;
    assert_int_equal(token_verify(a, sbuf_str(&b), &rules, (int64_t)NOW_S * 1000, &t), ERR_UNAUTHORIZED);
    rules.secrets = none;
    assert_int_equal(token_verify(a, sbuf_str(&b), &rules, (int64_t)NOW_S * 1000, &t), ERR_UNAUTHORIZED);
    sbuf_fini(&b);
    sbuf_init(&b, 20);
    token_mint(&b, "second", "user", "u", NOW_S, 0, NULL);
    assert_true(b.failed);
    sbuf_fini(&b);
    arena_free(a);
}

static void
secrets_and_schemes_are_compared(void **state)
{
    (void)state;
    assert_true(token_secret_equal("", ""));
    assert_true(token_secret_equal("abc", "abc"));
    assert_false(token_secret_equal("abc", "abd"));
    assert_false(token_secret_equal("abc", "abcd"));
    assert_null(token_of_scheme(NULL, "Bearer"));
    assert_null(token_of_scheme("", "Bearer"));
    assert_null(token_of_scheme("Bearer", "Bearer"));
    assert_null(token_of_scheme("Bearer  ", "Bearer"));
    assert_null(token_of_scheme("Bearerx y", "Bearer"));
    assert_null(token_of_scheme("Basic x", "Bearer"));
    assert_string_equal(token_of_scheme("bEARER  x y", "Bearer"), "x y");
}

static void
an_end_may_be_required(void **state)
{
    struct token_rules rules = usual;
    struct arena *a = arena_new();
    struct token t;

    (void)state;
    rules.require_expiry = true;
    assert_int_equal(verify_with(a, &rules, HS256, "{\"sub\":\"u\"}", &t), ERR_UNAUTHORIZED);
    assert_int_equal(verify_with(a, &rules, HS256, "{\"sub\":\"u\",\"exp\":1700000001}", &t), ERR_OK);
    assert_int_equal(verify_with(a, &rules, HS256, "{\"sub\":\"u\",\"exp\":1600000000}", &t), ERR_UNAUTHORIZED);
    arena_free(a);
}

/* Users of conversations and of event chats. */
static void
integer_users_and_what_they_are_shown_as(void **state)
{
    static const struct token_rules rules = {
        .secrets = secrets, .user_claim = "sub", .second_claim = "user_id", .integer_user = true,
        .profile = true, .picture_claim = "avatar", .picture_url = true, .check_times = true,
    };
    static const struct { const char *claims, *user, *name, *picture; } cases[] = {
        { "{\"sub\":7}", "7", NULL, NULL },
        { "{\"sub\":\"9007199254740991\"}", "9007199254740991", NULL, NULL },
        { "{\"user_id\":\"7\"}", "7", NULL, NULL },
        { "{\"sub\":7,\"user_id\":8}", "7", NULL, NULL },
        { "{\"sub\":7,\"name\":\"\\u0436\",\"avatar\":\"\"}", "7", "\xd0\xb6", "" },
        { "{\"sub\":7,\"name\":null,\"avatar\":\"HTTPS://x/y?z\"}", "7", NULL, "HTTPS://x/y?z" },
    };
    static const char *const bad[] = {
        "{}", "{\"sub\":0}", "{\"sub\":-7}", "{\"sub\":\"07\"}", "{\"sub\":\"7x\"}", "{\"sub\":\"+7\"}",
        "{\"sub\":\"9007199254740992\"}", "{\"sub\":\"99999999999999999999\"}", "{\"sub\":7.5}",
        "{\"sub\":null,\"user_id\":7}", "{\"sub\":7,\"name\":\"\"}", "{\"sub\":7,\"name\":7}",
        "{\"sub\":7,\"name\":\"a\\u0000\"}", "{\"sub\":7,\"avatar\":[]}", "{\"sub\":7,\"avatar\":\"//x\"}",
        "{\"sub\":7,\"avatar\":\"http:///x\"}", "{\"sub\":7,\"avatar\":\"ftp://x\"}",
        "{\"sub\":7,\"avatar\":\"http://x y\"}", "{\"sub\":7,\"avatar\":\"http://x\\\"\"}",
    };
    struct arena *a = arena_new();
    struct token t;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(verify_with(a, &rules, HS256, cases[i].claims, &t), ERR_OK);
        assert_string_equal(t.user, cases[i].user);
        assert_string_equal(t.name ? t.name : "(none)", cases[i].name ? cases[i].name : "(none)");
        assert_string_equal(t.picture ? t.picture : "(none)", cases[i].picture ? cases[i].picture : "(none)");
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(verify_with(a, &rules, HS256, bad[i], &t), ERR_UNAUTHORIZED);
    arena_free(a);
}

static void
names_and_pictures_have_lengths(void **state)
{
    char text[TOKEN_PICTURE_MAX + 2];

    (void)state;
    memset(text, 'a', sizeof(text));
    text[TOKEN_PICTURE_MAX + 1] = '\0';
    assert_false(token_picture_fits(text, false));
    text[TOKEN_PICTURE_MAX] = '\0';
    assert_true(token_picture_fits(text, false));
    assert_false(token_picture_fits(text, true));
    text[TOKEN_NAME_MAX + 1] = '\0';
    assert_false(token_name_fits(text));
    text[TOKEN_NAME_MAX] = '\0';
    assert_true(token_name_fits(text));
    assert_false(token_name_fits(""));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_foreign_token_is_read),
        cmocka_unit_test(users_come_from_the_claim),
        cmocka_unit_test(integer_users_and_what_they_are_shown_as),
        cmocka_unit_test(names_and_pictures_have_lengths),
        cmocka_unit_test(only_hs256_headers_pass),
        cmocka_unit_test(times_count_with_leeway),
        cmocka_unit_test(an_end_may_be_required),
        cmocka_unit_test(audiences_are_kept_apart),
        cmocka_unit_test(every_damage_is_noticed),
        cmocka_unit_test(minted_tokens_verify),
        cmocka_unit_test(secrets_and_schemes_are_compared),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
