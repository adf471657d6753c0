/* reply - writes replies and pushes
 *
 * Everything put here is one line: raw JSON loses the line ends that valid JSON can only have between its
 * tokens. Numbers and names are put by hand, for a publication is written here once for each form.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/reply.h"

#include <string.h>

#include "shared/json.h"

#define LITERAL(b, text) sbuf_put(b, text, sizeof(text) - 1)

/* JSON from outside, in one line. */
static void
put_raw(struct sbuf *b, const char *json, size_t len)
{
    char *room = sbuf_grow(b, len), *end = room + len, *p;

    if (!room)
        return;
    memcpy(room, json, len);
    for (p = room; (p = memchr(p, '\n', (size_t)(end - p))); )
        *p = ' ';
    for (p = room; (p = memchr(p, '\r', (size_t)(end - p))); )
        *p = ' ';
}

/* Nothing for NULL. */
static void
kv_raw(struct sbuf *b, const char *name, const char *json)
{
    if (!json)
        return;
    json_key(b, name);
    put_raw(b, json, strlen(json));
}

static void
kv_true(struct sbuf *b, const char *name, bool v)
{
    if (v)
        json_kv_bool(b, name, true);
}

/* A name that is not ours. */
static void
key_text(struct sbuf *b, const char *name)
{
    json_string(b, name);
    sbuf_putc(b, ':');
}

/* {"id":N,"method":{ and }} */
static void
open_reply(struct sbuf *b, uint32_t id, const char *method)
{
    sbuf_putc(b, '{');
    if (id)
        json_kv_int(b, "id", id);
    json_key(b, method);
    sbuf_putc(b, '{');
}

static void
close_reply(struct sbuf *b)
{
    LITERAL(b, "}}");
}

/* {"push":{"channel":"c","kind":{ and }}}; bare without the envelope. */
static void
open_push(struct sbuf *b, bool bare, const char *channel, const char *kind)
{
    if (!bare)
        LITERAL(b, "{\"push\":");
    sbuf_putc(b, '{');
    if (channel) {
        LITERAL(b, "\"channel\":");
        json_string(b, channel);
    }
    json_key(b, kind);
    sbuf_putc(b, '{');
}

static void
close_push(struct sbuf *b, bool bare)
{
    sbuf_put(b, "}}}", bare ? 2 : 3);
}

static void
put_expiry(struct sbuf *b, int64_t ttl_s)
{
    if (ttl_s <= 0)
        return;
    json_kv_bool(b, "expires", true);
    json_kv_int(b, "ttl", ttl_s);
}

static void
put_position(struct sbuf *b, const struct stream_position *at)
{
    json_kv(b, "epoch", at->epoch);
    json_kv_int(b, "offset", (int64_t)at->offset);
}

static void
put_publications(struct sbuf *b, struct publication *const *list, size_t n, enum reply_form form)
{
    size_t i;

    json_key(b, "publications");
    sbuf_putc(b, '[');
    for (i = 0; i < n; i++) {
        json_open(b, '{');
        reply_publication_members(b, list[i], form, NULL, 0);
        sbuf_putc(b, '}');
    }
    sbuf_putc(b, ']');
}

/* The members of a subscribe result. */
static void
put_subscribe(struct sbuf *b, const struct reply_subscribe *r)
{
    put_expiry(b, r->ttl_s);
    kv_true(b, "recoverable", r->recoverable);
    kv_true(b, "positioned", r->positioned);
    if (r->position)
        put_position(b, r->position);
    if (r->n)
        put_publications(b, r->publications, r->n, r->delta ? FORM_STRING : FORM_PLAIN);
    kv_true(b, "recovered", r->recovered);
    kv_true(b, "was_recovering", r->was_recovering);
    kv_raw(b, "data", r->data);
    kv_true(b, "delta", r->delta);
}

static void
put_subs(struct sbuf *b, const struct reply_sub *subs, size_t n)
{
    size_t i;

    if (!n)
        return;
    json_key(b, "subs");
    sbuf_putc(b, '{');
    for (i = 0; i < n; i++) {
        key_text(b, subs[i].channel);
        sbuf_putc(b, '{');
        put_subscribe(b, &subs[i].result);
        sbuf_putc(b, '}');
    }
    sbuf_putc(b, '}');
}

static void
put_code(struct sbuf *b, int code, const char *reason)
{
    json_kv_int(b, "code", code);
    json_kv(b, "reason", reason);
}

/* ---- replies ---- */

void
reply_error_words(struct sbuf *b, uint32_t id, int code, const char *message, bool temporary)
{
    open_reply(b, id, "error");
    json_kv_int(b, "code", code);
    json_kv(b, "message", message);
    kv_true(b, "temporary", temporary);
    close_reply(b);
}

void
reply_error(struct sbuf *b, uint32_t id, enum push_error e)
{
    reply_error_words(b, id, e, push_error_message(e), push_error_temporary(e));
}

void
reply_rpc(struct sbuf *b, uint32_t id, const char *data)
{
    open_reply(b, id, "rpc");
    kv_raw(b, "data", data);
    close_reply(b);
}

void
reply_empty(struct sbuf *b, uint32_t id, const char *method)
{
    open_reply(b, id, method);
    close_reply(b);
}

void
reply_connect(struct sbuf *b, uint32_t id, const struct reply_connect *r)
{
    open_reply(b, id, "connect");
    json_kv(b, "client", r->client);
    json_kv(b, "version", "confab " PACKAGE_VERSION);
    put_expiry(b, r->ttl_s);
    kv_raw(b, "data", r->data);
    put_subs(b, r->subs, r->n_subs);
    if (r->ping_s > 0)
        json_kv_int(b, "ping", r->ping_s);
    kv_true(b, "pong", r->pong);
    if (r->session)
        json_kv(b, "session", r->session);
    if (r->node)
        json_kv(b, "node", r->node);
    close_reply(b);
}

void
reply_subscribe(struct sbuf *b, uint32_t id, const struct reply_subscribe *r)
{
    open_reply(b, id, "subscribe");
    put_subscribe(b, r);
    close_reply(b);
}

void
reply_refresh(struct sbuf *b, uint32_t id, const char *method, int64_t ttl_s)
{
    open_reply(b, id, method);
    put_expiry(b, ttl_s);
    close_reply(b);
}

void
reply_history(struct sbuf *b, uint32_t id, const struct stream_history *h)
{
    open_reply(b, id, "history");
    put_publications(b, h->publications, h->n, FORM_PLAIN);
    put_position(b, &h->top);
    close_reply(b);
}

void
reply_presence_open(struct sbuf *b, uint32_t id)
{
    open_reply(b, id, "presence");
    LITERAL(b, "\"presence\":{");
}

void
reply_presence_one(struct sbuf *b, const struct stream_presence *who)
{
    key_text(b, who->client);
    put_raw(b, who->info, strlen(who->info));
}

void
reply_presence_close(struct sbuf *b)
{
    sbuf_putc(b, '}');
    close_reply(b);
}

void
reply_presence_stats(struct sbuf *b, uint32_t id, int64_t n_clients, int64_t n_users)
{
    open_reply(b, id, "presence_stats");
    json_kv_int(b, "num_clients", n_clients);
    json_kv_int(b, "num_users", n_users);
    close_reply(b);
}

/* ---- parts ---- */

void
reply_client_info(struct sbuf *b, const char *user, const char *client, const char *conn_info,
                  const char *chan_info)
{
    json_open(b, '{');
    json_kv(b, "user", user);
    json_kv(b, "client", client);
    kv_raw(b, "conn_info", conn_info);
    kv_raw(b, "chan_info", chan_info);
    sbuf_putc(b, '}');
}

void
reply_publication_members(struct sbuf *b, const struct publication *p, enum reply_form form,
                          const char *patch, size_t patch_len)
{
    json_key(b, "data");
    if (form == FORM_PATCH)
        json_string_n(b, patch, patch_len);
    else if (form == FORM_STRING)
        json_string_n(b, publication_data(p), p->data_len);
    else
        put_raw(b, publication_data(p), p->data_len);
    if (p->offset)
        json_kv_int(b, "offset", (int64_t)p->offset);
    kv_raw(b, "info", publication_info(p));
    kv_raw(b, "tags", publication_tags(p));
    kv_true(b, "delta", form == FORM_PATCH);
    if (p->time_ms)
        json_kv_int(b, "time", p->time_ms);
}

/* ---- pushes ---- */

void
reply_publication(struct sbuf *b, bool bare, const char *channel, const struct publication *p,
                  enum reply_form form, const char *patch, size_t patch_len)
{
    open_push(b, bare, channel, "pub");
    reply_publication_members(b, p, form, patch, patch_len);
    close_push(b, bare);
}

void
reply_join(struct sbuf *b, bool bare, const char *channel, const char *client_info, bool leave)
{
    open_push(b, bare, channel, leave ? "leave" : "join");
    kv_raw(b, "info", client_info);
    close_push(b, bare);
}

void
reply_subscribed(struct sbuf *b, bool bare, const char *channel, const struct reply_subscribe *r)
{
    open_push(b, bare, channel, "subscribe");
    put_subscribe(b, r);
    close_push(b, bare);
}

void
reply_unsubscribed(struct sbuf *b, bool bare, const char *channel, int code, const char *reason)
{
    open_push(b, bare, channel, "unsubscribe");
    put_code(b, code, reason);
    close_push(b, bare);
}

void
reply_disconnect(struct sbuf *b, bool bare, int code, const char *reason)
{
    open_push(b, bare, NULL, "disconnect");
    put_code(b, code, reason);
    close_push(b, bare);
}
