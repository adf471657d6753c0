/* io_conn - connections of either kind: the queue, its bounds, and the end of a turn
 *
 * What is queued during a loop turn is written just before the loop sleeps. Only a connection whose
 * socket did not take everything waits until it is writable. A queue is too long only when the peer does not
 * take it: one that fills within a turn is written early.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/io_conn.h"

#include <stdlib.h>
#include <string.h>

enum { CODE_NO_MEMORY = 1011 };         /* RFC 6455 section 7.4.1 */

void
conn_init(struct conn *c, struct io_links *l, struct io_client *client)
{
    c->links = l;
    c->client = client;
    outq_init(&c->out);
}

static void
conn_unmark_dirty(struct conn *c)
{
    if (c->dirty)
        TAILQ_REMOVE(&c->links->dirty, c, dirty_entry);
    c->dirty = false;
}

void
conn_fini(struct conn *c)
{
    conn_unmark_dirty(c);
    conn_owe(c, 0);
    outq_fini(&c->out);
    io_lws_forget(c);
    free(c->reason);
}

void
conn_owe(struct conn *c, size_t bytes)
{
    c->links->owed += (int64_t)bytes - c->owed;
    c->owed = (uint32_t)bytes;
}

void
conn_mark_dirty(struct conn *c)
{
    if (!c->dirty)
        TAILQ_INSERT_TAIL(&c->links->dirty, c, dirty_entry);
    c->dirty = true;
}

void
conn_opened(struct conn *c)
{
    struct io_links *l = c->links;

    io_life_join(c);
    if (l->probing)
        return;
    l->count++;
    io_count(l->io, conn_is_stream(c) ? IO_STREAMED : IO_UPGRADED, 1);
    c->client->calls->opened(c->client, c);
}

void
conn_closed(struct conn *c)
{
    struct io_links *l = c->links;

    io_life_leave(c);
    c->state = CONN_LEAVING;
    if (l->probing)
        return;
    l->count--;
    io_count(l->io, c->code != 0 ? IO_CLOSED_BY_US : c->peer_closed ? IO_CLOSED_BY_PEER : IO_BROKEN, 1);
    c->client->calls->closed(c->client);
    io_accept_resume(l->io->accept);
}

void
conn_kill(struct conn *c)
{
    c->state = CONN_LEAVING;
    io_life_ends(c);
    conn_unmark_dirty(c);
    if (conn_is_stream(c))
        io_stream_kill(c);
    else
        io_lws_kill(c);
}

void
conn_give_up(struct conn *c)
{
    const struct io_rules *rules = c->client->rules;

    conn_clear(c);
    if (rules->slow != NULL && conn_is_stream(c))
        outq_push(&c->out, rules->slow, UINT32_MAX, SIZE_MAX);
    conn_close(c, rules->slow_code, rules->slow_reason);
}

void
conn_refuse(struct conn *c, int code, const char *reason)
{
    io_count(c->links->io, IO_PROTOCOL_ERROR, 1);
    conn_close(c, code, reason);
}

int
conn_flush(struct conn *c)
{
    int e;

    if (c->state == CONN_LEAVING)
        return 0;
    e = conn_is_stream(c) ? io_stream_flush(c) : io_lws_flush(c);
    if (e != 0 || c->state != CONN_OPEN)
        return e;
    if (c->owed > 0 && !c->behind) {
        c->behind = true;
        io_life_behind(c);
    } else if (c->owed == 0 && c->out.n == 0 && c->behind) {
        c->behind = false;
        if (c->client->calls->drained != NULL)
            c->client->calls->drained(c->client);
    }
    return 0;
}

bool
io_links_turn_ends(struct io_links *l)
{
    struct conn *c;
    bool ended = false;

    while ((c = TAILQ_FIRST(&l->dirty)) != NULL) {
        conn_unmark_dirty(c);
        if (c->broken || conn_flush(c) != 0) {
            conn_kill(c);
            ended = true;
        }
    }
    return ended;
}

struct io_links *
io_links_new(struct io *io)
{
    struct io_links *l = calloc(1, sizeof *l + IO_WRITE_MAX + 64);      /* room for what the library may put in front */

    if (l == NULL)
        return NULL;
    l->io = io;
    l->patience_ms = io->config->relay_handshake_s * 1000;
    TAILQ_INIT(&l->dirty);
    TAILQ_INIT(&l->streams);
    TAILQ_INIT(&l->unfinished);
    sbuf_init(&l->lines, SIZE_MAX / 2);
    io_life_start(l);
    if (io_lws_start(l) != ERR_OK) {
        io_life_stop(l);
        free(l);
        return NULL;
    }
    return l;
}

void
io_links_free(struct io_links *l)
{
    if (l == NULL)
        return;
    io_life_stop(l);
    io_streams_free(l);
    io_lws_stop(l);
    sbuf_fini(&l->lines);
    free(l);
}

int64_t
io_links_count(const struct io_links *l)
{
    return l->count;
}

int64_t
io_links_owed(const struct io_links *l)
{
    return l->owed;
}

/* ---- what the layer above calls ---- */

struct io_client *
conn_client(const struct conn *c)
{
    return c->client;
}

bool
conn_is_stream(const struct conn *c)
{
    return c->wsi == NULL;
}

static enum err
queue_push(struct conn *c, struct frame *f)
{
    const struct io_rules *rules = c->client->rules;
    size_t bytes = (size_t)rules->queue_bytes;

    return outq_push(&c->out, f, (uint32_t)rules->queue_frames, bytes > c->owed ? bytes - c->owed : 0);
}

/* Where each write is one message a joined frame has to come apart. */
static void
send_parts(struct conn *c, const struct frame *f)
{
    struct frame *part;
    uint32_t at = 0;

    while ((part = frame_part(f, &at)) != NULL) {
        if (outq_push(&c->out, part, UINT32_MAX, SIZE_MAX) == ERR_OK)
            conn_mark_dirty(c);
        frame_unref(part);
    }
}

void
conn_send(struct conn *c, struct frame *f)
{
    enum err e;

    if (c->state != CONN_OPEN || c->broken)
        return;
    if (f->parts > 1 && !c->links->unframed && !conn_is_stream(c)) {
        send_parts(c, f);
        return;
    }
    e = queue_push(c, f);
    if (e == ERR_TOO_SLOW && !c->behind) {
        if (conn_flush(c) != 0)
            c->broken = true;
        e = queue_push(c, f);
    }
    conn_mark_dirty(c);
    if (e == ERR_OK || c->broken)
        return;
    io_count(c->links->io, IO_TOO_SLOW, e == ERR_TOO_SLOW);
    if (e == ERR_TOO_SLOW) {
        conn_give_up(c);
    } else {
        conn_clear(c);
        conn_close(c, CODE_NO_MEMORY, "out of memory");
    }
}

bool
conn_behind(const struct conn *c)
{
    return c->behind;
}

bool
conn_crowded(struct conn *c, size_t more)
{
    if (c->behind || c->state != CONN_OPEN || c->broken || c->out.n == 0
        || conn_queued(c) + more <= (size_t)c->client->rules->queue_bytes)
        return c->behind;
    if (conn_flush(c) != 0) {
        c->broken = true;
        conn_mark_dirty(c);
    }
    return c->behind;
}

size_t
conn_queued(const struct conn *c)
{
    return c->out.bytes + c->owed;
}

void
conn_clear(struct conn *c)
{
    outq_fini(&c->out);
}

size_t
conn_owed(const struct conn *c)
{
    return c->owed;
}

void
conn_heard(struct conn *c)
{
    io_life_heard(c);
}

void
conn_close(struct conn *c, int code, const char *reason)
{
    if (c->state != CONN_OPEN)
        return;
    c->state = CONN_CLOSING;
    c->code = (uint16_t)code;
    c->reason = reason != NULL ? strdup(reason) : NULL;
    io_life_ends(c);
    conn_mark_dirty(c);
}

/* libwebsockets frees one that owes something in a later turn; by then somebody might drop it again and again. */
void
conn_drop(struct conn *c)
{
    outq_fini(&c->out);
    conn_owe(c, 0);
    c->broken = true;
    conn_mark_dirty(c);
}

int
conn_code(const struct conn *c)
{
    return c->code;
}
