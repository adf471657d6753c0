/* relay_webhook - users' messages to the webhooks of rooms
 *
 * The rows say what is to be done (shared/chat/webhook.h). A job, one at a time, settles what was posted and
 * claims as much as there are posters free; each claimed one is posted on a thread, and its end begins the next
 * job. What is due later waits for the timer; what just came announces itself as an event.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include "relay/http_post.h"
#include "relay/mem.h"
#include "relay/pool.h"
#include "relay/relay_private.h"
#include "shared/chat/webhook.h"
#include "shared/fault.h"
#include "shared/log.h"
#include "shared/wire/rooms.h"
#include "shared/when.h"

#define FAR_MS 3600000          /* the timer is never set further ahead: the clock may be put right meanwhile */
#define TROUBLE_MS 1000         /* after a job that failed */

/* One claimed message, from the claim until it is settled. */
struct post {
    struct pool_job job;
    struct relay_webhooks *webhooks;
    struct http_poster *poster;
    struct webhook_result result;
    char *uid, *url, *secret, *body;
    char why[128];
    struct post *next;
};

struct relay_webhooks {
    struct relay *relay;
    struct pool *pool;
    struct io_timer *timer;
    struct http_poster **posters;       /* all ... */
    struct http_poster **idle;          /* ... and those that nobody uses */
    size_t n_posters, n_idle;
    struct post *ended;                 /* posted, to be settled */
    bool working, again;                /* a job is out; another must follow */
    bool closing;
    int64_t posted, failed;
};

/* ---- one post ---- */

static void
post_free(struct post *p)
{
    free(p->uid);
    free(p->url);
    free(p->secret);
    free(p->body);
    free(p);
}

/* Over "<timestamp>.<body>", so that an old post cannot be sent again as a new one. */
static void
sign(const struct post *p, int64_t at_s, char mac[HTTP_MAC_SIZE])
{
    struct sbuf b;

    sbuf_init(&b, SIZE_MAX);
    sbuf_printf(&b, "%lld.%s", (long long)at_s, p->body);
    if (b.failed)
        arena_exhausted(strlen(p->body));
    http_mac(mac, p->secret, b.data, b.len);
    sbuf_fini(&b);
}

/* On a thread. */
static void
post_run(struct pool_job *j)
{
    struct post *p = (struct post *)j;
    const struct config *c = p->webhooks->relay->config;
    int64_t at_s = when_now_ms() / 1000;
    char mac[HTTP_MAC_SIZE], delivery[128], timestamp[64], signature[128];
    const char *headers[] = { delivery, timestamp, signature, NULL };
    const struct http_post post = { .url = p->url, .headers = headers, .body = p->body,
                                    .body_len = strlen(p->body),
                                    .timeout_ms = c->rooms_webhook_timeout_ms,
                                    .direct = true,
                                    .public_only = !c->rooms_webhook_private };
    const char *why;

    sign(p, at_s, mac);
    snprintf(delivery, sizeof delivery, "X-Rooms-Delivery: %s", p->uid);
    snprintf(timestamp, sizeof timestamp, "X-Rooms-Timestamp: %lld", (long long)at_s);
    snprintf(signature, sizeof signature, "X-Rooms-Signature: sha256=%s", mac);
    if (http_poster_post(p->poster, &post, &why) != HTTP_POSTED) {
        snprintf(p->why, sizeof p->why, "%s", why);
        p->result.why = p->why;
    }
    FAULT("relay.posted");
}

static void work(struct relay_webhooks *w);

static void
post_done(struct pool_job *j)
{
    struct post *p = (struct post *)j;
    struct relay_webhooks *w = p->webhooks;

    *(p->result.why ? &w->failed : &w->posted) += 1;
    w->idle[w->n_idle++] = p->poster;
    p->next = w->ended;
    w->ended = p;
    work(w);
}

static void
post_begin(struct relay_webhooks *w, const struct webhook *hook)
{
    struct post *p = mem_new(sizeof *p);
    struct sbuf b;

    sbuf_init(&b, SIZE_MAX);
    rooms_write_runner_message(&b, hook->room, &hook->entry);
    p->job.run = post_run;
    p->job.done = post_done;
    p->webhooks = w;
    p->poster = w->idle[--w->n_idle];
    p->uid = mem_string(hook->uid);
    p->url = mem_string(hook->url);
    p->secret = mem_string(hook->secret);
    p->body = mem_string(sbuf_str(&b));
    p->result = (struct webhook_result){ .id = hook->id, .until_ms = hook->until_ms, .uid = p->uid,
                                         .key = hook->key, .tries = hook->tries };
    if (b.failed)
        arena_exhausted(b.len);
    sbuf_fini(&b);
    pool_post(w->pool, &p->job);
}

/* ---- the job ---- */

struct webhook_job {
    struct worker_job job;
    struct relay_webhooks *webhooks;
    struct post *ended;
    size_t limit;                   /* to be claimed */
    struct webhook *claimed;
    size_t n_claimed;
    int64_t next_ms;
    bool settled;
};

static enum err
settle(struct webhook_job *j, struct op *op)
{
    struct webhook_result *results = NULL;
    size_t n = 0, size = 0;

    for (const struct post *p = j->ended; p; p = p->next) {
        results = arena_grow(op->arena, results, n, &size, sizeof *results);
        results[n++] = p->result;
    }
    return n > 0 ? op_webhook_settle(op, results, n) : ERR_OK;
}

/* On a worker. */
static enum err
job_run(struct worker_job *job, struct op *op)
{
    struct webhook_job *j = (struct webhook_job *)job;
    enum err e;

    op->system = &chat_rooms;
    if ((e = settle(j, op)) != ERR_OK)
        return e;
    j->settled = true;
    if (j->limit > 0)
        e = op_webhook_claim(op, (int64_t)j->limit, &j->claimed, &j->n_claimed, &j->next_ms);
    return e;
}

static void
posts_free(struct post *p)
{
    struct post *next;

    for (; p; p = next) {
        next = p->next;
        post_free(p);
    }
}

/* What could not be settled is to be settled again. */
static void
put_back(struct relay_webhooks *w, struct post *ended)
{
    struct post **end = &w->ended;

    while (*end)
        end = &(*end)->next;
    *end = ended;
}

static void
plan_next(struct relay_webhooks *w, const struct webhook_job *j)
{
    int64_t in;

    if (j->job.err != ERR_OK) {
        io_timer_set(w->timer, TROUBLE_MS);
    } else if (j->next_ms > 0) {
        in = j->next_ms - when_now_ms();
        io_timer_set(w->timer, in < 0 ? 0 : in < FAR_MS ? in : FAR_MS);
    }
}

static void
job_done(struct worker_job *job)
{
    struct webhook_job *j = (struct webhook_job *)job;
    struct relay_webhooks *w = j->webhooks;

    w->working = false;
    if (j->settled)
        posts_free(j->ended);
    else
        put_back(w, j->ended);
    if (j->job.err != ERR_OK && !w->closing)
        log_event(LOG_LEVEL_WARNING, "webhook", "why", err_text(j->job.err), NULL);
    if (j->n_claimed > 0)
        FAULT("relay.claimed");
    for (size_t i = 0; j->job.err == ERR_OK && i < j->n_claimed && !w->closing; i++)
        post_begin(w, &j->claimed[i]);
    if (!w->closing)
        plan_next(w, j);
    if (w->again && j->job.err == ERR_OK)
        work(w);
    free(j);
}

/* Settles and claims what there is. A relay that stops claims nothing any more. */
static void
work(struct relay_webhooks *w)
{
    struct webhook_job *j;

    if (w->closing)
        return;
    w->again = w->working;
    if (w->working || (w->relay->stopping && !w->ended))
        return;
    w->working = true;
    j = mem_new(sizeof *j);
    j->job.run = job_run;
    j->job.done = job_done;
    j->job.writes = true;
    j->webhooks = w;
    j->ended = w->ended;
    w->ended = NULL;
    j->limit = w->relay->stopping ? 0 : w->n_idle;
    worker_post(w->relay->worker, &j->job);
}

static void
timer_due(void *arg)
{
    work(arg);
}

/* ---- for the relay ---- */

static void
wake(void *arg)
{
    io_wake(arg);
}

static bool
make_posters(struct relay_webhooks *w, size_t n)
{
    w->posters = mem_new(n * sizeof *w->posters);
    w->idle = mem_new(n * sizeof *w->idle);
    for (; w->n_posters < n; w->n_posters++) {
        if (!(w->posters[w->n_posters] = http_poster_new()))
            return false;
        w->idle[w->n_idle++] = w->posters[w->n_posters];
    }
    return true;
}

bool
relay_webhooks(struct relay *r)
{
    struct relay_webhooks *w;

    if (!r->config->rooms_webhooks || !config_serves(r->config, chat_rooms.name))
        return true;
    w = r->webhooks = mem_new(sizeof *w);
    w->relay = r;
    w->timer = io_timer_new(r->io, timer_due, w);
    w->pool = pool_new((unsigned)r->config->rooms_webhook_posts, wake, r->io);
    if (!make_posters(w, (size_t)r->config->rooms_webhook_posts))
        return false;
    work(w);                    /* what an earlier run left */
    return true;
}

void
relay_webhooks_wake(struct relay *r)
{
    if (r->webhooks)
        work(r->webhooks);
}

void
relay_webhooks_event(struct relay *r, const struct event *e)
{
    if (r->webhooks && e->kind == EVENT_ENTRY_NEW && strcmp(e->system, chat_rooms.name) == 0)
        work(r->webhooks);
}

void
relay_webhooks_collect(struct relay *r)
{
    if (r->webhooks)
        pool_collect(r->webhooks->pool);
}

void
relay_webhooks_close(struct relay *r)
{
    struct relay_webhooks *w = r->webhooks;

    if (!w)
        return;
    w->closing = true;
    for (size_t i = 0; i < w->n_posters; i++)
        http_poster_end_by(w->posters[i], when_monotonic_ms());
    pool_free(w->pool);
    w->pool = NULL;
}

void
relay_webhooks_free(struct relay *r)
{
    struct relay_webhooks *w = r->webhooks;

    if (!w)
        return;
    posts_free(w->ended);
    for (size_t i = 0; i < w->n_posters; i++)
        http_poster_free(w->posters[i]);
    io_timer_free(w->timer);
    free(w->posters);
    free(w->idle);
    free(w);
    r->webhooks = NULL;
}

void
relay_webhooks_log(const struct relay *r)
{
    if (r->webhooks)
        log_event(LOG_LEVEL_INFO, "webhooks", "posted", log_number(r->webhooks->posted), "failed",
                  log_number(r->webhooks->failed), NULL);
}
