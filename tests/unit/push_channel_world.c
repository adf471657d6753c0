/* push_channel_world - stand-ins for what surrounds channels
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/unit/push_channel_world.h"

#include <stdio.h>

#include "relay/mem.h"
#include "relay/push/callback_answer.h"
#include "relay/push/tail.h"
#include "shared/when.h"

#define STREAMS 8
#define WINDOW 1000
#define QUESTIONS 64
#define TIMERS 64

struct world world;
struct stream_position world_at;

/* ---- clients ---- */

void
client_ref(struct push_client *c)
{
    c->refs++;
}

void
client_unref(struct push_client *c)
{
    struct peer *p = (struct peer *)c;

    if (--c->refs > 0)
        return;
    sbuf_fini(&p->out);
    free(c->client_info);
    free(p);
}

static void
write_down(struct peer *p, const char *text, size_t len)
{
    sbuf_put(&p->out, text, len);
    sbuf_putc(&p->out, '\n');
}

void
client_send(struct push_client *c, struct sbuf *line)
{
    write_down((struct peer *)c, sbuf_str(line), line->len);
    sbuf_fini(line);
}

void
client_send_frame(struct push_client *c, struct frame *f)
{
    struct frame *part;
    uint32_t at = 0;

    ((struct peer *)c)->frames++;
    while ((part = frame_part(f, &at))) {
        write_down((struct peer *)c, (const char *)part->bytes + part->payload,
                   part->len - part->payload);
        frame_unref(part);
    }
}

void
client_send_error(struct push_client *c, uint32_t id, enum push_error e)
{
    struct sbuf b;

    sbuf_init(&b, 1000);
    reply_error(&b, id, e);
    client_send(c, &b);
}

void
client_send_words(struct push_client *c, uint32_t id, const struct callback_answer *a)
{
    struct sbuf b;

    sbuf_init(&b, 1000);
    reply_error_words(&b, id, a->error, a->message, a->temporary);
    client_send(c, &b);
}

void
client_close(struct push_client *c, int code, const char *reason)
{
    struct peer *p = (struct peer *)c;

    if (p->conn.closed)
        return;
    p->conn.closed = code;
    sbuf_printf(&p->out, "!%d %s\n", code, reason ? reason : push_close_reason((enum push_close)code));
}

bool
client_judge(struct push_client *c, uint32_t id, struct push_verdict v)
{
    if (v.close)
        client_close(c, (int)v.close, NULL);
    else if (v.error)
        client_send_error(c, id, v.error);
    return v.close || v.error;
}

bool
conn_behind(const struct conn *c)
{
    return c->behind;
}

bool
conn_crowded(struct conn *c, size_t more)
{
    (void)more;
    return c->behind;
}

struct peer *
peer_new(const char *id, const char *user)
{
    struct peer *p = mem_new(sizeof *p);
    struct sbuf b;

    sbuf_init(&p->out, 1 << 24);
    sbuf_init(&b, 1000);
    snprintf(p->c.id, sizeof p->c.id, "%s", id);
    reply_client_info(&b, user, id, NULL, NULL);
    p->c.client_info = mem_string(sbuf_str(&b));
    sbuf_fini(&b);
    p->user.node.key = user;
    p->c.user = &p->user;
    p->c.push = &world.push;
    p->c.conn = &p->conn;
    p->c.refs = 1;
    p->c.state = CLIENT_CONNECTED;
    return p;
}

void
peer_gone(struct peer *p)
{
    p->c.conn = NULL;
    subscription_end_all(&p->c);
}

void
peer_free(struct peer *p)
{
    if (p->c.conn)
        peer_gone(p);
    client_unref(&p->c);
}

const char *
peer_heard(struct peer *p)
{
    static char text[1 << 20];

    snprintf(text, sizeof text, "%s", sbuf_str(&p->out));
    sbuf_reset(&p->out);
    p->frames = 0;
    return text;
}

void
peer_says(struct peer *p, const char *json)
{
    struct command_reader r = { .at = json, .end = json + strlen(json) };
    struct command cmd;

    if (command_next(world.push.scratch, &r, &cmd) != ERR_OK) {
        client_close(&p->c, CLOSE_BAD_REQUEST_CLOSE, NULL);
        return;
    }
    switch (cmd.method) {
    case COMMAND_SUBSCRIBE:
        subscription_command_subscribe(&p->c, &cmd);
        break;
    case COMMAND_UNSUBSCRIBE:
        subscription_command_unsubscribe(&p->c, &cmd);
        break;
    case COMMAND_SUB_REFRESH:
        subscription_command_refresh(&p->c, &cmd);
        break;
    case COMMAND_PUBLISH:
        channel_command_publish(&p->c, &cmd);
        break;
    case COMMAND_PRESENCE:
        channel_command_presence(&p->c, &cmd);
        break;
    case COMMAND_PRESENCE_STATS:
        channel_command_presence_stats(&p->c, &cmd);
        break;
    case COMMAND_HISTORY:
        channel_command_history(&p->c, &cmd);
        break;
    default:
        abort();
    }
}

/* ---- settings ---- */

struct channel_options *
world_namespace(const char *name)
{
    struct channel_options *o = &world.options[world.n_options++];

    *o = (struct channel_options){ .name = name, .history_ttl_s = 300,
                                   .history_meta_ttl_s = 3000, .subscribe = SUBSCRIBE_ANYONE,
                                   .publish = WHO_ANYONE };
    return o;
}

enum channel_fault
push_settings_channel(const struct push_settings *s, const char *channel,
                      const struct channel_options **o_r)
{
    const char *colon = strchr(channel, ':');
    size_t len = colon ? (size_t)(colon - channel) : 0;

    (void)s;
    if (!channel[0] || strlen(channel) > 255)
        return CHANNEL_BAD_NAME;
    for (size_t i = 0; i < world.n_options; i++)
        if (strlen(world.options[i].name) == len && memcmp(world.options[i].name, channel, len) == 0) {
            *o_r = &world.options[i];
            return CHANNEL_FINE;
        }
    return CHANNEL_UNKNOWN;
}

bool
channel_is_private(const char *channel)
{
    const char *colon = strchr(channel, ':');

    return channel[0] == '$' || (colon && colon[1] == '$');
}

bool
channel_lists_user(const char *channel, const char *user)
{
    const char *list = strchr(channel, '#');

    return list && strcmp(list + 1, user) == 0;
}

const struct token_keys *
push_settings_keys(const struct push_settings *s)
{
    (void)s;
    return NULL;
}

/* "user channel client-or-* expires-in-s info-or-*"; "expired"; anything else is bad. */
enum err
subscription_token_verify(struct arena *a, const struct token_keys *k, const char *text,
                          int64_t now_ms, struct subscription_token *t_r)
{
    char user[64], channel[64], client[64], info[64];
    long expires_s;

    (void)k;
    if (strcmp(text, "expired") == 0)
        return ERR_TIMEOUT;
    if (sscanf(text, "%63s %63s %63s %ld %63s", user, channel, client, &expires_s, info) != 5)
        return ERR_UNAUTHORIZED;
    *t_r = (struct subscription_token){ .user = arena_string(a, user),
                                        .channel = arena_string(a, channel) };
    if (strcmp(client, "*") != 0)
        t_r->client = arena_string(a, client);
    if (strcmp(info, "*") != 0)
        t_r->info = arena_string(a, info);
    t_r->expires_ms = expires_s ? now_ms + expires_s * 1000 : 0;
    return ERR_OK;
}

void
client_judge_token(struct push_client *c, const struct command *cmd, client_token_judged *judged)
{
    struct subscription_token t = { 0 };
    enum err e = subscription_token_verify(c->push->scratch, NULL, cmd->token, when_now_ms(), &t);

    judged(c, cmd, e, &t);
}

/* ---- hooks and watchers ---- */

void
hook_tell(struct hook *h, const struct hook_event *e)
{
    static const char *const names[] = { "connect", "disconnect", "first-join", "last-leave",
                                         "occupied", "vacated" };

    (void)h;
    sbuf_printf(&world.hooks, "%s %s%s%s\n", names[e->kind], e->channel, e->user ? " " : "",
                e->user ? e->user : "");
}

void
tail_show(struct push *p, const struct tail_event *e)
{
    (void)p, (void)e;
}

/* ---- the loop ---- */

struct io_timer {
    void (*due)(void *arg);
    void *arg;
    bool set;
};

static struct io_timer *timers[TIMERS];

struct io_timer *
io_timer_new(struct io *io, void (*due)(void *arg), void *arg)
{
    struct io_timer *t = mem_new(sizeof *t);
    size_t i = 0;

    (void)io;
    *t = (struct io_timer){ due, arg, false };
    while (timers[i])
        i++;
    return timers[i] = t;
}

void
io_timer_set(struct io_timer *t, int64_t after_ms)
{
    (void)after_ms;
    t->set = true;
}

void
io_timer_free(struct io_timer *t)
{
    for (size_t i = 0; i < TIMERS; i++)
        if (timers[i] == t)
            timers[i] = NULL;
    free(t);
}

void
world_timers(void)
{
    for (size_t i = 0; i < TIMERS; i++)
        if (timers[i] && timers[i]->set) {
            timers[i]->set = false;
            timers[i]->due(timers[i]->arg);
        }
}

void
io_on_turn(struct io *io, void (*turn_ends)(void *arg), void *arg)
{
    (void)io;
    world.turn = turn_ends;
    world.turn_arg = arg;
}

void
world_turn(void)
{
    world.turn(world.turn_arg);
}

static struct wheel_entry *deadlines;
static int64_t deadline_ms;

void
wheel_clear(struct wheel *w, struct wheel_entry *e)
{
    (void)w;
    if (!e->at)
        return;
    *e->at = e->next;
    if (e->next)
        e->next->at = e->at;
    e->at = NULL;
}

void
wheel_set(struct wheel *w, struct wheel_entry *e, int64_t after_ms, void (*due)(struct wheel_entry *e))
{
    wheel_clear(w, e);
    e->due = due;
    e->next = deadlines;
    if (e->next)
        e->next->at = &e->next;
    e->at = &deadlines;
    deadlines = e;
    deadline_ms = after_ms;
}

void
world_wheel(void)
{
    struct wheel_entry *e;

    while ((e = deadlines)) {
        wheel_clear(NULL, e);
        e->due(e);
    }
}

int64_t
world_wheel_ms(void)
{
    return deadlines ? deadline_ms : -1;
}

/* ---- the store: everything at once, but for histories when it is asynchronous ---- */

struct stream {
    const char *name;
    struct stream_position top;
    struct publication *window[WINDOW];
    size_t n;
    struct stream_presence *present;
    int generation;
};

struct question {
    char *channel;
    struct stream_query q;
    char epoch[STREAM_EPOCH_SIZE];
    struct stream_position frozen;      /* the answer; epoch "": it is made later */
    stream_told *done;
    void *arg;
};

static struct stream streams[STREAMS];
static struct question questions[QUESTIONS];
static size_t n_questions;

static struct stream *
stream_of(const char *name)
{
    struct stream *s = streams;

    while (s->name && strcmp(s->name, name) != 0)
        s++;
    if (!s->name) {
        s->name = mem_string(name);
        snprintf(s->top.epoch, sizeof s->top.epoch, "e%d", s->generation);
    }
    return s;
}

static void
stream_empty(struct stream *s)
{
    while (s->n > 0)
        publication_unref(s->window[--s->n]);
}

static void
store_publish(struct stream_store *store, const struct stream_publish *p, stream_published *done, void *arg)
{
    struct stream *s = stream_of(p->channel);
    struct stream_position none = { 0 };

    (void)store;
    if (world.broken) {
        done(arg, world.broken, NULL);
        return;
    }
    if (p->rules.size > 0 && !p->skip_history) {
        p->publication->offset = ++s->top.offset;
        s->window[s->n++] = publication_ref(p->publication);
    }
    channel_deliver(&world.push, p->channel, p->publication);
    done(arg, ERR_OK, p->rules.size > 0 ? &s->top : &none);
}

static void
tell(const char *channel, const struct stream_query *q, stream_told *done, void *arg)
{
    struct stream *s = stream_of(channel);
    struct stream_history h = { .top = s->top };
    struct publication *found[WINDOW];

    if (world.broken) {
        done(arg, world.broken, NULL);
        return;
    }
    h.publications = found;
    if (q->since && q->epoch && q->epoch[0] && strcmp(q->epoch, s->top.epoch) != 0) {
        done(arg, ERR_NOT_FOUND, &h);
        return;
    }
    h.whole = q->offset == s->top.offset
              || (q->offset < s->top.offset && s->n > 0 && s->window[0]->offset <= q->offset + 1);
    for (size_t i = 0; i < s->n; i++) {
        struct publication *p = s->window[q->reverse ? s->n - 1 - i : i];

        if ((q->limit < 0 || (int64_t)h.n < q->limit) && (!q->since || p->offset > q->offset))
            found[h.n++] = p;
    }
    done(arg, ERR_OK, &h);
}

static void
store_history(struct stream_store *store, const char *channel, const struct stream_rules *rules,
              const struct stream_query *q, stream_told *done, void *arg)
{
    struct question *u;

    (void)store, (void)rules;
    if (!world.async) {
        tell(channel, q, done, arg);
        return;
    }
    u = &questions[n_questions++];
    *u = (struct question){ .channel = mem_string(channel), .q = *q, .done = done, .arg = arg };
    snprintf(u->epoch, sizeof u->epoch, "%s", q->epoch ? q->epoch : "");
}

void
world_store_answer(void)
{
    struct question u = questions[0];

    memmove(questions, questions + 1, --n_questions * sizeof u);
    u.q.epoch = u.epoch;
    if (u.frozen.epoch[0])
        u.done(u.arg, ERR_OK, &(struct stream_history){ .top = u.frozen });
    else
        tell(u.channel, &u.q, u.done, u.arg);
    free(u.channel);
}

void
world_store_freeze(void)
{
    questions[0].frozen = stream_of(questions[0].channel)->top;
}

static void
store_remove(struct stream_store *store, const char *channel, const struct stream_rules *rules,
             stream_published *done, void *arg)
{
    (void)store, (void)rules;
    stream_empty(stream_of(channel));
    done(arg, ERR_OK, &stream_of(channel)->top);
}

static void
store_join(struct stream_store *store, const char *channel, struct stream_presence *who)
{
    struct stream *s = stream_of(channel);

    (void)store;
    who->stream = s;
    who->prev = NULL;
    who->next = s->present;
    if (who->next)
        who->next->prev = who;
    s->present = who;
}

static void
store_leave(struct stream_store *store, struct stream_presence *who)
{
    struct stream *s = who->stream;

    (void)store;
    if (who->next)
        who->next->prev = who->prev;
    if (who->prev)
        who->prev->next = who->next;
    else
        s->present = who->next;
    who->stream = NULL;
}

static void
store_presence(struct stream_store *store, const char *channel,
               void (*each)(void *arg, const struct stream_presence *who),
               void (*done)(void *arg, enum err e, int64_t n_clients, int64_t n_users), void *arg)
{
    int64_t n = 0, users = 0;

    (void)store;
    for (struct stream_presence *p = stream_of(channel)->present, *o; p; p = p->next) {
        each(arg, p);
        n++;
        for (o = p->next; o && strcmp(o->user, p->user) != 0; o = o->next)
            ;
        users += !o;
    }
    done(arg, ERR_OK, n, users);
}

static const struct stream_store_calls store_calls = {
    .publish = store_publish,
    .history = store_history,
    .remove = store_remove,
    .join = store_join,
    .leave = store_leave,
    .presence = store_presence,
};
static struct stream_store store = { &store_calls };

void
world_store_forget(const char *channel)
{
    struct stream *s = stream_of(channel);

    stream_empty(s);
    s->top.offset = 0;
    snprintf(s->top.epoch, sizeof s->top.epoch, "e%d", ++s->generation % 1000);
}

void
world_store_trim(const char *channel, size_t n)
{
    struct stream *s = stream_of(channel);

    for (size_t i = 0; i < n; i++)
        publication_unref(s->window[i]);
    memmove(s->window, s->window + n, (s->n - n) * sizeof s->window[0]);
    s->n -= n;
}

void
world_store_lose(const char *channel)
{
    stream_of(channel)->top.offset++;
}

static void
published(void *arg, enum push_error e, const struct stream_position *at)
{
    *(int *)arg = (int)e;
    if (at)
        world_at = *at;
}

int
world_publish_with(const struct op_publish *in)
{
    int e = -1;

    op_publish(&world.push, in, published, &e);
    return e;
}

int
world_publish(const char *channel, const char *json)
{
    return world_publish_with(&(struct op_publish){ .channel = channel, .data = json,
                                                    .data_len = strlen(json) });
}

/* ---- all of it ---- */

void
world_new(void)
{
    memset(&world, 0, sizeof world);
    world.config = (struct config){ .push_channels_per_client = 128, .push_history_max = 300,
                                    .push_expiry_grace_s = 25, .push_data_max = 1000,
                                    .push_list_max = 1000, .push_bytes_per_s = 1 << 20 };
    world.push.config = &world.config;
    world.push.store = &store;
    world.push.hub = hub_new();
    world.push.scratch = arena_new();
    sbuf_init(&world.hooks, 1 << 16);
    channels_new(&world.push);
}

void
world_free(void)
{
    world_turn();
    while (n_questions > 0)
        world_store_answer();
    for (size_t i = 0; i < STREAMS; i++) {
        stream_empty(&streams[i]);
        free((char *)streams[i].name);
        streams[i] = (struct stream){ 0 };
    }
    channels_free(&world.push);
    hub_free(world.push.hub);
    arena_free(world.push.scratch);
    sbuf_fini(&world.hooks);
}
