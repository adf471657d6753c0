/* relay_session - connections: handshake, connecting by way of a worker, closing
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/mem.h"
#include "relay/relay_private.h"
#include "shared/log.h"
#include "shared/when.h"

#define ATTEMPTS_MAX 10         /* reads of the database that came too late, before giving up */
#define EXPIRY_STEP_MS 100      /* ends of credentials nearer than this are handled together */
#define EXPIRY_FAR_MS 3600000   /* a timer is never set further ahead */
#define PACE_TICK_MS 50
#define PACE_TICKS 40           /* closing everybody takes this many ticks ... */
#define PACE_AT_ONCE 1000       /* ... unless there are no more than these */
#define STOP_PATIENCE_MS 3000   /* after the last close was asked for */

/* ---- the list of sessions ---- */

static void
list_add(struct relay *r, struct session *s)
{
    s->prev = NULL;
    if ((s->next = r->sessions))
        s->next->prev = s;
    r->sessions = s;
}

static void
list_remove(struct relay *r, struct session *s)
{
    if (s->prev)
        s->prev->next = s->next;
    else
        r->sessions = s->next;
    if (s->next)
        s->next->prev = s->prev;
}

static void
wait_for_presence(struct relay *r, struct session *s)
{
    if ((s->next_waiting = r->waiting))
        s->next_waiting->waiting_at = &s->next_waiting;
    s->waiting_at = &r->waiting;
    r->waiting = s;
}

/* At once: while the database is busy thousands may wait, and all of them leave. */
static void
unwait(struct session *s)
{
    if (!s->waiting_at)
        return;
    *s->waiting_at = s->next_waiting;
    if (s->next_waiting)
        s->next_waiting->waiting_at = s->waiting_at;
    s->waiting_at = NULL;
}

/* ---- handshake ---- */

static void
log_refused(const struct io_request *req, const struct io_answer *a)
{
    log_event(LOG_LEVEL_INFO, "handshake_refused", "status", log_number(a->status), "path",
              req->path, "address", req->address, NULL);
}

static enum io_verdict
refuse(const struct wire *wire, const struct io_request *req, struct io_answer *a, enum err e)
{
    wire->refuse(a, e);
    log_refused(req, a);
    return IO_ANSWER;
}

static const struct io_client_calls client_calls;

static enum io_verdict
on_request(void *arg, const struct io_request *req, struct io_exchange *x, struct io_answer *a,
           struct io_client **client_r)
{
    struct relay *r = arg;
    const struct wire *wire = wire_find(r->scratch, r->config, req->path);
    struct wire_hello hello;
    struct session *s;

    (void)x;
    arena_reset(r->scratch);
    if (!wire)
        return refuse(&wire_mtchat, req, a, ERR_NOT_FOUND);
    if (!wire->handshake(r->scratch, r->config, req, when_now_ms(), &hello, a)) {
        log_refused(req, a);
        arena_reset(r->scratch);
        return IO_ANSWER;
    }
    s = session_new(wire, &hello, req->address ? req->address : "");
    arena_reset(r->scratch);
    if (r->stopping || !limits_take(r->limits, s->user_channel)) {
        session_free(s);
        return refuse(wire, req, a, r->stopping ? ERR_BUSY : ERR_RATE);
    }
    s->io = (struct io_client){ &client_calls, &r->rules };
    s->relay = r;
    *client_r = &s->io;
    return IO_UPGRADE;
}

static void
on_abandoned(struct io_client *client)
{
    struct session *s = (struct session *)client;

    limits_give(s->relay->limits, s->user_channel);
    session_free(s);
}

/* ---- connecting ---- */

struct connect_job {
    struct worker_job job;
    struct relay *relay;
    struct session *session;
    struct connect_state state;
};

static void post_connect(struct relay *r, struct session *s);

static enum err
connect_run(struct worker_job *j, struct op *op)
{
    struct connect_job *c = (struct connect_job *)j;

    op->system = chat_system_find(c->session->wire->system);
    return op_connect(op, c->session->user, c->session->since, &c->state);
}

static void
connected(struct relay *r, struct session *s, const struct connect_state *state)
{
    if (session_connected(s, r->audience, r->ring, r->config, state) == ERR_OK)
        return;
    if (++s->attempts >= ATTEMPTS_MAX)
        session_close(s, CLOSE_LATER, "try again later");
    else
        post_connect(r, s);
}

static void
connect_done(struct worker_job *j)
{
    struct connect_job *c = (struct connect_job *)j;
    struct session *s = c->session;

    s->busy = false;
    if (s->state == SESSION_GONE) {
        session_free(s);
    } else if (s->state == SESSION_OPENING) {
        if (j->err == ERR_OK)
            connected(c->relay, s, &c->state);
        else
            session_close(s, CLOSE_LATER, "try again later");
    }
    free(c);
}

static void
post_connect(struct relay *r, struct session *s)
{
    struct connect_job *c = mem_new(sizeof *c);

    c->job.run = connect_run;
    c->job.done = connect_done;
    c->relay = r;
    c->session = s;
    s->busy = true;
    worker_post(r->worker, &c->job);
}

void
relay_connect_waiting(struct relay *r, bool written)
{
    struct session *s = r->waiting, *next;

    r->waiting = NULL;
    for (; s; s = next) {
        next = s->next_waiting;
        s->waiting_at = NULL;
        if (presence_written(r->presence, s->user_channel)) {
            post_connect(r, s);
        } else if (!written) {
            session_close(s, CLOSE_LATER, "try again later");
        } else {
            wait_for_presence(r, s);
        }
    }
}

/* ---- the end of credentials ---- */

static void
expiry_set(struct relay *r, int64_t at_ms, int64_t at_least_ms)
{
    int64_t after = at_ms - when_now_ms();

    r->expiry_ms = at_ms;
    if (after < at_least_ms)
        after = at_least_ms;
    io_timer_set(r->expiry_timer, after > EXPIRY_FAR_MS ? EXPIRY_FAR_MS : after);
}

static void
expiry_due(void *arg)
{
    struct relay *r = arg;
    int64_t now = when_now_ms(), next = 0;

    for (struct session *s = r->sessions; s; s = s->next) {
        if (!s->expires_ms || s->closing)
            continue;
        if (s->expires_ms <= now)
            session_close(s, CLOSE_POLICY, "token expired");
        else if (!next || s->expires_ms < next)
            next = s->expires_ms;
    }
    r->expiry_ms = 0;
    if (next)
        expiry_set(r, next, EXPIRY_STEP_MS);
}

/* ---- connections ---- */

static void
on_opened(struct io_client *client, struct conn *c)
{
    struct session *s = (struct session *)client;
    struct relay *r = s->relay;

    s->conn = c;
    s->opened_ms = when_monotonic_ms();
    list_add(r, s);
    presence_open(r->presence, s->user_channel, s->wire->system, s->user);
    log_event(LOG_LEVEL_INFO, "connected", "system", s->wire->system, "user", s->user, "address",
              s->address, NULL);
    if (s->expires_ms && (!r->expiry_ms || s->expires_ms < r->expiry_ms))
        expiry_set(r, s->expires_ms, 0);
    if (presence_written(r->presence, s->user_channel)) {
        post_connect(r, s);
    } else {
        wait_for_presence(r, s);
        relay_presence_write(r);
    }
}

static void
on_message(struct io_client *client, const char *p, size_t len, bool binary)
{
    struct session *s = (struct session *)client;
    struct relay *r = s->relay;

    session_message(s, r->config, r->scratch, when_monotonic_ms(), p, len, binary);
    arena_reset(r->scratch);
}

static void
on_closed(struct io_client *client)
{
    struct session *s = (struct session *)client;
    struct relay *r = s->relay;
    int64_t now = when_monotonic_ms();

    log_event(LOG_LEVEL_INFO, "disconnected", "system", s->wire->system, "user", s->user,
              "address", s->address, "ms", log_number(now - s->opened_ms), NULL);
    list_remove(r, s);
    unwait(s);
    audience_leave(r->audience, &s->hears);
    limits_give(r->limits, s->user_channel);
    s->state = SESSION_GONE;
    s->conn = NULL;
    if (!r->stopping) {         /* a relay that stops leaves its users online for the next run */
        presence_close(r->presence, s->user_channel, now);
        relay_presence_write(r);
    } else if (!r->sessions && r->stop_timer) {
        io_timer_set(r->stop_timer, 0);
    }
    if (!s->busy)
        session_free(s);
}

static const struct io_client_calls client_calls = {
    .abandoned = on_abandoned,
    .opened = on_opened,
    .message = on_message,
    .closed = on_closed,
};

/* ---- services ---- */

static struct io_service
service_at(struct relay *r, const char *path)
{
    return (struct io_service){ .path = path, .request = on_request, .arg = r };
}

static void
set_rules(struct relay *r)
{
    const struct config *c = r->config;

    r->rules = (struct io_rules){
        .ping_ms = c->ws_ping_s * 1000,
        .ping = frame_ping(),
        .silence_ms = c->ws_timeout_s * 1000,
        .queue_frames = c->ws_queue_frames,
        .queue_bytes = c->ws_queue_bytes,
        .slow_code = CLOSE_LATER,
        .slow_reason = "too slow",
        .message_max = c->ws_message_max,
    };
}

void
relay_session_services(struct relay *r)
{
    const struct wire *wire;

    set_rules(r);
    for (; (wire = wire_served(r->config, r->n_services)); r->n_services++) {
        r->services = mem_grow(r->services, r->n_services + 1, sizeof *r->services);
        r->services[r->n_services] = service_at(r, wire->path);
    }
}

void
relay_session_services_free(struct relay *r)
{
    frame_unref(r->rules.ping);
    free(r->services);
}

const struct io_service *
relay_services(struct relay *r, size_t *n_r)
{
    *n_r = r->n_services;
    return r->services;
}

/* Also finds a socket whose path was sent with escapes that it does not need. */
struct io_service
relay_service_unknown(struct relay *r)
{
    struct io_service s = service_at(r, "/");

    s.below = true;
    return s;
}

/* ---- closing everybody ---- */

static void
pace_due(void *arg)
{
    struct relay *r = arg;
    size_t n = 0;

    for (struct session *s = r->sessions; s && n < r->pace_step; s = s->next)
        if (s->state == SESSION_DOOMED && !s->closing) {
            session_close(s, r->pace_code, r->pace_reason);
            n++;
        }
    if (n > 0)
        io_timer_set(r->pace_timer, PACE_TICK_MS);
    else if (r->stopping)
        io_timer_set(r->stop_timer, STOP_PATIENCE_MS);
}

/* Those that are live (all when `opening`, too) hear nothing from now on, and are closed so
 * slowly that they do not come back all at once. */
static void
close_all(struct relay *r, bool opening, int code, const char *reason)
{
    size_t n = 0;

    for (struct session *s = r->sessions; s; s = s->next) {
        if (s->state == SESSION_LIVE || (opening && s->state == SESSION_OPENING))
            s->state = SESSION_DOOMED;
        audience_leave(r->audience, &s->hears);
        n++;
    }
    r->pace_code = code;
    r->pace_reason = reason;
    r->pace_step = n <= PACE_AT_ONCE ? PACE_AT_ONCE : n / PACE_TICKS + 1;
    pace_due(r);
}

void
relay_reload_all(struct relay *r)
{
    close_all(r, false, CLOSE_RELOAD, "reload");
}

static void
stop_due(void *arg)
{
    struct relay *r = arg;
    void (*stopped)(void *arg) = r->stopped;

    r->stopped = NULL;
    if (stopped)
        stopped(r->stopped_arg);
}

void
relay_shut(struct relay *r, void (*done)(void *arg), void *arg)
{
    if (r->stopping)
        return;
    r->stopping = true;
    r->stopped = done;
    r->stopped_arg = arg;
    close_all(r, true, CLOSE_GOING_AWAY, "going away");
    if (!r->sessions)
        io_timer_set(r->stop_timer, 0);
}

void
relay_session_timers(struct relay *r)
{
    r->expiry_timer = io_timer_new(r->io, expiry_due, r);
    r->pace_timer = io_timer_new(r->io, pace_due, r);
    r->stop_timer = io_timer_new(r->io, stop_due, r);
}

void
relay_session_timers_free(struct relay *r)
{
    io_timer_free(r->expiry_timer);
    io_timer_free(r->pace_timer);
    io_timer_free(r->stop_timer);
    r->expiry_timer = r->pace_timer = r->stop_timer = NULL;
}
