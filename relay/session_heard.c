/* session_heard - what the client of a session says
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "relay/mem.h"
#include "relay/session.h"
#include "shared/json.h"

#define SECOND_MS 1000
#define WAITING_MAX 1000            /* messages before it is live ... */
#define WAITING_BYTES_MAX 262144    /* ... and their bytes */
#define ANSWER_MAX 65536            /* bytes of what a bad event is answered with */

struct session_message {
    STAILQ_ENTRY(session_message) entry;
    int64_t at_ms;
    bool binary;
    size_t len;
    char bytes[];
};

static bool
too_fast(struct session *s, const struct wire_bounds *bounds, int64_t now_ms, size_t len)
{
    bool spent;

    if (now_ms - s->window_ms >= SECOND_MS) {
        s->window_ms = now_ms;
        s->frames = 0;
    }
    /* What was taken before counts, so that one long message may always be sent. */
    spent = s->frames >= bounds->messages_per_s;
    s->frames += 1 + (bounds->message_unit ? (int64_t)len / bounds->message_unit : 0);
    return spent;
}

static void
count_bad(struct session *s, const struct wire_bounds *bounds, int64_t now_ms)
{
    if (bounds->bad_window_ms && now_ms - s->bad_window_ms >= bounds->bad_window_ms) {
        s->bad_window_ms = now_ms;
        s->bad_frames = 0;
    }
    s->bad_frames++;
    if (bounds->bad_max && s->bad_frames >= bounds->bad_max)
        session_close(s, CLOSE_POLICY, "too many bad frames");
}

/* ---- named events ---- */

static void
refuse(struct session *s, enum wire_bad why, const struct named_event *e, const char *text)
{
    const struct wire_named *named = s->wire->named;
    const char *name = e ? e->name : NULL;
    struct sbuf out;

    sbuf_init(&out, ANSWER_MAX);
    if (named->write_bad(&out, why, name, text) && !out.failed)
        session_tell(s, named->bad_event, sbuf_str(&out));
    if (e && e->ack != NAMED_NO_ACK && named->write_nack) {
        sbuf_reset(&out);
        named->write_nack(&out, why, name);
        if (!out.failed)
            session_ack(s, e->ack, sbuf_str(&out));
    }
    sbuf_fini(&out);
}

/* Of either framing; true: it means something. */
static bool
hear_event(struct session *s, const struct named_event *e)
{
    const struct wire_named *named = s->wire->named;

    if (!s->wire->namespace && strcmp(e->name, "ping") == 0) {
        session_tell(s, "pong", e->data ? e->data : "null");
        return true;
    }
    if (s->command && named->is_command && named->is_command(e->name)) {
        s->command(s, e);
        return true;
    }
    refuse(s, WIRE_BAD_EVENT, e, NULL);
    return false;
}

static void
hear_named(struct session *s, const struct wire_bounds *bounds, struct arena *scratch,
           int64_t now_ms, const char *p, size_t len)
{
    struct named_event e;
    const char *wrong = named_read(scratch, p, len, &e);

    if (wrong)
        refuse(s, WIRE_BAD_FRAME, NULL, wrong);
    if (wrong || (!hear_event(s, &e) && s->wire->named->counts_unknown))
        count_bad(s, bounds, now_ms);
}

void
session_event(struct session *s, const struct config *config, int64_t now_ms,
              const struct named_event *e)
{
    struct wire_bounds bounds;

    if (s->state != SESSION_LIVE)
        return;
    s->wire->bounds(config, &bounds);
    if (too_fast(s, &bounds, now_ms, e->size))
        session_close(s, CLOSE_POLICY, "too many frames");
    else
        hear_event(s, e);
}

/* ---- messages ---- */

static void
say(struct session *s, const char *payload)
{
    session_say(s, payload, strlen(payload));
}

static void
hear(struct session *s, const struct wire_bounds *bounds, struct arena *scratch, int64_t now_ms,
     const char *p, size_t len, bool binary)
{
    if (s->wire->named && binary) {
        session_close(s, CLOSE_BINARY, "only text is understood");
        return;
    }
    if (s->wire->named) {
        hear_named(s, bounds, scratch, now_ms, p, len);
        return;
    }
    switch (s->wire->message(scratch, p, len, binary)) {
    case WIRE_NOTHING:
        break;
    case WIRE_PING:
        say(s, s->wire->pong);
        break;
    case WIRE_BAD:
        say(s, s->wire->bad);
        count_bad(s, bounds, now_ms);
        break;
    }
}

/* Nothing may precede its first frame. */
static void
wait(struct session *s, int64_t now_ms, const char *p, size_t len, bool binary)
{
    struct session_message *m;

    if (s->n_waiting >= WAITING_MAX || s->waiting_bytes + len > WAITING_BYTES_MAX) {
        session_close(s, CLOSE_POLICY, "too many frames");
        return;
    }
    m = mem_new(sizeof *m + len);
    m->at_ms = now_ms;
    m->binary = binary;
    m->len = len;
    if (len > 0)
        memcpy(m->bytes, p, len);
    STAILQ_INSERT_TAIL(&s->waiting_messages, m, entry);
    s->n_waiting++;
    s->waiting_bytes += len;
}

void
session_message(struct session *s, const struct config *config, struct arena *scratch,
                int64_t now_ms, const char *p, size_t len, bool binary)
{
    struct wire_bounds bounds;

    if (s->state != SESSION_OPENING && s->state != SESSION_LIVE)
        return;
    s->wire->bounds(config, &bounds);
    if (too_fast(s, &bounds, now_ms, len))
        session_close(s, CLOSE_POLICY, "too many frames");
    else if (s->state == SESSION_OPENING)
        wait(s, now_ms, p, len, binary);
    else
        hear(s, &bounds, scratch, now_ms, p, len, binary);
}

void
session_resume(struct session *s, const struct config *config)
{
    struct arena *scratch = STAILQ_EMPTY(&s->waiting_messages) ? NULL : arena_new();
    struct session_message *m;
    struct wire_bounds bounds;

    s->wire->bounds(config, &bounds);
    STAILQ_FOREACH(m, &s->waiting_messages, entry) {
        if (s->state == SESSION_LIVE)
            hear(s, &bounds, scratch, m->at_ms, m->bytes, m->len, m->binary);
        arena_reset(scratch);
    }
    arena_free(scratch);
    session_forget(s);
}

void
session_forget(struct session *s)
{
    struct session_message *m;

    while ((m = STAILQ_FIRST(&s->waiting_messages))) {
        STAILQ_REMOVE_HEAD(&s->waiting_messages, entry);
        free(m);
    }
    s->n_waiting = s->waiting_bytes = 0;
}
