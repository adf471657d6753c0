/* settings_check - settings of the push server that do not go together
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/settings_check.h"

#include <arpa/inet.h>
#include <string.h>

#include "relay/push/settings.h"
#include "shared/log.h"

#define SECRET_GOOD_LEN 32          /* RFC 7518 section 3.2: a key as long as the hash */
#define Z85_KEY_LEN     40
#define Z85 "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
#define WHITE " \t\r\n"

enum err
settings_fault(struct fail *fail, const struct channel_options *o, const char *option,
               const char *why)
{
    return err_fail(fail, ERR_FIELD, option, "[channels%s%s] %s: %s",
                    o->name[0] != '\0' ? " " : "", o->name, option, why);
}

/* ---- sections ---- */

static enum err
check_history(const struct config *c, const struct channel_options *o, struct fail *fail)
{
    static const char needs[] = "needs history_size";

    if (o->history_size == 0) {
        if (o->recovery != WHEN_OFF)
            return settings_fault(fail, o, "recovery", needs);
        if (o->positioning != WHEN_OFF)
            return settings_fault(fail, o, "positioning", needs);
        if (o->delta)
            return settings_fault(fail, o, "delta", needs);
        if (o->durable)
            return settings_fault(fail, o, "durable", needs);
        if (o->history != WHO_NOBODY)
            return settings_fault(fail, o, "history", needs);
    }
    if (o->history_meta_ttl_s < o->history_ttl_s)
        return settings_fault(fail, o, "history_meta_ttl_s", "is less than history_ttl_s");
    if (o->durable && c->push_history[0] == '\0')
        return settings_fault(fail, o, "durable", "needs the setting push_history");
    return ERR_OK;
}

/* A reader given the newest only would miss publications that his position says he has. */
static bool
all_have_positions(const struct channel_options *o)
{
    return o->positioning == WHEN_ALWAYS
           || (o->recovery == WHEN_ALWAYS && o->recovery_mode == RECOVERY_STREAM);
}

enum err
settings_check_section(const struct config *c, const struct channel_options *o, struct fail *fail)
{
    enum err e;

    if ((e = check_history(c, o, fail)) != ERR_OK)
        return e;
    if (o->recovery_mode == RECOVERY_CACHE && o->recovery == WHEN_OFF)
        return settings_fault(fail, o, "recovery_mode", "cache needs recovery");
    if (o->slow == SLOW_RECOVER && o->recovery == WHEN_OFF)
        return settings_fault(fail, o, "slow", "recover needs recovery");
    if (o->slow == SLOW_LATEST && all_have_positions(o))
        return settings_fault(fail, o, "slow", "latest leaves holes where all have positions");
    if (o->presence_for != WHO_NOBODY && !o->presence)
        return settings_fault(fail, o, "presence_for", "needs presence");
    if (o->hooks && c->push_hook_url[0] == '\0')
        return settings_fault(fail, o, "hooks", "needs the setting push_hook_url");
    if (o->authorize && c->push_callback_url[0] == '\0')
        return settings_fault(fail, o, "authorize", "needs the setting push_callback_url");
    return ERR_OK;
}

/* ---- flat settings ---- */

static bool
is_z85_key(const char *p, size_t len)
{
    return len == Z85_KEY_LEN && strspn(p, Z85) >= len;
}

static enum err
check_curve(const struct config *c, struct fail *fail)
{
    const char *p = c->push_curve_clients;
    size_t len;

    if (c->push_curve_secret_key[0] != '\0'
        && !is_z85_key(c->push_curve_secret_key, strlen(c->push_curve_secret_key)))
        return err_fail(fail, ERR_FIELD, "push_curve_secret_key",
                        "push_curve_secret_key must be a key of 40 characters of Z85");
    for (p += strspn(p, WHITE); *p != '\0'; p += len + strspn(p + len, WHITE)) {
        len = strcspn(p, WHITE);
        if (!is_z85_key(p, len))
            return err_fail(fail, ERR_FIELD, "push_curve_clients",
                            "push_curve_clients must be keys of 40 characters of Z85");
    }
    return ERR_OK;
}

static bool
begins(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

/* Of HOST:PORT. Numbers only: a name may mean another address tomorrow. */
static bool
is_loopback(const char *place, const char *colon)
{
    size_t len = (size_t)(colon - place);
    char host[INET_ADDRSTRLEN];
    struct in_addr four;

    if (begins(place, "[::1]:"))
        return true;
    if (len >= sizeof host)
        return false;
    memcpy(host, place, len);
    host[len] = '\0';
    return inet_pton(AF_INET, host, &four) == 1 && ntohl(four.s_addr) >> 24 == 127;
}

static enum err
check_endpoint(const struct config *c, const char *name, const char *endpoint, struct fail *fail)
{
    const char *place = begins(endpoint, "tcp://") ? endpoint + strlen("tcp://") : "";
    const char *colon = strrchr(place, ':');

    if (endpoint[0] == '\0' || begins(endpoint, "ipc:///"))
        return ERR_OK;
    if (!colon)
        return err_fail(fail, ERR_FIELD, name, "%s must be ipc:///PATH or tcp://HOST:PORT", name);
    if (!is_loopback(place, colon)
        && (c->push_curve_secret_key[0] == '\0'
            || c->push_curve_clients[strspn(c->push_curve_clients, WHITE)] == '\0'))
        return err_fail(fail, ERR_FIELD, name, "%s: tcp beyond loopback needs "
                        "push_curve_secret_key and push_curve_clients", name);
    return ERR_OK;
}

static enum err
check_url(const char *name, const char *url, struct fail *fail)
{
    if (url[0] == '\0' || begins(url, "http://") || begins(url, "https://"))
        return ERR_OK;
    return err_fail(fail, ERR_FIELD, name, "%s must begin with http:// or https://", name);
}

enum err
settings_check(const struct config *c, struct fail *fail)
{
    enum err e;

    if (c->push_pong_s >= c->push_ping_s)
        return err_fail(fail, ERR_FIELD, "push_pong_s",
                        "push_pong_s must be less than push_ping_s");
    if ((e = check_url("push_hook_url", c->push_hook_url, fail)) != ERR_OK)
        return e;
    if ((e = check_url("push_callback_url", c->push_callback_url, fail)) != ERR_OK)
        return e;
    if (c->push_rpc && c->push_callback_url[0] == '\0')
        return err_fail(fail, ERR_FIELD, "push_rpc", "push_rpc needs push_callback_url");
    if ((e = check_curve(c, fail)) != ERR_OK)
        return e;
    e = check_endpoint(c, "push_publish_pull", c->push_publish_pull, fail);
    if (e == ERR_OK)
        e = check_endpoint(c, "push_publish_router", c->push_publish_router, fail);
    if (e != ERR_OK)
        return e;
    if (c->push_publish_pull[0] != '\0'
        && strcmp(c->push_publish_pull, c->push_publish_router) == 0)
        return err_fail(fail, ERR_FIELD, "push_publish_router",
                        "push_publish_router and push_publish_pull are the same endpoint");
    return ERR_OK;
}

static void
warn_short(const char *name, const char *secret)
{
    if (secret[0] != '\0' && strlen(secret) < SECRET_GOOD_LEN)
        log_event(LOG_LEVEL_WARNING, "short_secret", "setting", name, "wanted_bytes",
                  log_number(SECRET_GOOD_LEN), NULL);
}

void
settings_warn(const struct config *c, bool no_keys)
{
    warn_short("push_token_secret", c->push_token_secret);
    warn_short("push_api_key", c->push_api_key);
    if (c->push_api_key[0] == '\0')
        log_event(LOG_LEVEL_WARNING, c->push_api_insecure ? "api_open" : "api_closed", "why",
                  c->push_api_insecure ? "push_api_insecure: whoever reaches it may use it"
                                       : "push_api_key is not set: nobody may use it", NULL);
    if (no_keys && !c->push_anonymous)
        log_event(LOG_LEVEL_WARNING, "clients_closed", "why",
                  "no key of tokens is set and push_anonymous is off: nobody may connect", NULL);
}
