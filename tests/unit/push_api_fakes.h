/* push_api_fakes - stands in for what the server API acts on, and remembers what it was told
 *
 * Included by the tests of the server API and by its fuzzer, each a program without the rest of the push server.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_PUSH_API_FAKES_H
#define TESTS_PUSH_API_FAKES_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "relay/mem.h"
#include "relay/push/api.h"

#define SEEN_MAX 4096

/* A publication whose answer is held back. */
struct late {
    op_published *done;
    void *arg;
    uint64_t offset;
};

static struct {
    struct config config;
    struct push push;
    const char *key_header, *authorization, *mode;  /* of the request */
    bool hold;                      /* publications are answered by fakes_answer */
    struct late late[64];
    size_t n_late;
    uint64_t offset;                /* of the newest publication */
    char seen[SEEN_MAX];            /* what was done, in words */
    struct sbuf answered;           /* by io_exchange_answer */
    int answered_status;
} fakes;

static inline void
fakes_say(const char *format, ...)
{
    size_t n = strlen(fakes.seen);
    va_list ap;

    va_start(ap, format);
    vsnprintf(fakes.seen + n, sizeof fakes.seen - n, format, ap);
    va_end(ap);
}

static inline void
fakes_begin(void)
{
    memset(&fakes, 0, sizeof fakes);
    fakes.config = (struct config){ .push_api_key = "secret", .json_depth = 64, .push_batch_max = 50,
                                    .push_list_max = 10, .push_channel_max = 255,
                                    .push_publish_pull = "", .push_publish_router = "",
                                    .push_publish_queue = 1000, .push_api_body_max = 1 << 20,
                                    .push_curve_secret_key = "", .push_curve_clients = "" };
    fakes.push.config = &fakes.config;
    fakes.push.scratch = arena_new();
    fakes.key_header = "secret";
    sbuf_init(&fakes.answered, 1 << 20);
}

static inline void
fakes_end(void)
{
    arena_free(fakes.push.scratch);
    sbuf_fini(&fakes.answered);
}

/* ---- io ---- */

const char *
io_header(const struct io_request *r, const char *name)
{
    (void)r;
    if (strcmp(name, "X-API-Key") == 0)
        return fakes.key_header;
    if (strcmp(name, "Authorization") == 0)
        return fakes.authorization;
    return strcmp(name, "X-Centrifugo-Error-Mode") == 0 ? fakes.mode : NULL;
}

void
io_exchange_answer(struct io_exchange *x, const struct io_answer *a)
{
    (void)x;
    fakes.answered_status = a->status;
    sbuf_put(&fakes.answered, a->body.data, a->body.len);
}

void
io_metrics(const struct io *io, struct metrics *m)
{
    (void)io;
    metrics_gauge(m, "loop_things", "a gauge", 7);
}

void
push_metrics(struct push *p, struct metrics *m)
{
    (void)p, (void)m;
}

/* ---- operations ---- */

static inline enum push_error
fakes_judge(const char *channel)
{
    if (strncmp(channel, "unknown:", 8) == 0)
        return PUSH_UNKNOWN_CHANNEL;
    return *channel ? PUSH_OK : PUSH_BAD_REQUEST;
}

void
op_publish(struct push *p, const struct op_publish *in, op_published *done, void *arg)
{
    struct stream_position at = { ++fakes.offset, "epoch123" };
    enum push_error e = fakes_judge(in->channel);

    (void)p;
    fakes_say("%s=%.*s%s%s%s%s;", in->channel, (int)in->data_len, in->data, in->tags ? " tags " : "",
              in->tags ? in->tags : "", in->idempotency_key ? " key " : "",
              in->idempotency_key ? in->idempotency_key : "");
    if (in->version)
        fakes_say("version %d %s;", (int)in->version, in->version_epoch ? in->version_epoch : "");
    if (e) {
        done(arg, e, NULL);
    } else if (fakes.hold && fakes.n_late < sizeof fakes.late / sizeof *fakes.late) {
        fakes.late[fakes.n_late++] = (struct late){ done, arg, at.offset };
    } else {
        done(arg, PUSH_OK, &at);
    }
}

/* Answers the first publication that waits. */
static inline void
fakes_answer(void)
{
    struct late first = fakes.late[0];
    struct stream_position at = { first.offset, "epoch123" };

    memmove(fakes.late, fakes.late + 1, --fakes.n_late * sizeof *fakes.late);
    first.done(first.arg, PUSH_OK, &at);
}

void
op_history(struct push *p, const char *channel, const struct stream_query *q, op_told *done, void *arg)
{
    struct publication *one = publication_new("{\"n\":1}", 7, NULL, NULL, false);
    struct stream_history h = { .top = { 5, "epoch123" }, .publications = &one, .n = 1 };
    enum push_error e = fakes_judge(channel);

    (void)p;
    one->offset = 5;
    fakes_say("history %s limit %d since %d %d %s reverse %d;", channel, (int)q->limit, q->since,
              (int)q->offset, q->epoch ? q->epoch : "-", q->reverse);
    done(arg, e, e ? NULL : &h);
    publication_unref(one);
}

void
op_history_remove(struct push *p, const char *channel, op_published *done, void *arg)
{
    (void)p;
    fakes_say("remove %s;", channel);
    done(arg, fakes_judge(channel), NULL);
}

void
op_presence(struct push *p, const char *channel,
            void (*each)(void *arg, const struct stream_presence *who),
            void (*done)(void *arg, enum push_error e, int64_t n_clients, int64_t n_users), void *arg)
{
    const struct stream_presence who = { .client = "c1", .user = "u1",
                                         .info = "{\"user\":\"u1\",\"client\":\"c1\"}" };

    (void)p;
    if (strcmp(channel, "off") == 0) {
        done(arg, PUSH_NOT_AVAILABLE, 0, 0);
        return;
    }
    if (each)
        each(arg, &who);
    done(arg, PUSH_OK, 1, 1);
}

void
op_channels(struct push *p, const char *glob, const char *after, int64_t limit,
            void (*each)(void *arg, const char *channel, int64_t n_clients), void *arg, bool *more_r)
{
    (void)p;
    fakes_say("channels %s after %s limit %d;", glob, after, (int)limit);
    each(arg, "a\"b", 2);
    *more_r = limit == 1;
}

enum push_error
op_subscribe(struct push *p, const struct op_whom *whom, const struct op_subscribe *in)
{
    (void)p;
    fakes_say("subscribe %s %s info %s data %s until %d override %d%d recover %d %d %s;", whom->user,
              in->channel, in->info ? in->info : "-", in->data ? in->data : "-", (int)in->expires_s,
              in->override.presence, in->override.force_recovery, in->recover, (int)in->offset,
              in->epoch);
    return fakes_judge(in->channel);
}

enum push_error
op_unsubscribe(struct push *p, const struct op_whom *whom, const char *channel)
{
    (void)p;
    fakes_say("unsubscribe %s %s;", whom->user, channel);
    return PUSH_OK;
}

enum push_error
op_disconnect(struct push *p, const struct op_whom *whom, int code, const char *reason)
{
    (void)p;
    fakes_say("disconnect %s %d %s except", whom->user, code, reason);
    for (size_t i = 0; whom->except[i]; i++)
        fakes_say(" %s", whom->except[i]);
    fakes_say(";");
    return PUSH_OK;
}

enum push_error
op_refresh(struct push *p, const struct op_whom *whom, bool expired, int64_t expires_s, const char *info)
{
    (void)p;
    fakes_say("refresh %s %d %d %s;", whom->user, expired, (int)expires_s, info ? info : "-");
    return PUSH_OK;
}

bool
push_reason_is_clean(const char *reason)
{
    return *reason && *reason != '{' && *reason != '1' && strlen(reason) <= 123;
}

void
op_info(struct push *p, struct op_info *info_r)
{
    (void)p;
    *info_r = (struct op_info){ "uid", "name", "0", 1, 2, 3, 4, 5 };
}

void
op_connections(struct push *p, const char *user, const char *after, int64_t limit,
               void (*each)(void *arg, const struct op_connection *c), void *arg, bool *more_r)
{
    const struct op_connection one = { "c1", "u1", "127.0.0.1", "websocket", 1, 2, 3 };

    (void)p;
    fakes_say("connections %s after %s limit %d;", user ? user : "-", after, (int)limit);
    each(arg, &one);
    *more_r = true;
}

#endif
