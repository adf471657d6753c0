/* relay_session - the life of sessions, whatever carries them: connecting by way of a worker, closing
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/mem.h"
#include "relay/relay_private.h"
#include "shared/chat/profile.h"
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

/* ---- connecting ---- */

struct connect_job {
    struct worker_job job;
    struct session *session;
    struct connect_state state;
    struct room_connect connect;        /* fixed */
};

static void post_connect(struct relay *r, struct session *s);

/* What the credential says of the user is stored before anything is read of him. */
static enum err
connect_run(struct worker_job *j, struct op *op)
{
    struct connect_job *c = (struct connect_job *)j;
    const struct session *s = c->session;
    struct room_hello hello = { s->wire->fixed, s->user, s->room, s->key };
    enum err e = ERR_OK;

    op->system = chat_system_find(s->wire->system);
    if (s->wire->fixed)
        return op_room_connect(op, &hello, &c->connect);
    if (s->name || s->picture)
        e = op_profile_note(op, s->user, s->name, s->picture);
    return e == ERR_OK ? op_connect(op, s->user, s->since, &c->state) : e;
}

static enum err
take_up(struct relay *r, const struct connect_job *c)
{
    struct session *s = c->session;

    return s->wire->fixed
        ? session_fixed_connected(s, r->audience, r->ring, r->config, &c->connect)
        : session_connected(s, r->audience, r->ring, r->config, &c->state);
}

static void
connected(struct relay *r, const struct connect_job *c)
{
    struct session *s = c->session;

    if (take_up(r, c) == ERR_OK)
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
            connected(s->door->relay, c);
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
    /* When its key was used, or what its credential says of the user. */
    c->job.writes = s->wire->fixed == ROOM_SOCKET_RUNNER || s->name || s->picture;
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
            session_close(s, s->wire->expired_code, "token expired");
        else if (!next || s->expires_ms < next)
            next = s->expires_ms;
    }
    r->expiry_ms = 0;
    if (next)
        expiry_set(r, next, EXPIRY_STEP_MS);
}

/* ---- beginning and end ---- */

/* Whoever follows hears from the database only when it knows that he is online. */
static void
come_online(struct relay *r, struct session *s)
{
    presence_open(r->presence, s->user_channel, s->wire->system, s->user,
                  !chat_system_find(s->wire->system)->restart_grace);
    if (presence_written(r->presence, s->user_channel)) {
        post_connect(r, s);
    } else {
        wait_for_presence(r, s);
        relay_presence_write(r);
    }
}

static void
go_offline(struct relay *r, struct session *s, int64_t now_ms)
{
    /* A relay that stops leaves its users online for the next run. */
    if (!s->online || r->stopping)
        return;
    presence_close(r->presence, s->user_channel, now_ms);
    relay_presence_write(r);
}

void
relay_session_opened(struct session *s)
{
    s->opened_ms = when_monotonic_ms();
    list_add(s->door->relay, s);
    if (s->refused_code)
        session_close(s, s->refused_code, s->refused_reason);
}

void
relay_session_known(struct session *s)
{
    struct relay *r = s->door->relay;

    log_event(LOG_LEVEL_INFO, "connected", "system", s->wire->system, "user", s->user, "room",
              s->room ? log_number(s->room) : NULL, "address", s->address, NULL);
    if (s->expires_ms && (!r->expiry_ms || s->expires_ms < r->expiry_ms))
        expiry_set(r, s->expires_ms, 0);
    if (s->closing)
        return;
    s->online = !s->wire->fixed;
    if (s->wire->fixed)
        post_connect(r, s);
    else
        come_online(r, s);
}

void
relay_session_gone(struct session *s, int code)
{
    struct relay *r = s->door->relay;
    int64_t now = when_monotonic_ms();

    log_event(LOG_LEVEL_INFO, "disconnected", "system", s->wire->system, "user", s->user,
              "address", s->address, "ms", log_number(now - s->opened_ms), "code",
              code ? log_number(code) : NULL, NULL);
    list_remove(r, s);
    unwait(s);
    audience_leave(r->audience, &s->hears);
    relay_door_uncount(s);
    s->state = SESSION_GONE;
    s->port = (struct port){ 0 };
    commands_left(r->commands, &s->commands);
    go_offline(r, s, now);
    relay_stop_if_quiet(r);
    if (!s->busy)
        session_free(s);
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

/* The doomed are n, who hear nothing any more; they are closed so slowly that they do not come back all at once. */
static void
close_doomed(struct relay *r, size_t n, int code, const char *reason)
{
    r->pace_code = code;
    r->pace_reason = reason;
    r->pace_step = n <= PACE_AT_ONCE ? PACE_AT_ONCE : n / PACE_TICKS + 1;
    pace_due(r);
}

/* Those that are live (all when `opening`, too). */
static void
close_all(struct relay *r, bool opening, int code, const char *reason)
{
    size_t n = 0;

    for (struct session *s = r->sessions; s; s = s->next) {
        if (s->state == SESSION_LIVE || (opening && s->state <= SESSION_OPENING))
            s->state = SESSION_DOOMED;
        audience_leave(r->audience, &s->hears);
        n++;
    }
    close_doomed(r, n, code, reason);
}

void
relay_reload_all(struct relay *r)
{
    close_all(r, false, CLOSE_RELOAD, "reload");
}

void
relay_reload_ended(struct relay *r)
{
    size_t n = 0;

    if (r->stopping)
        return;
    for (struct session *s = r->sessions; s; s = s->next)
        if (s->online && s->state == SESSION_LIVE && chat_system_find(s->wire->system)->offline) {
            s->state = SESSION_DOOMED;
            audience_leave(r->audience, &s->hears);
            n++;
        }
    if (n > 0)
        close_doomed(r, n, CLOSE_RELOAD, "reload");
}

/* What was asked for is done before the end. */
void
relay_stop_if_quiet(struct relay *r)
{
    if (r->stopping && !r->sessions && commands_idle(r->commands) && r->stop_timer)
        io_timer_set(r->stop_timer, 0);
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
    relay_stop_if_quiet(r);
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
