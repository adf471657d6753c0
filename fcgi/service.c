/* service - what a handler process keeps between requests, and one request from start to end
 *
 * The order of checks is the systems' contract: credential, scope header, path and query, body, and
 * only then what the database knows. Where a system says so, a body too large is told right after the
 * credential, and what the path names has to exist before the rest of the input is looked at.
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgi/cors.h"
#include "fcgi/http.h"
#include "fcgi/router.h"
#include "shared/db/db.h"
#include "shared/json.h"
#include "shared/log.h"
#include "shared/when.h"

#define BUS_LINGER_MS 50
#define LIMIT_KEY_MAX 1280              /* a user id has up to 255 code points */
#define LOG_PATH_MAX 512

static bool
any_always_limits(const struct edge *const *edges)
{
    while (*edges && !(*edges)->always_limits)
        edges++;
    return *edges != NULL;
}

void
service_init(struct service *s, const struct config *config, const struct edge *const *edges,
             bool short_lived)
{
    char path[4200];

    memset(s, 0, sizeof *s);
    s->config = config;
    s->edges = edges;
    s->rules = config_token_rules(config);
    s->short_lived = short_lived;
    s->bus = bus_sender_new((int)config->bus_queue);
    if (!config->rate_limit_enabled && !any_always_limits(edges))
        return;
    snprintf(path, sizeof path, "%s/limits", config->run);
    s->limits = ratelimit_open(path);
    if (!s->limits)
        log_event(LOG_LEVEL_ERROR, "rate_limit_off", "path", path, "why", strerror(errno), NULL);
}

static void
close_database(struct service *s)
{
    db_close(s->db);
    s->db = NULL;
}

void
service_fini(struct service *s)
{
    close_database(s);
    ratelimit_close(s->limits);
    bus_sender_free(s->bus, BUS_LINGER_MS);
}

/* A restored backup or a new instance is another file under the same name; the open handle would go
 * on serving the old one for ever. */
static enum err
open_database(struct service *s)
{
    struct stat st;
    bool there = stat(s->config->database, &st) == 0;
    enum err e;

    if (s->db && (!there || st.st_dev != s->db_device || st.st_ino != s->db_inode))
        close_database(s);
    if (s->db)
        return ERR_OK;
    e = db_open(s->config->database, DB_OPEN | (s->short_lived ? DB_SHORT : 0),
                (int)s->config->write_wait_ms, &s->db);
    if (e != ERR_OK) {
        s->db = NULL;
        return e;
    }
    if (!there && stat(s->config->database, &st) != 0)
        return ERR_OK;
    s->db_device = st.st_dev;
    s->db_inode = st.st_ino;
    return ERR_OK;
}

enum err
service_op(struct request *q, struct op *op_r)
{
    struct service *s = q->service;
    enum err e = open_database(s);

    if (e != ERR_OK)
        return e;
    memset(op_r, 0, sizeof *op_r);
    op_r->db = s->db;
    op_r->arena = q->arena;
    op_r->bus = s->bus;
    op_r->config = s->config;
    op_r->system = q->edge->system;
    op_r->now_ms = q->now_ms;
    op_r->request = q->id;
    op_r->fail = &q->fail;
    return ERR_OK;
}

int64_t
service_setting(const struct config *config, size_t offset)
{
    return *(const int64_t *)((const char *)config + offset);
}

enum err
service_limit(struct request *q, struct reply *r, const char *what, const char *name,
              const struct limit *limit)
{
    struct service *s = q->service;
    char key[LIMIT_KEY_MAX];
    int64_t wait_ms = 0;
    enum err e;

    if (!s->limits || !name)
        return ERR_OK;
    snprintf(key, sizeof key, "%s:%s:%s", q->edge->system->name, what, name);
    e = (limit->per_minute ? ratelimit_take_slowly : ratelimit_take)(
        s->limits, key, limit->rate, limit->burst, q->now_ms, &wait_ms);
    if (e != ERR_RATE)
        return ERR_OK;
    r->retry_after_s = (wait_ms + 999) / 1000;
    return ERR_RATE;
}

/* Takes one token of the general limit for who ("user", "address"). */
static enum err
take_token(struct request *q, struct reply *r, const char *who, const char *name)
{
    const struct config *c = q->config;
    const struct limit limit = { c->rate_limit_rps, c->rate_limit_burst, false };

    return c->rate_limit_enabled ? service_limit(q, r, who, name, &limit) : ERR_OK;
}

/* A refusal costs its sender's address a token, so that guessing is slow. */
static enum err
refuse_stranger(struct request *q, struct reply *r, enum err e)
{
    enum err limit = take_token(q, r, "address", q->address);

    return limit != ERR_OK ? limit : e;
}

static enum err
authenticate(struct request *q, struct reply *r, const struct route *route,
             const struct target *target)
{
    enum err e = q->edge->authenticate(q, route, target);

    if (e != ERR_OK)
        return refuse_stranger(q, r, e);
    if (route->unlimited)
        return ERR_OK;
    e = q->user ? take_token(q, r, "user", q->user) : take_token(q, r, "address", q->address);
    if (e == ERR_OK && q->edge->limit)
        e = q->edge->limit(q, r, route);
    return e;
}

static enum err
read_scopes(struct request *q, const struct route *route)
{
    if (route->scope == SCOPE_NONE)
        return ERR_OK;
    if (q->scope_config)
        return q->edge->read_scopes(q);
    if (route->scope == SCOPE_REQUIRED)
        return err_fail(&q->fail, ERR_MALFORMED, NULL, "the scope header is required");
    return ERR_OK;
}

static enum err
read_path(struct request *q, const struct route_match *m)
{
    void *path = arena_alloc(q->arena, q->edge->path_size);

    q->part = "path";
    if (m->params_err)
        return err_fail(&q->fail, m->params_err, NULL, "the path is not well formed");
    q->path = path;
    return field_read_query(q->arena, q->edge->path_fields, m->params, m->n_params, path, &q->fail);
}

/* Without input there is nothing to look at too early: the handler's own look will do. */
static enum err
admit(struct request *q, const struct route *route)
{
    bool input = route->query || route->body || q->edge->read_input;

    return q->edge->admit && input ? q->edge->admit(q) : ERR_OK;
}

static enum err
read_query(struct request *q, const struct route *route, const struct target *target, void *in)
{
    q->part = "query";
    if (target->query_err)
        return err_fail(&q->fail, target->query_err, NULL, "the query is not well formed");
    if (!route->query)
        return ERR_OK;
    return field_read_query(q->arena, route->query, target->pairs, target->n_pairs, in, &q->fail);
}

/* A body of which nothing is said may be JSON. */
static bool
may_be_json(const struct request *q)
{
    return !q->edge->json_only || !q->content_type || !*q->content_type
        || http_is_type(q->content_type, "application/json");
}

/* Did the body arrive, and is it within the system's limit? */
static enum err
check_body(struct request *q)
{
    q->part = "body";
    if (q->body_err != ERR_OK)
        return q->body_err;
    if ((int64_t)q->body_len > service_setting(q->config, q->edge->body_max))
        return ERR_TOO_LARGE;
    return ERR_OK;
}

enum err
service_json(struct request *q, struct json **json_r)
{
    int depth = (int)service_setting(q->config, q->edge->json_depth);
    enum err e = json_parse(q->arena, q->body, q->body_len, depth, json_r, &q->fail);

    if (e == ERR_OK && json_type(*json_r) != JSON_OBJECT)
        return err_fail(&q->fail, ERR_FIELD, NULL, "the body must be a JSON object");
    return e;
}

static enum err
read_body(struct request *q, const struct route *route, void *in)
{
    struct json *json;
    enum err e;

    if ((e = check_body(q)) != ERR_OK || !route->body)
        return e;
    if (route->body_optional && q->body_len == 0)
        return ERR_OK;
    if (q->body_len > 0 && !may_be_json(q))
        return err_fail(&q->fail, ERR_MEDIA_TYPE, NULL, "the body must be application/json");
    if ((e = service_json(q, &json)) != ERR_OK)
        return e;
    e = field_read_json(q->arena, route->body, json, q->body, q->body_len, in, &q->fail);
    if (e == ERR_OK && q->edge->refuse_nul && json_nul_in_raw(q->body))
        return err_fail(&q->fail, ERR_LIMIT, NULL, "the body must not hold NUL");
    return e;
}

/* What a system reads by itself it is given whole. */
static enum err
read_input(struct request *q, const struct route *route, const struct target *target, void *in)
{
    enum err e;

    if (q->edge->read_input)
        return (e = check_body(q)) != ERR_OK ? e : q->edge->read_input(q, route, target, in);
    if ((e = read_query(q, route, target, in)) != ERR_OK)
        return e;
    return read_body(q, route, in);
}

static enum err
run_route(struct request *q, struct reply *r, const struct route_match *m,
          const struct target *target)
{
    const struct route *route = m->route;
    void *in = arena_alloc(q->arena, route->in_size);
    enum err e;

    q->route = route;
    q->in = in;
    if ((e = authenticate(q, r, route, target)) != ERR_OK)
        return e;
    if (q->edge->size_first && (e = check_body(q)) != ERR_OK)
        return e;
    if ((e = read_scopes(q, route)) != ERR_OK)
        return e;
    if ((e = read_path(q, m)) != ERR_OK || (e = admit(q, route)) != ERR_OK)
        return e;
    if ((e = read_input(q, route, target, in)) != ERR_OK)
        return e;
    return route->run(q, r);
}

/* Looks in every system's table; a path stands in one of them at most. */
static enum err
find_route(struct request *q, const struct target *target, struct route_match *m_r)
{
    const struct edge *const *edge;
    enum err e;
    size_t i;

    for (edge = q->service->edges; *edge; edge++) {
        e = router_find(q->arena, *edge, target, q->method, m_r);
        if (e != ERR_NOT_FOUND) {
            q->edge = *edge;
            return e == ERR_OK && q->head && (m_r->route->method & M_NO_HEAD) ? ERR_METHOD : e;
        }
    }
    for (i = 0; i < target->n_segments; i++) {
        if (target->segments[i].err)
            return err_fail(&q->fail, target->segments[i].err, NULL,
                            "the path is not well formed");
    }
    return ERR_NOT_FOUND;
}

/* A web server that could not take a request in may hand it on, with the status it would have given and
 * little else, so that the refusal has the API's form. 411 is none: a POST without a length is one
 * without a body. */
static enum err
front_refusal(struct request *q, struct reply *r)
{
    int status = q->front_status ? atoi(q->front_status) : 200;

    if (status < 400 || status == 411)
        return ERR_OK;
    switch (status) {
    case 413:
        return ERR_TOO_LARGE;
    case 414:
        return ERR_TARGET;
    case 431:
        return err_fail(&q->fail, ERR_MALFORMED, NULL, "the request's head is too large");
    case 500:
        return ERR_INTERNAL;
    case 501:
        r->allow = router_allow(q->arena, router_methods(q->edge));
        return ERR_METHOD;
    case 502:
    case 503:
    case 504:
        return ERR_BUSY;
    default:
        return ERR_MALFORMED;
    }
}

static enum err
route_request(struct request *q, struct reply *r, struct target *target,
              const struct route **route_r)
{
    struct route_match m = { 0 };
    enum err e;

    if ((e = front_refusal(q, r)) != ERR_OK)
        return refuse_stranger(q, r, e);
    if (strlen(q->target) > (size_t)q->config->target_max)
        return refuse_stranger(q, r, ERR_TARGET);
    e = http_target(q->arena, q->target, target);
    if (q->method == M_OPTIONS) {
        r->status = 204;
        r->preflight = true;
        return ERR_OK;
    }
    if (e != ERR_OK)
        return refuse_stranger(q, r, e);
    e = find_route(q, target, &m);
    *route_r = m.route;
    if (e == ERR_METHOD)
        r->allow = router_allow(q->arena, m.methods);
    if (e != ERR_OK)
        return refuse_stranger(q, r, e);
    return run_route(q, r, &m, target);
}

static void
write_head(struct sbuf *out, const struct request *q, const struct reply *r, bool with_body)
{
    sbuf_printf(out, "Status: %d %s\r\n", r->status, http_reason(r->status));
    if (with_body && r->file_len > 0)
        sbuf_printf(out, "Content-Type: %s\r\nContent-Length: %lld\r\n"
                    "Content-Security-Policy: default-src 'none'\r\n", r->media_type,
                    (long long)r->file_len);
    else if (with_body)
        sbuf_printf(out, "Content-Type: application/json%s\r\nContent-Length: %zu\r\n",
                    q->edge->charset ? q->edge->charset : "", r->body.len);
    sbuf_puts(out, "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
    sbuf_printf(out, "X-Request-Id: %s\r\n", q->id);
    if (r->allow)
        sbuf_printf(out, "Allow: %s\r\n", r->allow);
    if (r->etag)
        sbuf_printf(out, "ETag: %s\r\n", r->etag);
    if (r->retry_after_s)
        sbuf_printf(out, "Retry-After: %lld\r\n", (long long)r->retry_after_s);
    if (r->status == 401)
        sbuf_puts(out, "WWW-Authenticate: Bearer\r\n");
    cors_write(out, q->config, q, r->preflight);
    sbuf_puts(out, "\r\n");
}

static void
log_request(const struct request *q, const struct target *target, const struct reply *r,
            enum err e, int64_t took_ms)
{
    const char *path = target->path;

    if (strlen(path) > LOG_PATH_MAX)
        path = arena_printf(q->arena, "%.*s...", LOG_PATH_MAX, path);
    log_event(LOG_LEVEL_INFO, "request", "method", q->method_text, "path", path,
              "status", log_number(r->status), "why", e ? err_word(e) : NULL,
              "ms", log_number(took_ms), "request", q->id, NULL);
}

/* Servers split a path into script name and the rest in many ways, also where nothing was put anywhere: what
 * is an API's path as it stands is taken so. */
static const char *
without_base(const struct service *s, const struct request *q)
{
    const struct edge *const *edge;

    for (edge = s->edges; *edge; edge++)
        if (http_is_below(q->target, (*edge)->prefix))
            return q->target;
    if (http_is_below(q->target, "/health"))
        return q->target;
    return http_below(q->target, q->script_name, q->path_info);
}

static void
begin(struct service *s, struct request *q)
{
    q->service = s;
    q->config = s->config;
    q->now_ms = when_now_ms();
    if (!q->method_text)
        q->method_text = "";
    if (q->front_status && strcmp(q->front_status, "411") == 0)
        q->method_text = "POST";
    if (!q->target)
        q->target = "";
    q->target = without_base(s, q);
    if (!q->body)
        q->body = "";
    q->edge = router_edge(s->edges, q->target);
    q->method = router_method(q->method_text, &q->head);
}

bool
service_streams(struct service *s, struct request *q)
{
    struct route_match m;
    struct target target;

    begin(s, q);
    return q->edge->streams && http_target(q->arena, q->target, &target) == ERR_OK
           && router_find(q->arena, q->edge, &target, q->method, &m) == ERR_OK && m.route->streams;
}

/* The file of an answer goes to whoever writes it; that of a HEAD's to nobody. */
static void
hand_over_file(struct request *q, const struct reply *r)
{
    if (r->file_len == 0)
        return;
    if (q->head) {
        close(r->file);
    } else {
        q->file = r->file;
        q->file_len = r->file_len;
    }
}

void
service_answer(struct service *s, struct request *q, struct sbuf *out)
{
    int64_t start_ms = when_monotonic_ms();
    struct reply r = { .status = 200 };
    struct target target = { .path = "" };
    const struct route *route = NULL;
    struct id id;
    bool with_body;
    enum err e;

    if (!q->service)
        begin(s, q);
    id = id_new(q->now_ms);
    id_text(&id, q->id);
    sbuf_init(&r.body, SIZE_MAX);
    e = route_request(q, &r, &target, &route);
    if (e == ERR_OK && r.body.failed)
        e = ERR_NO_MEMORY;
    if (e == ERR_RATE && r.retry_after_s == 0)
        r.retry_after_s = 1;
    if (e != ERR_OK) {
        sbuf_reset(&r.body);
        q->edge->write_error(q, &r, route, e);
    }
    if (e == ERR_INTERNAL || e == ERR_OLD_SCHEMA)
        close_database(s);
    with_body = r.status != 204 && r.status != 304;
    write_head(out, q, &r, with_body);
    hand_over_file(q, &r);
    if (with_body && !q->head)
        sbuf_put(out, r.body.data, r.body.len);
    log_request(q, &target, &r, e, when_monotonic_ms() - start_ms);
    sbuf_fini(&r.body);
}
