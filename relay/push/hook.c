/* hook - a queue of events, and the thread that posts them
 *
 * An event is written as JSON when it happens, on the loop, and appended under the lock. The thread takes what is
 * there, at most a batch, and keeps at it until it is posted, refused or given up. What waits meanwhile makes
 * the next batch larger, so a slow application gets fewer and larger requests.
 *
 * What gets lost becomes an event of its own ("lost", with a number) at the place in the order where it
 * was lost.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE             /* explicit_bzero */
#include "relay/push/hook.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/random.h>
#include <time.h>

#include "relay/http_post.h"
#include "relay/mem.h"
#include "relay/metrics.h"
#include "relay/push/hook_item.h"
#include "shared/id.h"
#include "shared/json.h"
#include "shared/log.h"
#include "shared/when.h"

#define BACKOFF_FIRST_MS 250
#define BACKOFF_MAX_MS   30000

/* What a batch goes by; copied out of the lock for each attempt. */
struct target {
    char *url, *secret;
    int64_t queue_max, batch_max, timeout_ms, give_up_ms, linger_ms;
};

struct hook {
    char run[ID_TEXT_SIZE];         /* tells batch numbers of one run from those of another */
    struct http_poster *poster;
    pthread_t thread;
    pthread_mutex_t lock;           /* guards what follows */
    pthread_cond_t work;
    struct target target;
    uint64_t changes;               /* of target */
    struct hook_item *first, **last;
    int64_t waiting;                /* items in the queue */
    int64_t shed;                   /* lost since the last item */
    bool shedding;                  /* that was logged */
    bool stopping;
    int64_t stop_ms;                /* monotonic: when stopping, until when it goes on */
    uint64_t told, posted, retries, lost_queue, lost_refused, lost_gave_up;
};

/* The thread's: events on their way. */
struct batch {
    uint64_t number;
    struct hook_item *items;
    int64_t events, lost;           /* among them, and how many others they tell of */
    int64_t lost_before;            /* with earlier batches that were dropped */
    struct sbuf body;
};

/* ---- the queue ---- */

static void
append(struct hook *h, struct hook_item *i)
{
    *h->last = i;
    h->last = &i->next;
    h->waiting++;
}

/* What was shed takes its place behind what was not. Called locked. */
static void
append_shed(struct hook *h)
{
    if (!h->shed)
        return;
    append(h, hook_item_lost(when_now_ms(), h->shed));
    h->shed = 0;
}

/* Called locked. */
static void
shed(struct hook *h)
{
    if (!h->shedding)
        log_event(LOG_LEVEL_WARNING, "hook", "why", "the queue is full: events are dropped", NULL);
    h->shedding = true;
    h->shed++;
    h->lost_queue++;
}

/* ---- the target ---- */

static struct target
target_of(const struct config *c)
{
    return (struct target){ .url = mem_string(c->push_hook_url), .secret = mem_string(c->push_hook_secret),
                            .queue_max = c->push_hook_queue, .batch_max = c->push_hook_batch,
                            .timeout_ms = c->push_hook_timeout_ms,
                            .give_up_ms = c->push_hook_give_up_s * 1000,
                            .linger_ms = c->push_hook_linger_ms };
}

static struct target
target_copy(const struct target *t)
{
    struct target copy = *t;

    copy.url = mem_string(t->url);
    copy.secret = mem_string(t->secret);
    return copy;
}

static void
target_fini(struct target *t)
{
    explicit_bzero(t->secret, strlen(t->secret));
    free(t->url);
    free(t->secret);
}

/* ---- the thread ---- */

/* Until there is work, and then the oldest of it. False at the end. Called locked. */
static bool
take(struct hook *h, struct batch *b)
{
    struct hook_item **end = &b->items;
    int64_t n;

    while (!h->first && !h->stopping)
        pthread_cond_wait(&h->work, &h->lock);
    if (!h->first || (h->stopping && when_monotonic_ms() >= h->stop_ms))
        return false;
    b->items = h->first;
    for (n = 0; *end && n < h->target.batch_max; n++) {
        b->events += !(*end)->lost;
        b->lost += (*end)->lost;
        end = &(*end)->next;
    }
    if (!(h->first = *end))
        h->last = &h->first;
    *end = NULL;
    h->waiting -= n;
    append_shed(h);
    if (!h->first)
        h->shedding = false;
    return true;
}

static void
write_batch(const struct hook *h, struct batch *b)
{
    const struct hook_item *i;

    b->number++;
    sbuf_reset(&b->body);
    json_open(&b->body, '{');
    json_kv(&b->body, "run", h->run);
    json_kv_int(&b->body, "batch", (int64_t)b->number);
    json_key(&b->body, "events");
    json_open(&b->body, '[');
    if (b->lost_before)
        hook_write_lost(&b->body, when_now_ms(), b->lost_before);
    for (i = b->items; i; i = i->next)
        json_put_raw(&b->body, i->json);
    json_close(&b->body, ']');
    json_close(&b->body, '}');
    if (b->body.failed)
        arena_exhausted(b->body.len);
}

/* Half of the pause is chance, so that many relays do not come back to an application at once. */
static int64_t
jitter(int64_t ms)
{
    uint32_t random = 0;

    if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
        random = 0;
    return ms / 2 + random % (ms / 2 + 1);
}

/* Waits, but not when there is something new to try with: another target, or the end. Called locked. */
static void
pause_for(struct hook *h, int64_t ms, uint64_t changes)
{
    int64_t until = when_monotonic_ms() + ms;
    bool stopping = h->stopping;
    struct timespec at;

    if (stopping && h->stop_ms < until)
        until = h->stop_ms;
    at = (struct timespec){ .tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000 };
    while (h->stopping == stopping && h->changes == changes && when_monotonic_ms() < until)
        pthread_cond_timedwait(&h->work, &h->lock, &at);
}

/* Drops what cannot be posted; the next batch tells. Called locked. */
static void
drop(struct batch *b, uint64_t *counter, const char *why)
{
    *counter += (uint64_t)b->events;
    log_event(LOG_LEVEL_ERROR, "hook", "why", why, "batch", log_number((long long)b->number),
              "dropped", log_number(b->events), NULL);
    b->lost_before += b->events + b->lost;
}

#define SIGNATURE "X-Confab-Signature: "

static enum http_outcome
attempt(struct hook *h, const struct batch *b, const struct target *t, bool first)
{
    char signature[sizeof SIGNATURE - 1 + HTTP_MAC_SIZE] = SIGNATURE;
    const char *headers[] = { signature, NULL };
    struct http_post r = { .url = t->url, .headers = *t->secret ? headers : NULL, .body = b->body.data,
                           .body_len = b->body.len, .timeout_ms = t->timeout_ms };
    enum http_outcome outcome;
    const char *why;

    http_mac(signature + sizeof SIGNATURE - 1, t->secret, b->body.data, b->body.len);
    outcome = http_poster_post(h->poster, &r, &why);
    if (outcome != HTTP_POSTED && first)
        log_event(LOG_LEVEL_WARNING, "hook", "why", why, "batch",
                  log_number((long long)b->number), NULL);
    return outcome;
}

/* One attempt, unlocked meanwhile, and what follows from it. True when the batch is done with. Called locked. */
static bool
try_once(struct hook *h, struct batch *b, int64_t began_ms, bool first)
{
    struct target t = target_copy(&h->target);
    uint64_t changes = h->changes;
    enum http_outcome outcome;
    int64_t now;

    pthread_mutex_unlock(&h->lock);
    outcome = attempt(h, b, &t, first);
    target_fini(&t);
    pthread_mutex_lock(&h->lock);
    now = when_monotonic_ms();
    if (outcome == HTTP_POSTED) {
        h->posted += (uint64_t)b->events;
        b->lost_before = 0;
    } else if (outcome == HTTP_REFUSED && h->changes == changes) {
        drop(b, &h->lost_refused, "refused");
    } else if (now >= began_ms + h->target.give_up_ms || (h->stopping && now >= h->stop_ms)) {
        drop(b, &h->lost_gave_up, "given up");
    } else {
        return false;
    }
    return true;
}

/* Keeps at one batch, unless nobody is to be told any more. Called locked. */
static void
post(struct hook *h, struct batch *b)
{
    int64_t backoff = BACKOFF_FIRST_MS, began = when_monotonic_ms(), pause, left;
    uint64_t changes;
    bool first = true;

    while (*h->target.url) {
        changes = h->changes;
        if (try_once(h, b, began, first))
            return;
        first = false;
        h->retries++;
        pause = jitter(backoff);
        left = began + h->target.give_up_ms - when_monotonic_ms();
        pause_for(h, pause < left ? pause : left, changes);
        backoff = backoff * 2 < BACKOFF_MAX_MS ? backoff * 2 : BACKOFF_MAX_MS;
    }
}

static void *
work(void *arg)
{
    struct hook *h = arg;
    struct batch b = { 0 };

    sbuf_init(&b.body, SIZE_MAX / 2);
    pthread_mutex_lock(&h->lock);
    while (take(h, &b)) {
        write_batch(h, &b);
        post(h, &b);
        hook_items_free(b.items);
        b.items = NULL;
        b.events = b.lost = 0;
    }
    pthread_mutex_unlock(&h->lock);
    sbuf_fini(&b.body);
    return NULL;
}

/* Signals are the loop's. */
static bool
start(struct hook *h)
{
    sigset_t all, before;
    bool started;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    started = pthread_create(&h->thread, NULL, work, h) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static void
init_lock(struct hook *h)
{
    pthread_condattr_t monotonic;

    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&h->work, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static void
release(struct hook *h)
{
    http_poster_free(h->poster);
    pthread_cond_destroy(&h->work);
    pthread_mutex_destroy(&h->lock);
    hook_items_free(h->first);
    target_fini(&h->target);
    free(h);
}

static void
empty_queue(struct hook *h)
{
    hook_items_free(h->first);
    h->first = NULL;
    h->last = &h->first;
    h->waiting = h->shed = 0;
}

/* ---- the loop's side ---- */

struct hook *
hook_new(const struct config *config)
{
    struct hook *h;
    struct id id;

    if (!*config->push_hook_url)
        return NULL;
    h = mem_new(sizeof *h);
    id = id_new(when_now_ms());
    id_text(&id, h->run);
    h->target = target_of(config);
    h->last = &h->first;
    init_lock(h);
    if (!(h->poster = http_poster_new()) || !start(h)) {
        log_event(LOG_LEVEL_ERROR, "hook", "why", "cannot start: nobody will be told", NULL);
        release(h);
        return NULL;
    }
    return h;
}

void
hook_free(struct hook *h)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    h->stopping = true;
    h->stop_ms = when_monotonic_ms() + h->target.linger_ms;
    pthread_cond_signal(&h->work);
    pthread_mutex_unlock(&h->lock);
    http_poster_end_by(h->poster, h->stop_ms);
    pthread_join(h->thread, NULL);
    if (h->waiting || h->shed)
        log_event(LOG_LEVEL_WARNING, "hook", "why", "the relay ends", "dropped",
                  log_number(h->waiting + h->shed), NULL);
    release(h);
}

void
hook_tell(struct hook *h, const struct hook_event *e)
{
    struct hook_item *i;

    if (!h)
        return;
    i = hook_item_new(when_now_ms(), e);
    pthread_mutex_lock(&h->lock);
    if (*h->target.url) {
        h->told++;
        if (h->waiting < h->target.queue_max) {
            append_shed(h);
            append(h, i);
            i = NULL;
            pthread_cond_signal(&h->work);
        } else {
            shed(h);
        }
    }
    pthread_mutex_unlock(&h->lock);
    hook_items_free(i);
}

void
hook_reload(struct hook *h, const struct config *config)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    target_fini(&h->target);
    h->target = target_of(config);
    h->changes++;
    if (!*h->target.url)        /* nobody is left to be told */
        empty_queue(h);
    pthread_cond_signal(&h->work);
    pthread_mutex_unlock(&h->lock);
}

/* ---- figures ---- */

void
hook_metrics(struct hook *h, struct metrics *m)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    metrics_counter(m, "push_hook_events_total", "events there were to tell", (int64_t)h->told);
    metrics_counter(m, "push_hook_posted_total", "events the application took", (int64_t)h->posted);
    metrics_counter(m, "push_hook_retries_total", "requests made again", (int64_t)h->retries);
    metrics_family(m, "push_hook_lost_total", "counter", "events the application was not told of");
    metrics_sample(m, "push_hook_lost_total", "reason=\"queue\"", (int64_t)h->lost_queue);
    metrics_sample(m, "push_hook_lost_total", "reason=\"refused\"", (int64_t)h->lost_refused);
    metrics_sample(m, "push_hook_lost_total", "reason=\"gave_up\"", (int64_t)h->lost_gave_up);
    metrics_gauge(m, "push_hook_waiting", "events that wait", h->waiting);
    pthread_mutex_unlock(&h->lock);
}
