/* test_vk - launch parameters that VK signed
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/vk.h"

/* Two examples that VK published. */
#define KEY "wvl68m4dR1UpLrVRli"
#define PARAMS                                                                                      \
    "vk_user_id=494075&vk_app_id=6736218&vk_is_app_user=1&vk_are_notifications_enabled=1"           \
    "&vk_language=ru&vk_access_token_settings=&vk_platform=android"
#define SIGN "&sign=htQFduJpLxz7ribXRZpDFUH-XEUhC9rBPTJkjUFEkRA"
#define OTHER_KEY "rkwdOT04kUh28RDEC9zr"
#define OTHER                                                                                       \
    "vk_access_token_settings=friends%2Cgroups&vk_app_id=6825462&vk_are_notifications_enabled=0"    \
    "&vk_is_app_user=1&vk_language=ru&vk_platform=desktop_web&vk_user_id=19039187"                  \
    "&sign=vBBPIysvzccFUn_e55JCGxZBnmxpXeh92XpiAY9gcv8"

static const struct vk_rules plain = { .secret = KEY };

static int
set_up(void **state)
{
    *state = arena_new();
    return 0;
}

static int
tear_down(void **state)
{
    arena_free(*state);
    return 0;
}

static const char *
user_of(struct arena *a, const char *text, const struct vk_rules *rules)
{
    const char *user = NULL;

    return vk_verify(a, text, rules, 1700000000000, &user) == ERR_OK ? user : NULL;
}

static void
the_published_examples_fit(void **state)
{
    const struct vk_rules other = { .secret = OTHER_KEY, .app_id = "6825462" };

    assert_string_equal(user_of(*state, PARAMS SIGN, &plain), "494075");
    assert_string_equal(user_of(*state, "?" PARAMS SIGN, &plain), "494075");
    assert_string_equal(user_of(*state, OTHER, &other), "19039187");
    assert_null(user_of(*state, OTHER, &plain));
}

static void
what_has_no_prefix_is_not_signed(void **state)
{
    assert_string_equal(user_of(*state, "ref=x&" PARAMS SIGN "&odd&&=", &plain), "494075");
}

static void
everything_wrong_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "?", "sign=", PARAMS, SIGN, PARAMS "&sign=", PARAMS SIGN "=", PARAMS SIGN "A",
        PARAMS "&sign=htQFduJpLxz7ribXRZpDFUH-XEUhC9rBPTJkjUFEkRB",    /* stray bits */
        PARAMS "&sign=htQFduJpLxz7ribXRZpDFUH+XEUhC9rBPTJkjUFEkRA",
        PARAMS "&vk_sign=htQFduJpLxz7ribXRZpDFUH-XEUhC9rBPTJkjUFEkRA",
        PARAMS "&vk_user_id=1" SIGN, "vk_user_id=1&" PARAMS SIGN, PARAMS SIGN SIGN,
        PARAMS "&vk%5Fuser_id=1" SIGN, PARAMS "&vk_x=1" SIGN, PARAMS "&a=1&a=1" SIGN,
        PARAMS "&a=%" SIGN, PARAMS "&a=%00" SIGN, PARAMS "&a=%ff" SIGN,
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_null(user_of(*state, bad[i], &plain));
    assert_null(user_of(*state, PARAMS SIGN, &(struct vk_rules){ .secret = NULL }));
    assert_null(user_of(*state, PARAMS SIGN, &(struct vk_rules){ .secret = KEY, .app_id = "6736219" }));
    assert_null(user_of(*state, PARAMS SIGN, &(struct vk_rules){ .secret = KEY, .ttl_s = 86400 }));
}

static void
too_much_is_not_read(void **state)
{
    char *text = malloc(VK_MAX + 2), many[600] = "";

    memset(text, 'a', VK_MAX + 1);
    text[VK_MAX + 1] = '\0';
    assert_null(user_of(*state, text, &plain));
    free(text);
    for (int i = 0; i < 110; i++)
        strcat(many, (char[]){ (char)('a' + i % 26), (char)('a' + i / 26), '=', '&', '\0' });
    assert_null(user_of(*state, arena_printf(*state, "%s" PARAMS SIGN, many), &plain));
}

/* Signed with the key "secret" by another program. */
#define AT_1700000000 \
    "vk_ts=1700000000&vk_user_id=7&sign=tLw-lHoPzi7auXUjD4SaHFev_krw8LvmlWIygj1puzk"

static void
parameters_have_their_time(void **state)
{
    static const struct {
        int64_t now_s, ttl_s;
        bool good;
    } cases[] = {
        { 1700000000, 86400, true }, { 1700086400, 86400, true }, { 1700086401, 86400, false },
        { 1699999700, 86400, true }, { 1699999699, 86400, false }, { 1900000000, 0, true },
        { 1, 0, true },
    };
    const char *user;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct vk_rules rules = { .secret = "secret", .ttl_s = cases[i].ttl_s };

        assert_int_equal(vk_verify(*state, AT_1700000000, &rules, cases[i].now_s * 1000, &user) == ERR_OK,
                         cases[i].good);
    }
}

static void
times_are_integers(void **state)
{
    static const char *const bad[] = {
        "vk_ts=0&vk_user_id=7&sign=aR9fJcQYGT8uOOXp5MdU49n3dk4vJsbI7lV4SZ-XBDo",
        "vk_ts=-5&vk_user_id=7&sign=65Zi---fRADP-0pviFQDqUtXovo7t8HQ1nYGsqiYkfw",
        "vk_ts=1.7e9&vk_user_id=7&sign=47IJU5J7b6FpjgDbLHiheTx2y0ySQA3iQckSSAJYOzk",
    };
    const struct vk_rules rules = { .secret = "secret", .ttl_s = 2000000000 };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_null(user_of(*state, bad[i], &rules));
}

static void
users_are_integers(void **state)
{
    static const char *const bad[] = {
        "vk_user_id=0&sign=siVpiL2sBJVwZCWx4Gp3Cq5WbctaTwjbmOMKoArcx1c",
        "vk_user_id=-1&sign=k824cWltwnUHE_0SQ4GzJIpb_p30YAHB4dqFBXlehOI",
        "vk_user_id=07&sign=gOYlDXjltnh9bv_wDEjY2UzKaMCyyjTjKNKq_Hxo30o",
        "vk_user_id=&sign=HKVGIht8oyPnvTcKpgTKgPgYTyzDwJDTsqtLro9EONM",
        "vk_app_id=1&sign=Fk0LUxNQ1IVgOhYJbzJwAW5yHt7LsbIIbIU4c0WftAk",
        "vk_user_id=9007199254740992&sign=OuCKF8ij9HN0_PYtg9gGWs5A_vN0qTvcso2qy_uRweU",
    };
    const struct vk_rules rules = { .secret = "secret" };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_null(user_of(*state, bad[i], &rules));
    assert_string_equal(user_of(*state,
        "vk_user_id=9007199254740991&sign=5VdmeI7jux-YThYYbS_gAM4as_NNhMMR0UNt1OYe2oU", &rules),
        "9007199254740991");
}

/* The message has them as encodeURIComponent writes them, however they came. */
static void
values_are_encoded_anew(void **state)
{
    const struct vk_rules rules = { .secret = "secret" };
    const char *sign = "_Dcj3SRe_fIwCzUi_jVC1IwYNE_EF2Jru-MGZLfNSJk";

    assert_non_null(user_of(*state, arena_printf(*state, "vk_a=%%D0%%B6%%20%%21&vk_user_id=7&sign=%s", sign), &rules));
    assert_non_null(user_of(*state, arena_printf(*state, "vk_user_id=7&vk_a=%%d0%%b6+!&sign=%s", sign), &rules));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_published_examples_fit),
        TEST(what_has_no_prefix_is_not_signed),
        TEST(everything_wrong_is_refused),
        TEST(too_much_is_not_read),
        TEST(parameters_have_their_time),
        TEST(times_are_integers),
        TEST(users_are_integers),
        TEST(values_are_encoded_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
