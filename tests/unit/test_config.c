/* test_config - file, environment, secrets in files, checks
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
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "shared/config.h"
#include "shared/log.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HAS_CHAT (*CONFIG_SYSTEMS_DEFAULT != '\0')      /* what this build can serve, and does by default */
#define SECRET "a secret of thirty-two bytes.....!"

static char dir[] = "/tmp/test_config.XXXXXX";
static char file[64], secret_file[64];
static struct arena *arena;

static int
set_up(void **state)
{
    (void)state;
    log_setup("test_config", LOG_LEVEL_ERROR, 0);
    if (mkdtemp(dir) == NULL)
        return -1;
    snprintf(file, sizeof(file), "%s/conf", dir);
    snprintf(secret_file, sizeof(secret_file), "%s/secret", dir);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    unlink(file);
    unlink(secret_file);
    return rmdir(dir);
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
}

/* A clean environment, an arena, and the file as given. */
static int
begin(void **state)
{
    (void)state;
    clearenv();
    setenv("CONFAB_CONFIG", file, 1);
    write_file(file, "", 0600);
    arena = arena_new();
    return 0;
}

static int
end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static const struct config *
load(void)
{
    const struct config *c = NULL;
    struct fail fail = { 0 };

    if (config_load(arena, &c, &fail) != ERR_OK)
        fail_msg("%s", fail.why);
    return c;
}

static void
refused(const char *part_of_why)
{
    const struct config *c = NULL;
    struct fail fail = { 0 };

    assert_int_equal(config_load(arena, &c, &fail), ERR_FIELD);
    if (strstr(fail.why, part_of_why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", fail.why, part_of_why);
}

static void
defaults_are_complete(void **state)
{
    const struct config *c = load();

    (void)state;
    assert_string_equal(c->state, CONFAB_STATE_DIR);
    assert_string_equal(c->run, CONFAB_STATE_DIR "/run");
    assert_string_equal(c->database, CONFAB_STATE_DIR "/confab.db");
    assert_string_equal(c->auth, "jwt");
    assert_false(c->trusted);
    assert_true(c->jwt_check_exp);
    assert_int_equal(c->body_max, 2097152);
    assert_null(c->jwt_keys[0]);
    assert_string_equal(c->systems, CONFIG_SYSTEMS_DEFAULT);
    assert_int_equal(c->push, CONFIG_PUSH_DEFAULT);
    assert_int_equal(config_serves(c, "mtchat"), config_has_chat(c));
    assert_false(config_serves(c, "mtcha"));
}

static void
a_missing_file_matters_only_when_named(void **state)
{
    (void)state;
    setenv("CONFAB_CONFIG", "/nonexistent/x.conf", 1);
    refused("/nonexistent/x.conf");
    unsetenv("CONFAB_CONFIG");
    load();
}

static void
the_environment_wins_over_the_file(void **state)
{
    const struct config *c;

    (void)state;
    write_file(file, "# comment\n; another\n\n[requests]\nbody_max = 4096\r\n  json_depth=16 \n"
                     "state = /s t\nrate_limit_enabled = true\nrun=\nlog_level = debug", 0600);
    setenv("CONFAB_JSON_DEPTH", "32", 1);
    setenv("CONFAB_AUTH", "trusted", 1);
    setenv("CONFAB_FAULT", "x", 1);
    setenv("CONFAB_UNKNOWN", "only a warning", 1);
    c = load();
    assert_int_equal(c->body_max, 4096);
    assert_int_equal(c->json_depth, 32);
    assert_true(c->rate_limit_enabled && c->trusted);
    assert_string_equal(c->run, "/s t/run");
    assert_string_equal(c->database, "/s t/confab.db");
}

static void
bad_lines_are_refused(void **state)
{
    static const struct { const char *text, *why; } cases[] = {
        { "nonsense", ":1: expected" }, { "\n\nno_such = 1", ":3: unknown setting no_such" },
        { "= 1", ":1: expected" }, { "body_max = x", ":1: body_max must be a whole" },
        { "body_max =", "whole number" }, { "body_max = 5", "1024 to" }, { "body_max = 4096k", "whole" },
        { "body_max = 99999999999999999999", "whole" }, { "body_max = +4096", "whole" },
        { "jwt_check_exp = yes", "true or false" }, { "auth =", "1 to 10 bytes" },
        { "auth = muchtoolong", "1 to 10 bytes" }, { "auth_file = /x", "unknown" },
        { "jwt_secret_fil = /x", "unknown" }, { "BODY_MAX = 4096", "unknown" }, { "[x", ":1: expected" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++) {
        write_file(file, cases[i].text, 0600);
        refused(cases[i].why);
    }
    write_file(file, "", 0600);
    setenv("CONFAB_BODY_MAX", "x", 1);
    refused("CONFAB_BODY_MAX: body_max");
}

static void
channels_have_sections(void **state)
{
    const struct config *c = load();

    (void)state;
    assert_int_equal(c->n_channels, 1);
    assert_string_equal(c->channels[0].name, "");
    assert_int_equal(c->channels[0].history_ttl_s, 300);
    write_file(file, "[push server]\nbody_max = 4096\n[channels news]\nsubscribe = anyone\n"
                     "history_size=10\n# comment\n\npattern = [a-z]+\npresence = true\n"
                     "[channels]\nsubscribe = user\n[ channels \t a-B_9 ]\n"
                     "[relay]\njson_depth = 16\n", 0600);
    c = load();
    assert_int_equal(c->body_max, 4096);
    assert_int_equal(c->json_depth, 16);
    assert_int_equal(c->n_channels, 3);
    assert_int_equal(c->channels[0].subscribe, 1);
    assert_string_equal(c->channels[1].name, "news");
    assert_int_equal(c->channels[1].subscribe, 2);
    assert_int_equal(c->channels[1].history_size, 10);
    assert_string_equal(c->channels[1].pattern, "[a-z]+");
    assert_true(c->channels[1].presence);
    assert_string_equal(c->channels[2].name, "a-B_9");
    assert_int_equal(c->channels[2].subscribe, 0);
}

static void
bad_sections_are_refused(void **state)
{
    static const struct { const char *text, *why; } cases[] = {
        { "[channels ab]\nbody_max = 4096", ":2: unknown option of channels body_max" },
        { "history_size = 1", ":1: unknown setting history_size" },
        { "[channels]\n[x]\nhistory_size = 1", ":3: unknown setting" },
        { "[channels a]", ":1: a namespace" }, { "[channels a.b]", ":1: a namespace" },
        { "[channels ab cd]", ":1: a namespace" }, { "[channels]\n\n[channels]", ":3: [channels] is there" },
        { "[channels ab]\n[x]\n[channels ab]", ":3: [channels ab] is there" },
        { "[channels]\nsubscribe = all", ":2: subscribe must be one of: token user anyone" },
        { "[channels]\nsubscribe =", ":2: subscribe must be one of" },
        { "[channels]\nsubscribe = token user", ":2: subscribe must be one of" },
        { "[channels]\npresence = on", "true or false" }, { "[channels]\nhistory_size = -1", "0 to" },
        { "[channels]\nhistory_size", ":2: expected" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++) {
        write_file(file, cases[i].text, 0600);
        refused(cases[i].why);
    }
}

static void
sections_are_printed_so_that_they_can_be_read(void **state)
{
    struct sbuf first, second;

    (void)state;
    write_file(file, "[channels]\nhistory_size = 7\n[channels news]\nslow = recover\n", 0600);
    sbuf_init(&first, 100000);
    sbuf_init(&second, 100000);
    config_print(load(), &first, false);
    assert_non_null(strstr(sbuf_str(&first), "\n[channels]\nsubscribe = token\n"));
    assert_non_null(strstr(sbuf_str(&first), "\nhistory_size = 7\n"));
    assert_non_null(strstr(sbuf_str(&first), "\n[channels news]\n"));
    assert_non_null(strstr(sbuf_str(&first), "\nslow = recover\n"));
    write_file(file, sbuf_str(&first), 0600);
    config_print(load(), &second, false);
    assert_string_equal(sbuf_str(&first), sbuf_str(&second));
    sbuf_fini(&first);
    sbuf_fini(&second);
}

static void
secrets_that_were_made_are_found(void **state)
{
    char made[96];
    const struct config *c;
    struct fail fail = { 0 };

    (void)state;
    snprintf(made, sizeof made, "%s/admin_token", dir);
    write_file(made, "made by init\n", 0600);
    write_file(file, "", 0600);
    setenv("CONFAB_STATE", dir, 1);
    c = load();
    assert_string_equal(c->admin_token, config_has_chat(c) ? "made by init" : "");
    write_file(file, "admin_token = said\n", 0600);
    assert_string_equal(load()->admin_token, "said");
    write_file(file, "systems =\npush = 1\n", 0600);
    assert_string_equal(load()->admin_token, "");
    write_file(file, "", 0600);
    chmod(made, 0644);
    if (config_has_chat(c))
        assert_int_equal(config_load(arena, &c, &fail), ERR_FIELD);
    unsetenv("CONFAB_STATE");
    unlink(made);
}

static void
secrets_come_from_files(void **state)
{
    (void)state;
    write_file(secret_file, " a b,c \r\nsecond line", 0640);
    write_file(file, "", 0600);
    setenv("CONFAB_ADMIN_TOKEN_FILE", secret_file, 1);
    assert_string_equal(load()->admin_token, " a b,c ");
    setenv("CONFAB_ADMIN_TOKEN", "x", 1);
    refused("both set");
    unsetenv("CONFAB_ADMIN_TOKEN");
    chmod(secret_file, 0644);
    refused("others may use it");
    chmod(secret_file, 0602);
    refused("others may use it");
    write_file(secret_file, "\nx", 0600);
    refused("first line is empty");
    setenv("CONFAB_ADMIN_TOKEN_FILE", dir, 1);
    refused("secret file");
    setenv("CONFAB_ADMIN_TOKEN_FILE", "/nonexistent", 1);
    refused("cannot open /nonexistent");
    unsetenv("CONFAB_ADMIN_TOKEN_FILE");
    write_file(secret_file, "from file", 0600);
    write_file(file, arena_printf(arena, "jwt_secret_file = %s\n", secret_file), 0600);
    assert_string_equal(load()->jwt_keys[0], "from file");
}

static void
keys_are_split(void **state)
{
    const struct config *c;
    struct token_rules rules;

    (void)state;
    setenv("CONFAB_JWT_SECRET", "single", 1);
    c = load();
    assert_string_equal(c->jwt_keys[0], "single");
    assert_null(c->jwt_keys[1]);
    setenv("CONFAB_JWT_SECRETS", " one ,, two,\t", 1);
    setenv("CONFAB_JWT_AUDIENCE", "app", 1);
    c = load();
    rules = config_token_rules(c);
    assert_string_equal(rules.secrets[0], "one");
    assert_string_equal(rules.secrets[1], "two");
    assert_null(rules.secrets[2]);
    assert_string_equal(rules.user_claim, "sub");
    assert_string_equal(rules.audience, "app");
    assert_int_equal(rules.leeway_s, 60);
    assert_true(rules.check_times);
    setenv("CONFAB_JWT_SECRETS", " , ", 1);
    setenv("CONFAB_JWT_AUDIENCE", "", 1);
    c = load();
    assert_string_equal(c->jwt_keys[0], "single");
    assert_null(config_token_rules(c).audience);
}

struct nonsense {
    const char *name, *value, *field;
};

static void
each_is_refused(const struct nonsense *cases, size_t n)
{
    struct fail fail;
    size_t i;

    for (i = 0; i < n; i++) {
        clearenv();
        setenv("CONFAB_CONFIG", file, 1);
        setenv("CONFAB_JWT_SECRET", SECRET, 1);
        assert_int_equal(config_check(load(), &fail), ERR_OK);
        setenv(cases[i].name, cases[i].value, 1);
        assert_int_equal(config_check(load(), &fail), ERR_FIELD);
        assert_string_equal(fail.field, cases[i].field);
    }
}

static void
servers_do_not_start_with_nonsense(void **state)
{
    static const struct nonsense cases[] = {
        { "CONFAB_LOG_LEVEL", "loud", "log_level" }, { "CONFAB_SYSTEMS", "other", "systems" },
        { "CONFAB_SYSTEMS", ",", "systems" }, { "CONFAB_SYSTEMS", "mtchat, other", "systems" },
        { "CONFAB_RELAY_NAME", "../x", "relay_name" }, { "CONFAB_RELAY_NAME", ".x", "relay_name" },
        { "CONFAB_WS_TIMEOUT_S", "25", "ws_timeout_s" },
    };
    static const struct nonsense with_chat[] = {
        { "CONFAB_JWT_SECRET", "", "jwt_secret" }, { "CONFAB_AUTH", "none", "auth" },
        { "CONFAB_SYSTEMS", "", "systems" },
    };
    static const struct nonsense without_chat[] = {
        { "CONFAB_SYSTEMS", "mtchat", "systems" }, { "CONFAB_PUSH", "false", "systems" },
    };

    (void)state;
    each_is_refused(cases, COUNT(cases));
    if (HAS_CHAT)
        each_is_refused(with_chat, COUNT(with_chat));
    else
        each_is_refused(without_chat, COUNT(without_chat));
}

static void
rooms_are_not_served_without_a_good_secret(void **state)
{
    struct token_rules rules;
    struct fail fail;

    (void)state;
    if (!HAS_CHAT)
        skip();
    setenv("CONFAB_SYSTEMS", "rooms", 1);
    assert_int_equal(config_check(load(), &fail), ERR_FIELD);
    assert_string_equal(fail.field, "rooms_jwt_secret");
    setenv("CONFAB_JWT_SECRET", SECRET, 1);             /* that one is of others */
    assert_int_equal(config_check(load(), NULL), ERR_FIELD);
    setenv("CONFAB_ROOMS_JWT_SECRET", "0123456789abcdef0123456789abcde", 1);
    assert_int_equal(config_check(load(), NULL), ERR_FIELD);
    setenv("CONFAB_ROOMS_JWT_SECRET", "0123456789abcdef0123456789abcdef", 1);
    unsetenv("CONFAB_JWT_SECRET");
    assert_int_equal(config_check(load(), NULL), ERR_OK);
    assert_true(config_serves(load(), "rooms"));
    assert_false(config_serves(load(), "mtchat"));
    rules = config_rooms_rules(load());
    assert_string_equal(rules.secrets[0], "0123456789abcdef0123456789abcdef");
    assert_null(rules.secrets[1]);
    assert_true(rules.require_expiry && rules.leeway_s <= 5);
    setenv("CONFAB_SYSTEMS", "mtchat,rooms", 1);
    assert_int_equal(config_check(load(), &fail), ERR_FIELD);
    assert_string_equal(fail.field, "jwt_secret");
}

static void
conversations_want_a_way_to_know_users(void **state)
{
    struct fail fail;

    (void)state;
    if (!HAS_CHAT)
        skip();
    setenv("CONFAB_SYSTEMS", "conversations", 1);
    assert_int_equal(config_check(load(), &fail), ERR_FIELD);
    assert_string_equal(fail.field, "jwt_secret");
    assert_null(config_vk_rules(load()).secret);
    setenv("CONFAB_VK_APP_SECRET", "the app's key", 1);
    assert_int_equal(config_check(load(), NULL), ERR_OK);
    assert_string_equal(config_vk_rules(load()).secret, "the app's key");
    assert_null(config_vk_rules(load()).app_id);
    assert_int_equal(config_vk_rules(load()).ttl_s, 86400);
    unsetenv("CONFAB_VK_APP_SECRET");
    setenv("CONFAB_JWT_SECRET", SECRET, 1);
    assert_int_equal(config_check(load(), NULL), ERR_OK);
    assert_string_equal(config_conversations_rules(load()).secrets[0], SECRET);
}

static void
systems_may_stand_between_spaces(void **state)
{
    (void)state;
    if (!HAS_CHAT)
        skip();
    setenv("CONFAB_AUTH", "trusted", 1);
    setenv("CONFAB_SYSTEMS", " mtchat ", 1);
    assert_int_equal(config_check(load(), NULL), ERR_OK);
    assert_true(config_serves(load(), "mtchat"));
}

static void
push_alone_needs_no_secret_of_the_chat(void **state)
{
    struct fail fail;

    (void)state;
    setenv("CONFAB_SYSTEMS", "", 1);
    setenv("CONFAB_PUSH", "1", 1);
    setenv("CONFAB_PUSH_API_LISTEN", "clients", 1);
    assert_int_equal(config_check(load(), NULL), ERR_OK);
    assert_false(config_has_chat(load()));
    setenv("CONFAB_RELAY_TLS_KEY", "/key.pem", 1);
    assert_int_equal(config_check(load(), &fail), ERR_FIELD);
    assert_string_equal(fail.field, "relay_tls_key");
}

static void
servers_do_not_come_in_where_the_chat_does(void **state)
{
    struct fail fail;

    (void)state;
    if (!HAS_CHAT)
        skip();
    setenv("CONFAB_SYSTEMS", "mtchat", 1);
    setenv("CONFAB_PUSH", "1", 1);
    setenv("CONFAB_PUSH_API_LISTEN", "clients", 1);
    setenv("CONFAB_AUTH", "trusted", 1);
    assert_int_equal(config_check(load(), &fail), ERR_FIELD);
    assert_string_equal(fail.field, "push_api_listen");
    setenv("CONFAB_PUSH_API_LISTEN", "127.0.0.1:1", 1);
    assert_int_equal(config_check(load(), NULL), ERR_OK);
}

static void
the_root_of_socketio_is_a_system_or_nobodys(void **state)
{
    static const char *const good[] = { "conversations", "eventchat", "" };
    struct fail fail;

    (void)state;
    setenv("CONFAB_SYSTEMS", "", 1);
    setenv("CONFAB_PUSH", "1", 1);
    setenv("CONFAB_PUSH_API_LISTEN", "clients", 1);
    for (size_t i = 0; i < COUNT(good); i++) {
        setenv("CONFAB_SOCKETIO_ROOT_SYSTEM", good[i], 1);
        assert_int_equal(config_check(load(), NULL), ERR_OK);
    }
    setenv("CONFAB_SOCKETIO_ROOT_SYSTEM", "mtchat", 1);
    assert_int_equal(config_check(load(), &fail), ERR_FIELD);
    assert_string_equal(fail.field, "socketio_root_system");
}

static void
printing_hides_secrets(void **state)
{
    struct sbuf out;

    (void)state;
    setenv("CONFAB_JWT_SECRET", SECRET, 1);
    sbuf_init(&out, 100000);
    config_print(load(), &out, false);
    assert_null(strstr(sbuf_str(&out), SECRET));
    assert_null(strchr(sbuf_str(&out), '#'));
    assert_non_null(strstr(sbuf_str(&out), "\njwt_secret = (hidden)\n"));
    assert_non_null(strstr(sbuf_str(&out), "\nadmin_token = \n"));
    assert_non_null(strstr(sbuf_str(&out), "\njwt_check_exp = true\n"));
    assert_non_null(strstr(sbuf_str(&out), "\n[relay]\n"));
    sbuf_reset(&out);
    config_print(load(), &out, true);
    assert_non_null(strstr(sbuf_str(&out), "\n# bytes of a request body; more is 413\nbody_max = "));
    sbuf_fini(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults_are_complete, begin, end),
        cmocka_unit_test_setup_teardown(a_missing_file_matters_only_when_named, begin, end),
        cmocka_unit_test_setup_teardown(the_environment_wins_over_the_file, begin, end),
        cmocka_unit_test_setup_teardown(bad_lines_are_refused, begin, end),
        cmocka_unit_test_setup_teardown(channels_have_sections, begin, end),
        cmocka_unit_test_setup_teardown(bad_sections_are_refused, begin, end),
        cmocka_unit_test_setup_teardown(sections_are_printed_so_that_they_can_be_read, begin, end),
        cmocka_unit_test_setup_teardown(secrets_come_from_files, begin, end),
        cmocka_unit_test_setup_teardown(secrets_that_were_made_are_found, begin, end),
        cmocka_unit_test_setup_teardown(keys_are_split, begin, end),
        cmocka_unit_test_setup_teardown(servers_do_not_start_with_nonsense, begin, end),
        cmocka_unit_test_setup_teardown(rooms_are_not_served_without_a_good_secret, begin, end),
        cmocka_unit_test_setup_teardown(conversations_want_a_way_to_know_users, begin, end),
        cmocka_unit_test_setup_teardown(systems_may_stand_between_spaces, begin, end),
        cmocka_unit_test_setup_teardown(push_alone_needs_no_secret_of_the_chat, begin, end),
        cmocka_unit_test_setup_teardown(servers_do_not_come_in_where_the_chat_does, begin, end),
        cmocka_unit_test_setup_teardown(the_root_of_socketio_is_a_system_or_nobodys, begin, end),
        cmocka_unit_test_setup_teardown(printing_hides_secrets, begin, end),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
