/* api - the server API over HTTP; figures and health beside it
 *
 * POST <prefix>/<method> with the key. An answer that has to wait for the store is given through the exchange.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/api.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

#include "shared/percent.h"
#include "shared/token.h"
#include "shared/when.h"

#define PREFIX "/api/"
#define METRICS_MAX (4 << 20)

/* One request under way; lies in its own arena. */
struct request {
    struct api_call call;
    struct push *push;
    struct arena *arena;
    struct io_exchange *exchange;   /* NULL while the callback runs: it answers itself */
    bool statuses;                  /* errors are wanted as HTTP statuses */
    bool over;
};

/* ---- the key ---- */

static bool
query_key_good(const char *query, const char *key)
{
    struct arena *a = arena_new();
    const char *given = percent_query(a, query, "api_key");
    bool good = given && token_secret_equal(given, key);

    arena_free(a);
    return good;
}

bool
api_key_good(const struct push *p, const struct io_request *r)
{
    const char *key = p->config->push_api_key;
    const char *given = io_header(r, "X-API-Key");

    if (p->config->push_api_insecure)
        return true;
    if (!*key)
        return false;
    if (!given)
        given = token_of_scheme(io_header(r, "Authorization"), "apikey");
    if (given)
        return token_secret_equal(given, key);
    return query_key_good(r->query, key);
}

/* ---- answers ---- */

static enum io_verdict
plain(struct io_answer *a, int status)
{
    a->status = status;
    a->content_type = NULL;
    return IO_ANSWER;
}

static enum io_verdict
refuse(struct push *p, struct io_answer *a, int status)
{
    push_count(p, PUSH_COUNT_BAD_API);
    return plain(a, status);
}

/* Explains a 400; what is wrong is found by people, so it is told in words. */
static enum io_verdict
refuse_body(struct push *p, struct io_answer *a, const struct fail *fail)
{
    refuse(p, a, 400);
    a->content_type = "text/plain; charset=utf-8";
    sbuf_printf(&a->body, "%s\n", fail->why[0] ? fail->why : "a field is of the wrong type");
    return IO_ANSWER;
}

static void
write_answer(struct request *q, struct io_answer *a)
{
    const struct api_call *c = &q->call;

    a->status = 200;
    a->content_type = "application/json";
    a->body.max = API_ANSWER_MAX + 64;
    if (c->error)
        push_count(q->push, PUSH_COUNT_BAD_API);
    if (c->error && q->statuses) {
        a->status = api_status(c->error);
        api_write_error(&a->body, c->error);
    } else {
        api_write_answer(&a->body, c);
    }
}

static void
request_free(struct request *q)
{
    api_call_fini(&q->call);
    arena_free(q->arena);
}

static void
answered(struct api_call *c)
{
    struct request *q = c->owner;
    struct io_answer a = { 0 };

    q->over = true;
    if (!q->exchange)
        return;
    sbuf_init(&a.body, 0);
    sbuf_init(&a.headers, 0);
    write_answer(q, &a);
    io_exchange_answer(q->exchange, &a);
    sbuf_fini(&a.body);
    sbuf_fini(&a.headers);
    request_free(q);
}

/* ---- requests ---- */

static struct request *
request_new(struct push *p, const struct io_request *r)
{
    struct arena *arena = arena_new();
    struct request *q = arena_alloc(arena, sizeof *q);
    const char *mode = io_header(r, "X-Centrifugo-Error-Mode");

    q->push = p;
    q->arena = arena;
    q->statuses = mode && strcasecmp(mode, "transport") == 0;
    q->call = (struct api_call){ .push = p, .arena = arena, .done = answered, .owner = q };
    return q;
}

static enum err
request_read(struct request *q, const struct api_method *m, const struct io_request *r,
             struct fail *fail)
{
    struct json *body;
    enum err e = json_parse(q->arena, r->body, r->body_len, (int)q->push->config->json_depth, &body,
                            fail);

    return e != ERR_OK ? e : api_call_read(&q->call, m, body, r->body, r->body_len);
}

static enum io_verdict
request_run(struct request *q, struct io_exchange *x, struct io_answer *a)
{
    api_call_run(&q->call);
    if (!q->over) {
        q->exchange = x;
        return IO_LATER;
    }
    write_answer(q, a);
    request_free(q);
    return IO_ANSWER;
}

enum io_verdict
api_request(void *arg, const struct io_request *r, struct io_exchange *x, struct io_answer *a,
            struct io_client **client_r)
{
    struct push *p = arg;
    const struct api_method *m = NULL;
    struct fail fail = { 0 };
    enum io_verdict verdict;
    struct request *q;

    (void)client_r;
    if (!api_key_good(p, r))
        return refuse(p, a, 401);
    if (strncmp(r->path, PREFIX, strlen(PREFIX)) == 0)
        m = api_method_find(r->path + strlen(PREFIX));
    if (!m)
        return refuse(p, a, 404);
    if (strcmp(r->method, "POST") != 0) {
        sbuf_puts(&a->headers, "Allow: POST\r\n");
        return refuse(p, a, 405);
    }
    q = request_new(p, r);
    if (request_read(q, m, r, &fail) != ERR_OK) {
        request_free(q);
        return refuse_body(p, a, &fail);
    }
    verdict = request_run(q, x, a);
    arena_reset(p->scratch);
    return verdict;
}

/* ---- figures and health ---- */

static bool
is_reading(const struct io_request *r, struct io_answer *a)
{
    if (strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0)
        return true;
    sbuf_puts(&a->headers, "Allow: GET, HEAD\r\n");
    plain(a, 405);
    return false;
}

static int64_t
resident_bytes(void)
{
    long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (f) {
        if (fscanf(f, "%*s %lld", &pages) != 1)
            pages = 0;
        fclose(f);
    }
    return pages * sysconf(_SC_PAGESIZE);
}

static int64_t
milliseconds(const struct timeval *t)
{
    return (int64_t)t->tv_sec * 1000 + t->tv_usec / 1000;
}

static void
process_metrics(const struct push *p, struct metrics *m)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    metrics_counter(m, "process_cpu_milliseconds_total", "processor time used, user and system",
                    milliseconds(&used.ru_utime) + milliseconds(&used.ru_stime));
    metrics_gauge(m, "process_resident_bytes", "memory held", resident_bytes());
    metrics_gauge(m, "process_uptime_seconds", "age of the push server",
                  (when_monotonic_ms() - p->started_ms) / 1000);
}

void
api_metrics(struct push *p, struct sbuf *out)
{
    struct metrics m = { .out = out };

    out->max = METRICS_MAX;
    process_metrics(p, &m);
    io_metrics(p->io, &m);
    push_metrics(p, &m);
}

enum io_verdict
metrics_request(void *arg, const struct io_request *r, struct io_exchange *x, struct io_answer *a,
                struct io_client **client_r)
{
    struct push *p = arg;

    (void)x, (void)client_r;
    if (!api_key_good(p, r))
        return plain(a, 401);
    if (!is_reading(r, a))
        return IO_ANSWER;
    a->status = 200;
    a->content_type = "text/plain; version=0.0.4; charset=utf-8";
    api_metrics(p, &a->body);
    return IO_ANSWER;
}

enum io_verdict
health_request(void *arg, const struct io_request *r, struct io_exchange *x, struct io_answer *a,
               struct io_client **client_r)
{
    (void)arg, (void)x, (void)client_r;
    if (!is_reading(r, a))
        return IO_ANSWER;
    a->status = 200;
    a->content_type = "application/json";
    sbuf_puts(&a->body, "{}");
    return IO_ANSWER;
}
