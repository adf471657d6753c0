/* config_check - settings that a server must not start with
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/config.h"

#include <ctype.h>
#include <string.h>

#include "shared/cron.h"
#include "shared/log.h"

#define SECRET_GOOD_LEN 32          /* RFC 7518 section 3.2: a key as long as the hash */

static const char *const known_systems[] = {
#ifndef CONFAB_WITHOUT_SQLITE
    "mtchat", "rooms", "conversations", "eventchat",
#endif
    NULL
};

/* ---- which systems ---- */

/* The next of a comma-separated list, without white space around it; false behind the last. */
static bool
next_word(const char **at, const char **word_r, size_t *len_r)
{
    const char *begin = *at, *end = begin + strcspn(begin, ",");

    if (*begin == '\0')
        return false;
    *at = end + (*end == ',');
    while (begin < end && isspace((unsigned char)*begin))
        begin++;
    while (end > begin && isspace((unsigned char)end[-1]))
        end--;
    *word_r = begin;
    *len_r = (size_t)(end - begin);
    return true;
}

static bool
is_word(const char *word, size_t len, const char *wanted)
{
    return strlen(wanted) == len && memcmp(word, wanted, len) == 0;
}

bool
config_serves(const struct config *c, const char *system)
{
    const char *at = c->systems, *word;
    size_t len;

    while (next_word(&at, &word, &len))
        if (is_word(word, len, system))
            return true;
    return false;
}

/* *n_r: how many there are. */
static bool
systems_known(const char *systems, size_t *n_r)
{
    const char *const *known;
    const char *word;
    size_t len;

    for (*n_r = 0; next_word(&systems, &word, &len); ++*n_r) {
        for (known = known_systems; *known != NULL && !is_word(word, len, *known); known++)
            ;
        if (*known == NULL)
            return false;
    }
    return true;
}

/* ---- what they need ---- */

static void
warn_short(const char *secret, const char *setting)
{
    if (strlen(secret) < SECRET_GOOD_LEN)
        log_event(LOG_LEVEL_WARNING, "short_secret", "setting", setting, "wanted_bytes",
                  log_number(SECRET_GOOD_LEN), NULL);
}

static enum err
check_auth(const struct config *c, struct fail *fail)
{
    if (!c->trusted && strcmp(c->auth, "jwt") != 0)
        return err_fail(fail, ERR_FIELD, "auth", "auth must be jwt or trusted");
    if (!c->trusted && c->jwt_keys[0] == NULL)
        return err_fail(fail, ERR_FIELD, "jwt_secret",
                        "auth = jwt needs jwt_secret or jwt_secrets (or auth = trusted for a demo)");
    return ERR_OK;
}

/* Whoever may register gets tokens made with this key: a guessable one would let anybody in as anybody. */
static enum err
check_rooms(const struct config *c, struct fail *fail)
{
    if (strlen(c->rooms_jwt_secret) < SECRET_GOOD_LEN)
        return err_fail(fail, ERR_FIELD, "rooms_jwt_secret",
                        "rooms need rooms_jwt_secret, at least %d bytes", SECRET_GOOD_LEN);
    if (c->runner_key[0] != '\0')
        warn_short(c->runner_key, "runner_key");
    return ERR_OK;
}

/* Users come with a token, or with what VK signed. */
static enum err
check_conversations(const struct config *c, struct fail *fail)
{
    if (c->jwt_keys[0] == NULL && c->vk_app_secret[0] == '\0')
        return err_fail(fail, ERR_FIELD, "jwt_secret",
                        "conversations need jwt_secret, jwt_secrets or vk_app_secret");
    return ERR_OK;
}

static enum err
check_eventchat(const struct config *c, struct fail *fail)
{
    if (c->jwt_keys[0] == NULL)
        return err_fail(fail, ERR_FIELD, "jwt_secret", "eventchat needs jwt_secret or jwt_secrets");
    return ERR_OK;
}

static enum err
check_systems(const struct config *c, struct fail *fail)
{
    enum err e;

    if (config_serves(c, "mtchat") && (e = check_auth(c, fail)) != ERR_OK)
        return e;
    if (config_serves(c, "rooms") && (e = check_rooms(c, fail)) != ERR_OK)
        return e;
    if (config_serves(c, "conversations") && (e = check_conversations(c, fail)) != ERR_OK)
        return e;
    if (config_serves(c, "eventchat") && (e = check_eventchat(c, fail)) != ERR_OK)
        return e;
    if ((config_serves(c, "mtchat") && !c->trusted) || config_has_socketio(c))
        for (const char *const *key = c->jwt_keys; *key != NULL; key++)
            warn_short(*key, "jwt_secret");
    return ERR_OK;
}

/* What is served, and whether it can stand side by side. */
static enum err
check_parts(const struct config *c, struct fail *fail)
{
    size_t n;

    if (!systems_known(c->systems, &n) || (n == 0 && config_has_chat(c)))
        return err_fail(fail, ERR_FIELD, "systems", "%s",
                        known_systems[0] != NULL
                            ? "systems names a system that does not exist"
                            : "this build has no chat systems: systems must be empty");
    if (!config_has_chat(c) && !c->push && !c->sio_conformance)
        return err_fail(fail, ERR_FIELD, "systems",
                        "nothing to serve: systems is empty and push is off");
    if (config_has_chat(c) && c->push && strcmp(c->push_api_listen, "clients") == 0)
        return err_fail(fail, ERR_FIELD, "push_api_listen",
                        "push_api_listen = clients cannot be where chat systems are served: "
                        "/api/ on relay_listen is theirs");
    if ((c->relay_tls_certificate[0] != '\0') != (c->relay_tls_key[0] != '\0'))
        return err_fail(fail, ERR_FIELD, "relay_tls_key",
                        "relay_tls_certificate and relay_tls_key need each other");
    return ERR_OK;
}

/* The relay's name becomes part of file names. */
static bool
is_file_name(const char *s)
{
    return s[0] != '.' && s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789._-")] == '\0';
}

/* "" is nobody; a system that is not served takes its / along. */
static enum err
check_socketio_root(const struct config *c, struct fail *fail)
{
    const char *name = c->socketio_root_system;

    if (name[0] == '\0' || strcmp(name, "conversations") == 0 || strcmp(name, "eventchat") == 0)
        return ERR_OK;
    return err_fail(fail, ERR_FIELD, "socketio_root_system",
                    "socketio_root_system must be conversations, eventchat or empty");
}

enum err
config_check(const struct config *c, struct fail *fail)
{
    enum log_level level;
    struct cron cron;
    enum err e;

    if ((e = check_parts(c, fail)) != ERR_OK)
        return e;
    if ((e = check_systems(c, fail)) != ERR_OK)
        return e;
    if ((e = check_socketio_root(c, fail)) != ERR_OK)
        return e;
    if (!log_level_named(c->log_level, &level))
        return err_fail(fail, ERR_FIELD, "log_level",
                        "log_level must be error, warning, info or debug");
    if (!is_file_name(c->relay_name))
        return err_fail(fail, ERR_FIELD, "relay_name",
                        "relay_name may hold letters, digits, '.', '_' and '-'");
    if (c->archive_cron[0] != '\0' && !cron_parse(c->archive_cron, &cron))
        return err_fail(fail, ERR_FIELD, "archive_cron",
                        "archive_cron must be six fields: second minute hour day month weekday");
    if (c->ws_timeout_s <= c->ws_ping_s)
        return err_fail(fail, ERR_FIELD, "ws_timeout_s",
                        "ws_timeout_s must be more than ws_ping_s, or quiet sockets die");
    return ERR_OK;
}
