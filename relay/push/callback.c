/* callback - questions, and the threads that post them
 *
 * A question belongs to the loop until it is handed to the pool, then to a thread, then to the loop again; only whether
 * anybody still waits for it is looked at by both. Its time runs from when it was asked, not from when a thread was
 * free: the client's library waits for so long only. So what queued up behind an application that hangs is over as
 * soon as a thread gets to it, and nothing waits longer than push_callback_timeout_ms.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/callback.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "relay/http_post.h"
#include "relay/mem.h"
#include "relay/pool.h"
#include "shared/json.h"
#include "shared/when.h"

#define ANSWER_MAX 65536                /* bytes of an answer */
#define SIGNATURE "X-Confab-Signature: "

enum result { ALLOWED, REFUSED, FAILED, TIMED_OUT, NO_ROOM, N_RESULTS };

static const char *const result_labels[N_RESULTS] = {
    [ALLOWED] = "result=\"ok\"", [REFUSED] = "result=\"error\"", [FAILED] = "result=\"failed\"",
    [TIMED_OUT] = "result=\"timeout\"", [NO_ROOM] = "result=\"queue\"",
};

/* A connection to the application that is kept for the next question; as many as threads. */
struct line {
    struct http_poster *poster;         /* NULL until it is first used */
    bool taken;
};

struct callback {
    struct pool *pool;
    pthread_t loop;
    size_t n_lines;
    int64_t under_way;
    int64_t results[N_RESULTS];
    struct histogram latency;
    struct log_gate failures;
    pthread_mutex_t lock;               /* guards what follows */
    struct line *lines;
    bool stopping;
};

struct callback_question {
    struct pool_job job;                /* first */
    struct callback *callback;
    struct push_client *client;         /* a reference */
    struct callback_question *next, **at;   /* the client's list */
    struct arena *arena;
    struct command cmd;
    callback_told *told;
    char *url;
    char signature[sizeof SIGNATURE - 1 + HTTP_MAC_SIZE];   /* empty: not signed */
    struct sbuf body;
    int64_t asked_ms, end_ms;           /* monotonic */
    _Atomic bool cancelled;
    enum result result;
    struct callback_answer answer;
    char why[128];                      /* it failed */
};

/* ---- on a thread ---- */

static struct callback_question *
question_of(struct pool_job *j)
{
    return (struct callback_question *)(void *)j;
}

/* NULL: it ends, or there is no memory. */
static struct line *
take_line(struct callback *k)
{
    struct line *found = NULL;

    pthread_mutex_lock(&k->lock);
    for (size_t i = 0; i < k->n_lines && !found && !k->stopping; i++)
        if (!k->lines[i].taken)
            found = &k->lines[i];
    if (found && !found->poster)
        found->poster = http_poster_new();
    if (found && !found->poster)
        found = NULL;
    if (found)
        found->taken = true;
    pthread_mutex_unlock(&k->lock);
    return found;
}

static void
give_line(struct callback *k, struct line *line)
{
    pthread_mutex_lock(&k->lock);
    line->taken = false;
    pthread_mutex_unlock(&k->lock);
}

static void
fail(struct callback_question *q, enum result result, const char *why)
{
    q->result = result;
    q->answer = callback_answer_error(PUSH_INTERNAL);
    snprintf(q->why, sizeof q->why, "%s", why);
}

static void
post(struct callback_question *q, struct line *line)
{
    const char *headers[] = { q->signature, NULL };
    int64_t left = q->end_ms - when_monotonic_ms();
    struct sbuf text;
    struct http_post r = {
        .url = q->url,
        .headers = *q->signature ? headers : NULL,
        .body = q->body.data,
        .body_len = q->body.len,
        .timeout_ms = left > 0 ? left : 1,      /* 0 would be for ever */
        .answer = &text,
    };
    const char *why;

    sbuf_init(&text, ANSWER_MAX);
    if (http_poster_post(line->poster, &r, &why) != HTTP_POSTED)
        fail(q, when_monotonic_ms() >= q->end_ms ? TIMED_OUT : FAILED, why);
    else if (callback_answer_read(q->arena, sbuf_str(&text), text.len, &q->answer) != ERR_OK)
        fail(q, FAILED, "an answer that is none");
    else
        q->result = q->answer.error ? REFUSED : ALLOWED;
    sbuf_fini(&text);
}

/* A pool without threads runs what it is given on the loop, which must not wait for an application. */
static void
run(struct pool_job *j)
{
    struct callback_question *q = question_of(j);
    struct callback *k = q->callback;
    struct line *line;

    fail(q, FAILED, "no thread or no memory");
    if (q->cancelled || pthread_equal(pthread_self(), k->loop))
        return;
    if (when_monotonic_ms() >= q->end_ms) {
        fail(q, TIMED_OUT, "no thread was free in time");
    } else if ((line = take_line(k))) {
        post(q, line);
        give_line(k, line);
    }
}

/* ---- on the loop ---- */

/* Takes it from its client's list. */
static void
forget(struct callback_question *q)
{
    struct push_client *c = q->client;

    if (!q->at)
        return;
    if ((*q->at = q->next))
        q->next->at = q->at;
    q->at = NULL;
    if (q->cmd.method == COMMAND_SUBSCRIBE)
        c->n_asking--;
}

static void
question_free(struct callback_question *q)
{
    forget(q);
    q->client->n_questions--;
    client_unref(q->client);
    sbuf_fini(&q->body);
    arena_free(q->arena);
    free(q);
}

static void
tell_failure(struct callback *k, const struct callback_question *q)
{
    int64_t unsaid;

    if (log_gate_opens(&k->failures, when_monotonic_ms(), &unsaid))
        log_event(LOG_LEVEL_WARNING, "callback", "why", q->why, "unsaid", log_number(unsaid), NULL);
}

static void
come_back(struct pool_job *j)
{
    struct callback_question *q = question_of(j);
    struct callback *k = q->callback;
    struct push_client *c = q->client;
    bool wanted = q->at && !k->stopping && c->state == CLIENT_CONNECTED;

    k->under_way--;
    if (!q->cancelled) {
        k->results[q->result]++;
        histogram_add(&k->latency, (when_monotonic_ms() - q->asked_ms) * 1000);
        if ((q->result == FAILED || q->result == TIMED_OUT) && !k->stopping)
            tell_failure(k, q);
    }
    forget(q);
    if (wanted)
        q->told(c, &q->cmd, &q->answer);
    question_free(q);
}

/* cmd in memory that lasts as long as the question. */
static struct command
keep_command(struct arena *a, const struct command *cmd)
{
    struct command kept = *cmd;

    kept.channel = kept.recover.channel = arena_string(a, cmd->channel);
    kept.recover.epoch = arena_string(a, cmd->recover.epoch);
    kept.delta = arena_string(a, cmd->delta);
    kept.rpc_method = arena_string(a, cmd->rpc_method);
    kept.token = "";
    kept.data = NULL;           /* is in the body */
    return kept;
}

static void
write_body(struct sbuf *b, const struct push_client *c, const struct command *cmd)
{
    bool rpc = cmd->method == COMMAND_RPC;

    sbuf_init(b, SIZE_MAX / 2);
    json_open(b, '{');
    json_kv(b, "type", rpc ? "rpc" : "subscribe");
    json_kv(b, rpc ? "method" : "channel", rpc ? cmd->rpc_method : cmd->channel);
    json_kv(b, "user", client_user_id(c));
    json_kv(b, "client", c->id);
    if (cmd->data) {
        json_key(b, "data");
        json_put_raw(b, cmd->data);
    }
    json_close(b, '}');
    if (b->failed)
        arena_exhausted(b->len);
}

static void
sign(struct callback_question *q, const char *secret)
{
    if (!*secret)
        return;
    memcpy(q->signature, SIGNATURE, sizeof SIGNATURE);
    http_mac(q->signature + sizeof SIGNATURE - 1, secret, q->body.data, q->body.len);
}

static struct callback_question *
question_new(struct push_client *c, const struct command *cmd, callback_told *told)
{
    const struct config *config = c->push->config;
    struct callback_question *q = mem_new(sizeof *q);

    q->job = (struct pool_job){ .run = run, .done = come_back };
    q->callback = c->push->callback;
    q->client = c;
    q->arena = arena_new();
    q->cmd = keep_command(q->arena, cmd);
    q->told = told;
    q->url = arena_string(q->arena, config->push_callback_url);
    q->asked_ms = when_monotonic_ms();
    q->end_ms = q->asked_ms + config->push_callback_timeout_ms;
    write_body(&q->body, c, cmd);
    sign(q, *config->push_callback_secret ? config->push_callback_secret
                                          : config->push_hook_secret);
    client_ref(c);
    return q;
}

static struct callback_question *
find(const struct push_client *c, const char *channel)
{
    struct callback_question *q = c->questions;

    while (q && (q->cmd.method != COMMAND_SUBSCRIBE || strcmp(q->cmd.channel, channel) != 0))
        q = q->next;
    return q;
}

/* One client cannot take all places, also not by giving up what he asked. */
static bool
has_room(const struct push_client *c)
{
    const struct config *config = c->push->config;

    return c->push->callback->under_way < config->push_callback_queue
           && c->n_questions < config->push_channels_per_client;
}

void
callback_ask(struct push_client *c, const struct command *cmd, callback_told *told)
{
    struct callback *k = c->push->callback;
    struct callback_question *q;

    if (!has_room(c)) {
        struct callback_answer full = callback_answer_error(PUSH_TOO_MANY);

        k->results[NO_ROOM]++;
        told(c, cmd, &full);
        return;
    }
    q = question_new(c, cmd, told);
    if ((q->next = c->questions))
        q->next->at = &q->next;
    q->at = &c->questions;
    c->questions = q;
    c->n_questions++;
    c->n_asking += cmd->method == COMMAND_SUBSCRIBE;
    k->under_way++;
    pool_post(k->pool, &q->job);
}

bool
callback_asking(const struct push_client *c, const char *channel)
{
    return find(c, channel) != NULL;
}

static void
cancel(struct callback_question *q)
{
    q->cancelled = true;
    forget(q);
}

uint32_t
callback_cancel(struct push_client *c, const char *channel)
{
    struct callback_question *q = find(c, channel);

    if (!q)
        return 0;
    cancel(q);
    return q->cmd.id;
}

void
callback_cancel_all(struct push_client *c)
{
    while (c->questions)
        cancel(c->questions);
}

void
callback_collect(struct callback *k)
{
    if (k)
        pool_collect(k->pool);
}

struct callback *
callback_new(const struct config *config, void (*wake)(void *arg), void *arg)
{
    struct callback *k = mem_new(sizeof *k);

    k->loop = pthread_self();
    k->n_lines = (size_t)config->push_callback_threads;
    k->lines = mem_new(k->n_lines * sizeof *k->lines);
    k->pool = pool_new((unsigned)k->n_lines, wake, arg);
    pthread_mutex_init(&k->lock, NULL);
    return k;
}

void
callback_free(struct callback *k)
{
    if (!k)
        return;
    pthread_mutex_lock(&k->lock);
    k->stopping = true;
    for (size_t i = 0; i < k->n_lines; i++)
        if (k->lines[i].poster)
            http_poster_end_by(k->lines[i].poster, 0);
    pthread_mutex_unlock(&k->lock);
    pool_free(k->pool);
    for (size_t i = 0; i < k->n_lines; i++)
        http_poster_free(k->lines[i].poster);
    pthread_mutex_destroy(&k->lock);
    free(k->lines);
    free(k);
}

void
callback_metrics(const struct callback *k, struct metrics *m)
{
    metrics_family(m, "push_callbacks_total", "counter",
                   "questions to the application, by what came of them");
    for (size_t i = 0; i < N_RESULTS; i++)
        metrics_sample(m, "push_callbacks_total", result_labels[i], k->results[i]);
    metrics_gauge(m, "push_callback_waiting", "questions under way", k->under_way);
    metrics_histogram(m, "push_callback_seconds", "from a question to its answer", &k->latency);
}
