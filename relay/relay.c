/* relay - the log: from bus and tail through the inbox to audience and ring
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/relay.h"

#include "relay/mem.h"
#include "relay/relay_private.h"
#include "shared/fault.h"
#include "shared/log.h"
#include "shared/when.h"

#define BUS_PER_WAKE 256        /* pushes handled before sockets get their turn */
#define COMPLAIN_MS 10000       /* refused pushes are logged this often */
#define FRAME_MAX (64u << 20)

/* ---- delivery ---- */

/* The event's frame as that door's sessions are told it, made once. NULL: it has none. */
static struct frame *
frame_of(struct relay *r, const struct relay_door *door, const struct event *e)
{
    struct relay_format *format = &r->formats[door->format];
    struct sbuf b;

    if (format->made)
        return format->frame;
    format->made = true;
    if (e->body_len > 0) {
        sbuf_init(&b, FRAME_MAX);
        wire_put_event(&b, door->wire, e);
        if (!b.failed && b.len > 0)
            format->frame = frame_text(b.data, b.len);
        sbuf_fini(&b);
    }
    return format->frame;
}

static void
forget_frames(struct relay *r)
{
    for (size_t i = 0; i < r->n_doors; i++) {
        frame_unref(r->formats[i].frame);
        r->formats[i] = (struct relay_format){ 0 };
    }
}

static void
on_deliver(void *arg, struct audience_session *hears, const struct event *e)
{
    struct relay *r = arg;
    struct session *s = session_of(hears);
    struct frame *f = frame_of(r, s->door, e);

    if (!f)
        return;
    if (s->state == SESSION_LIVE)
        r->heard |= s->door->bit;
    session_hear(s, f);
}

static void
on_close(void *arg, struct audience_session *hears, int code, const char *reason)
{
    (void)arg;
    session_close(session_of(hears), code, reason);
}

static const struct audience_calls audience_calls = { on_deliver, on_close };

/* Says so of an event that some wire's clients should have heard, and none was there. */
static void
log_unheard(struct relay *r, const struct event *e)
{
    const char *line;

    for (size_t i = 0; i < r->n_doors; i++) {
        const struct relay_door *door = &r->doors[i];

        if (!(r->heard & door->bit) && door->wire->unheard
            && (line = door->wire->unheard(r->scratch, e)))
            log_event(LOG_LEVEL_INFO, line, NULL);
    }
}

/* ---- the inbox's calls ---- */

static void
on_event(void *arg, struct held *h)
{
    struct relay *r = arg;

    r->heard = 0;
    audience_apply(r->audience, &h->event);
    forget_frames(r);
    if (h->event.body_len > 0)
        log_unheard(r, &h->event);
    ring_add(r->ring, h);
    relay_webhooks_event(r, &h->event);
    FAULT("relay.applied");
    if (log_enabled(LOG_LEVEL_DEBUG))
        log_event(LOG_LEVEL_DEBUG, "event", "seq", log_number(h->event.seq), "kind",
                  event_name(h->event.kind), "request", h->event.request, NULL);
}

static void
on_want_timer(void *arg)
{
    struct relay *r = arg;

    io_timer_set(r->gap_timer, r->config->gap_wait_ms);
}

static void
on_want_read(void *arg, int64_t after)
{
    struct relay *r = arg;

    tail_read(r->tail, after);
}

static void
on_lost(void *arg, int64_t head)
{
    struct relay *r = arg;

    log_event(LOG_LEVEL_ERROR, "events_lost", "stood",
              log_number(audience_seq(r->audience)), "head", log_number(head), NULL);
    ring_clear(r->ring);
    relay_reload_all(r);
    audience_skip(r->audience, head);
    relay_webhooks_wake(r);
}

static const struct inbox_calls inbox_calls = {
    on_event, on_want_timer, on_want_read, on_lost
};

static void
gap_due(void *arg)
{
    struct relay *r = arg;

    inbox_timer(r->inbox);
}

/* ---- the tail's calls ---- */

static void
on_head(void *arg, int64_t head)
{
    struct relay *r = arg;

    inbox_head(r->inbox, head);
}

static void
on_page(void *arg, const struct inbox_page *page)
{
    struct relay *r = arg;

    inbox_read(r->inbox, page);
}

static void
wake(void *arg)
{
    struct relay *r = arg;

    io_wake(r->io);
}

static const struct tail_calls tail_calls = { wake, on_head, on_page };

static void
woken(void *arg)
{
    struct relay *r = arg;

    worker_collect(r->worker);
    tail_collect(r->tail);
    relay_webhooks_collect(r);
}

/* ---- the bus ---- */

static void
complain(struct relay *r, enum err e)
{
    int64_t now = when_monotonic_ms();

    *(e == ERR_UNAUTHORIZED ? &r->forged : &r->malformed) += 1;
    if (r->complained_ms && now - r->complained_ms < COMPLAIN_MS)
        return;
    r->complained_ms = now;
    log_event(LOG_LEVEL_WARNING, "push_refused", "why", err_word(e), "forged",
              log_number(r->forged), "malformed", log_number(r->malformed), NULL);
}

static void
take_push(struct relay *r, const void *p, size_t len)
{
    struct event e;
    struct held *h;
    enum err err = event_message_read(r->scratch, p, len, r->start.key, &e);

    FAULT("relay.received");
    if (err == ERR_OK) {
        h = held_new(&e);
        inbox_push(r->inbox, h);
        held_unref(h);
    } else {
        complain(r, err);
    }
    arena_reset(r->scratch);
}

static void
bus_readable(void *arg)
{
    struct relay *r = arg;
    const void *p;
    size_t len;

    for (int i = 0; i < BUS_PER_WAKE; i++) {
        if (bus_receive(r->start.bus, &p, &len) != ERR_OK)
            return;
        take_push(r, p, len);
    }
    io_timer_set(r->bus_timer, 0);      /* more may wait, and the descriptor will not say so again */
}

/* ---- beginning and end ---- */

static bool
open_all(struct relay *r)
{
    const struct config *c = r->config;
    int64_t head;

    io_on_wake(r->io, woken, r);
    if (!(r->worker = worker_new(c, wake, r))
        || tail_open(c, &tail_calls, r, &head, &r->tail) != ERR_OK)
        return false;
    r->inbox = inbox_new(head, (size_t)c->hold_max, (size_t)c->ring_bytes, &inbox_calls, r);
    r->audience = audience_new(head, &audience_calls, r);
    r->ring = ring_new((size_t)c->ring_events, (size_t)c->ring_bytes);
    r->gap_timer = io_timer_new(r->io, gap_due, r);
    r->bus_timer = io_timer_new(r->io, bus_readable, r);
    relay_doors(r);
    relay_commands(r);
    relay_session_timers(r);
    relay_presence_timers(r);
    relay_archive_timer(r);
    if (!relay_webhooks(r))
        return false;
    io_timer_set(r->bus_timer, 0);      /* what came before the loop runs */
    log_event(LOG_LEVEL_INFO, "following", "head", log_number(head), NULL);
    return tail_start(r->tail) == ERR_OK
        && io_watch(r->io, bus_receiver_fd(r->start.bus), bus_readable, r) == ERR_OK;
}

struct relay *
relay_new(const struct relay_start *start)
{
    struct relay *r = mem_new(sizeof *r);
    const struct config *c = start->config;

    r->start = *start;
    r->config = c;
    r->io = start->io;
    r->scratch = arena_new();
    r->presence = presence_new(c->presence_grace_ms);
    if (!open_all(r)) {
        relay_free(r);
        return NULL;
    }
    return r;
}

void
relay_free(struct relay *r)
{
    if (!r)
        return;
    r->stopping = true;
    tail_free(r->tail);
    relay_webhooks_close(r);
    relay_commands_close(r);
    worker_free(r->worker);
    relay_commands_free(r);
    relay_webhooks_free(r);
    io_timer_free(r->gap_timer);
    io_timer_free(r->bus_timer);
    relay_session_timers_free(r);
    relay_presence_timers_free(r);
    relay_archive_timer_free(r);
    relay_doors_free(r);
    inbox_free(r->inbox);
    audience_free(r->audience);
    ring_free(r->ring);
    presence_free(r->presence);
    arena_free(r->scratch);
    free(r);
}

void
relay_log_counters(const struct relay *r)
{
    const struct inbox_stats *s = inbox_stats(r->inbox);

    log_event(LOG_LEVEL_INFO, "log", "seq", log_number(inbox_last(r->inbox)), "repeated",
              log_number(s->repeated), "beyond", log_number(s->beyond), "alien",
              log_number(s->alien), "reads", log_number(s->reads), NULL);
    relay_webhooks_log(r);
}
