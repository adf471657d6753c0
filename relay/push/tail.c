/* tail - what happens in one channel, or to one user, shown live to an operator
 *
 * GET /admin/tail?channel=C or ?user=U, with the key. p->tail exists while there are watchers.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/tail.h"

#include <string.h>

#include "relay/mem.h"
#include "shared/json.h"
#include "shared/percent.h"
#include "shared/when.h"

enum {
    WATCHERS_MAX = 16,
    LINE_MAX_BYTES = 32 << 20,      /* of one event; more than any publication may be */
    PING_MS = 25000,
    QUEUE_FRAMES = 10000,
    QUEUE_BYTES = 4 << 20,
    STALL_MS = 10000,
};

struct watcher {
    struct io_client io;            /* first */
    struct push *push;
    struct conn *conn;              /* NULL: not yet, or no more */
    struct watcher *prev, *next;
    char *channel, *user;           /* one is NULL */
};

struct push_tail {
    struct watcher *watchers;
    size_t n;
    struct frame *ping;
    struct io_rules rules;
};

static const char *const kind_words[TAIL_KINDS] = {
    [TAIL_PUBLICATION] = "publication", [TAIL_JOIN] = "join",
    [TAIL_LEAVE] = "leave",             [TAIL_SUBSCRIBE] = "subscribe",
    [TAIL_UNSUBSCRIBE] = "unsubscribe", [TAIL_CONNECT] = "connect",
    [TAIL_DISCONNECT] = "disconnect",
};

/* ---- watchers ---- */

static struct push_tail *
tail_new(void)
{
    struct push_tail *t = mem_new(sizeof *t);

    t->ping = frame_text("{}", 2);
    t->rules = (struct io_rules){ .ping_ms = t->ping ? PING_MS : 0, .ping = t->ping,
                                  .queue_frames = QUEUE_FRAMES, .queue_bytes = QUEUE_BYTES,
                                  .stall_ms = STALL_MS, .slow_code = CLOSE_SLOW,
                                  .slow_reason = push_close_reason(CLOSE_SLOW) };
    return t;
}

static void
watcher_free(struct watcher *w)
{
    struct push *p = w->push;
    struct push_tail *t = p->tail;

    if (w->prev)
        w->prev->next = w->next;
    else
        t->watchers = w->next;
    if (w->next)
        w->next->prev = w->prev;
    free(w->channel);
    free(w->user);
    free(w);
    if (--t->n > 0)
        return;
    p->tail = NULL;
    frame_unref(t->ping);
    free(t);
}

static void
abandoned(struct io_client *client)
{
    watcher_free((struct watcher *)client);
}

static void
opened(struct io_client *client, struct conn *c)
{
    ((struct watcher *)client)->conn = c;
}

/* Streams have no way up. */
static void
message(struct io_client *client, const char *p, size_t len, bool binary)
{
    (void)client, (void)p, (void)len, (void)binary;
}

static const struct io_client_calls calls = {
    .abandoned = abandoned, .opened = opened, .message = message, .closed = abandoned,
};

static struct watcher *
watcher_new(struct push *p, const char *channel, const char *user)
{
    struct watcher *w = mem_new(sizeof *w);
    struct push_tail *t;

    if (!p->tail)
        p->tail = tail_new();
    t = p->tail;
    w->io.calls = &calls;
    w->io.rules = &t->rules;
    w->push = p;
    w->channel = channel ? mem_string(channel) : NULL;
    w->user = user ? mem_string(user) : NULL;
    w->next = t->watchers;
    if (w->next)
        w->next->prev = w;
    t->watchers = w;
    t->n++;
    return w;
}

/* ---- events ---- */

static void
put_text(struct sbuf *b, const char *name, const char *text)
{
    if (text)
        json_kv(b, name, text);
}

static void
put_raw(struct sbuf *b, const char *name, const char *raw)
{
    if (!raw)
        return;
    json_key(b, name);
    json_put_raw(b, raw);
}

static struct frame *
frame_of(const struct tail_event *e)
{
    struct frame *f = NULL;
    char time[WHEN_TEXT_SIZE];
    struct sbuf b;

    sbuf_init(&b, LINE_MAX_BYTES);
    json_open(&b, '{');
    json_kv(&b, "time", when_text(when_now_ms(), time));
    json_kv(&b, "event", kind_words[e->kind]);
    put_text(&b, "channel", e->channel);
    put_text(&b, "user", e->user);
    put_text(&b, "client", e->client);
    if (e->offset)
        json_kv_int(&b, "offset", (int64_t)e->offset);
    if (e->code)
        json_kv_int(&b, "code", e->code);
    put_text(&b, "reason", e->reason);
    put_raw(&b, "info", e->info);
    put_raw(&b, "data", e->data);
    json_close(&b, '}');
    if (!b.failed)
        f = frame_text(b.data, b.len);
    sbuf_fini(&b);
    return f;
}

static bool
fits(const struct watcher *w, const struct tail_event *e)
{
    const char *given = w->channel ? e->channel : e->user;

    return w->conn && given && strcmp(given, w->channel ? w->channel : w->user) == 0;
}

void
tail_show(struct push *p, const struct tail_event *e)
{
    struct frame *f = NULL;
    struct watcher *w, *next;

    for (w = p->tail->watchers; w; w = next) {
        next = w->next;
        if (!fits(w, e))
            continue;
        if (!f && !(f = frame_of(e)))
            break;
        conn_send(w->conn, f);
    }
    frame_unref(f);
}

void
tail_end_all(struct push *p)
{
    struct watcher *w;

    for (w = p->tail ? p->tail->watchers : NULL; w; w = w->next)
        if (w->conn)
            conn_close(w->conn, CLOSE_SHUTDOWN, push_close_reason(CLOSE_SHUTDOWN));
}

/* ---- the request ---- */

static enum io_verdict
watch(struct push *p, struct io_answer *a, const char *channel, const char *user,
      struct io_client **client_r)
{
    if (!channel == !user) {
        a->status = 400;
        a->content_type = "text/plain; charset=utf-8";
        sbuf_puts(&a->body, "either channel or user is needed\n");
        return IO_ANSWER;
    }
    if (p->tail && p->tail->n >= WATCHERS_MAX) {
        a->status = 503;
        return IO_ANSWER;
    }
    a->status = 200;
    a->content_type = "application/x-ndjson";
    sbuf_puts(&a->headers, "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n");
    a->stream = IO_STREAM_LINES;
    *client_r = &watcher_new(p, channel, user)->io;
    return IO_STREAM;
}

enum io_verdict
tail_request(void *arg, const struct io_request *r, struct io_exchange *x, struct io_answer *a,
             struct io_client **client_r)
{
    struct push *p = arg;
    struct arena *arena;
    enum io_verdict verdict;

    (void)x;
    a->content_type = NULL;
    if (!api_key_good(p, r)) {
        a->status = 401;
        return IO_ANSWER;
    }
    if (strcmp(r->method, "GET") != 0) {
        a->status = 405;
        sbuf_puts(&a->headers, "Allow: GET\r\n");
        return IO_ANSWER;
    }
    arena = arena_new();
    verdict = watch(p, a, percent_query(arena, r->query, "channel"), percent_query(arena, r->query, "user"),
                    client_r);
    arena_free(arena);
    return verdict;
}
