/* token - connection and subscription tokens of the push server: their claims
 *
 * Source of the rules: docs/push/protocol.md, "Tokens".
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/token.h"

#include <string.h>

#include "relay/push/token_keys.h"
#include "shared/json.h"
#include "shared/jws.h"

#define JSON_DEPTH 32
#define TTL_MAX_MS (365LL * 24 * 60 * 60 * 1000)

/* An object and the text it was read from, for what is handed on as it is. */
struct object {
    const struct json *json;
    const char *text;
    size_t len;
};

/* ---- all tokens ---- */

/* *expires_ms_r is exp. */
static enum err
open_token(struct arena *a, const struct token_keys *k, const char *text, int64_t now_ms,
           struct object *claims_r, int64_t *expires_ms_r)
{
    const struct token_judgement *judged = token_keys_judgement(k);
    const char *issuer;
    struct object o;
    struct jws jws;

    if (jws_split(a, text, judged->text_max, &jws) != ERR_OK || !token_keys_fit(k, &jws))
        return ERR_UNAUTHORIZED;
    o.json = jws_claims(a, &jws, &o.text, &o.len);
    if (o.json == NULL || !jws_audience(o.json, judged->audience))
        return ERR_UNAUTHORIZED;
    issuer = json_text(json_get(o.json, "iss"));
    if (judged->issuer != NULL && (issuer == NULL || strcmp(issuer, judged->issuer) != 0))
        return ERR_UNAUTHORIZED;
    *claims_r = o;
    return jws_times(o.json, judged->leeway_s, now_ms, expires_ms_r);
}

/* expire_at, when given, replaces what exp says of the connection or subscription; 0 is never. */
static bool
read_expiry(const struct json *claims, int64_t now_ms, int64_t *expires_ms)
{
    const struct json *at = json_get(claims, "expire_at");
    int64_t seconds;

    if (at != NULL) {
        if (!json_integer(at, &seconds) || seconds < 0)
            return false;
        *expires_ms = seconds < INT64_MAX / 1000 ? seconds * 1000 : INT64_MAX;
    }
    if (*expires_ms > now_ms + TTL_MAX_MS)
        *expires_ms = now_ms + TTL_MAX_MS;
    return true;
}

/* A text, absent_r's value when there is none. */
static bool
read_text(const struct json *claims, const char *name, const char *absent, const char **text_r)
{
    const struct json *v = json_get(claims, name);

    *text_r = v != NULL ? json_text(v) : absent;
    return v == NULL || (*text_r != NULL && !json_nul_present(*text_r));
}

/* JSON for the application: the member itself or, first, its base64 form (encoded_name NULL: there is none). */
static bool
read_raw(struct arena *a, const struct object *o, const char *name, const char *encoded_name,
         const char **raw_r)
{
    const struct json *plain = json_get(o->json, name), *encoded = NULL;
    const char *text;
    unsigned char *decoded;
    size_t len = 0;

    *raw_r = NULL;
    if (encoded_name != NULL)
        encoded = json_get(o->json, encoded_name);
    text = json_text(encoded);
    if (encoded != NULL && text == NULL)
        return false;
    if (text != NULL && text[0] != '\0') {
        decoded = jws_base64(a, text, strlen(text), &len);
        *raw_r = decoded != NULL ? json_compact(a, (char *)decoded, len, JSON_DEPTH) : NULL;
        return *raw_r != NULL;
    }
    if (plain != NULL && json_type(plain) != JSON_NULL)
        *raw_r = json_raw(a, o->text, o->len, name);
    return true;
}

/* PHP writes an empty object as [], so that is one, too. */
static bool
is_object(const struct json *v)
{
    return json_type(v) == JSON_OBJECT || (json_type(v) == JSON_ARRAY && json_count(v) == 0);
}

/* A member that is an object, or absent. */
static bool
read_object(const struct json *from, const char *name, const struct json **object_r)
{
    *object_r = json_get(from, name);
    return *object_r == NULL || is_object(*object_r);
}

static bool
read_flag(const struct json *override, const char *name, enum token_flag *flag_r)
{
    const struct json *flag, *value;

    if (!read_object(override, name, &flag))
        return false;
    if (flag == NULL)
        return true;
    value = json_get(flag, "value");
    if (value == NULL || json_type(value) != JSON_BOOL)
        return false;
    *flag_r = json_is_true(value) ? FLAG_ON : FLAG_OFF;
    return true;
}

static bool
read_override(const struct json *from, struct token_override *o_r)
{
    const struct json *override;

    *o_r = (struct token_override){ 0 };
    return read_object(from, "override", &override)
           && read_flag(override, "presence", &o_r->presence)
           && read_flag(override, "join_leave", &o_r->join_leave)
           && read_flag(override, "force_recovery", &o_r->force_recovery)
           && read_flag(override, "force_positioning", &o_r->force_positioning)
           && read_flag(override, "force_push_join_leave", &o_r->force_push_join_leave);
}

/* ---- connection tokens ---- */

/* Server-side subscriptions while they are gathered. */
struct gathered {
    struct token_subscription *subs;
    size_t n, size;
};

static bool
gather(struct arena *a, struct gathered *g, const struct token_subscription *sub)
{
    if (sub->channel[0] == '\0' || json_nul_present(sub->channel))
        return false;
    g->subs = arena_grow(a, g->subs, g->n, &g->size, sizeof *g->subs);
    g->subs[g->n++] = *sub;
    return true;
}

/* The next member's value in the compact text of an object. */
static void
next_value(const char **at, struct object *o)
{
    const char *member = json_element(at, &o->len), *p = member + 1;

    for (; *p != '"'; p++)
        p += *p == '\\';
    o->text = p + 2;        /* behind the name's quote and the colon */
    o->len -= (size_t)(o->text - member);
}

/* `subs`: channels with what is said of each. */
static bool
read_subs(struct arena *a, const struct object *claims, struct gathered *g)
{
    struct token_subscription sub;
    const struct json *subs, *v;
    struct object one;
    const char *at;

    if (!read_object(claims->json, "subs", &subs))
        return false;
    at = json_raw(a, claims->text, claims->len, "subs");
    for (v = json_first(subs); v != NULL; v = json_next(v)) {
        sub = (struct token_subscription){ .channel = json_name(v) };
        next_value(&at, &one);
        one.json = v;
        if (!is_object(v) || !read_raw(a, &one, "info", "b64info", &sub.info)
            || !read_raw(a, &one, "data", "b64data", &sub.data)
            || !read_override(one.json, &sub.override) || !gather(a, g, &sub))
            return false;
    }
    return true;
}

static bool
is_gathered(const struct gathered *g, const char *channel)
{
    size_t i;

    for (i = 0; i < g->n; i++)
        if (strcmp(g->subs[i].channel, channel) == 0)
            return true;
    return false;
}

/* `channels`: those of which nothing is said. */
static bool
read_channels(struct arena *a, const struct json *claims, struct gathered *g)
{
    const struct json *list = json_get(claims, "channels"), *v;
    struct token_subscription sub = { 0 };

    if (list != NULL && json_type(list) != JSON_ARRAY)
        return false;
    for (v = list != NULL ? json_first(list) : NULL; v != NULL; v = json_next(v)) {
        sub.channel = json_text(v);
        if (sub.channel == NULL || (!is_gathered(g, sub.channel) && !gather(a, g, &sub)))
            return false;
    }
    return true;
}

/* Is it a token of one channel? It opens no connection: what was given out for little is not to be used for more. */
static bool
names_a_channel(const struct json *claims)
{
    const struct json *channel = json_get(claims, "channel");
    const char *text = json_text(channel);

    return channel != NULL && json_type(channel) != JSON_NULL && (text == NULL || text[0] != '\0');
}

enum err
connection_token_verify(struct arena *a, const struct token_keys *k, const char *text,
                        int64_t now_ms, struct connection_token *t_r)
{
    struct connection_token t = { 0 };
    struct gathered g = { 0 };
    struct object claims;
    enum err e;

    if ((e = open_token(a, k, text, now_ms, &claims, &t.expires_ms)) != ERR_OK)
        return e;
    if (names_a_channel(claims.json) || !read_text(claims.json, "sub", "", &t.user)
        || !read_expiry(claims.json, now_ms, &t.expires_ms)
        || !read_raw(a, &claims, "info", "b64info", &t.info)
        || !read_raw(a, &claims, "meta", NULL, &t.meta)
        || !read_subs(a, &claims, &g) || !read_channels(a, claims.json, &g))
        return ERR_UNAUTHORIZED;
    t.subs = g.subs;
    t.n_subs = g.n;
    *t_r = t;
    return ERR_OK;
}

/* ---- subscription tokens ---- */

enum err
subscription_token_verify(struct arena *a, const struct token_keys *k, const char *text,
                          int64_t now_ms, struct subscription_token *t_r)
{
    struct subscription_token t = { 0 };
    struct object claims;
    enum err e;

    if ((e = open_token(a, k, text, now_ms, &claims, &t.expires_ms)) != ERR_OK)
        return e;
    if (!read_text(claims.json, "sub", "", &t.user)
        || !read_text(claims.json, "channel", "", &t.channel) || t.channel[0] == '\0'
        || !read_text(claims.json, "client", "", &t.client)
        || !read_expiry(claims.json, now_ms, &t.expires_ms)
        || !read_raw(a, &claims, "info", "b64info", &t.info)
        || !read_override(claims.json, &t.override))
        return ERR_UNAUTHORIZED;
    if (t.client[0] == '\0')
        t.client = NULL;
    *t_r = t;
    return ERR_OK;
}
