/* router - which row of which table answers a request
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/router.h"

#include <string.h>

static const struct {
    enum method method;
    const char *name;
} methods[] = {
    { M_GET, "GET" }, { M_POST, "POST" }, { M_PUT, "PUT" }, { M_PATCH, "PATCH" }, { M_DELETE, "DELETE" },
    { M_OPTIONS, "OPTIONS" },
};

#define N_METHODS (sizeof methods / sizeof methods[0])

/* Segments of a pattern, which begins with a slash. */
static size_t
pattern_length(const char *path)
{
    size_t n = 0;

    for (; *path; path++)
        n += *path == '/';
    return n;
}

/* Takes one segment off a pattern; false at its end. */
static bool
pattern_next(const char **path, const char **p_r, size_t *len_r)
{
    if (**path != '/')
        return false;
    *p_r = *path + 1;
    *len_r = strcspn(*p_r, "/");
    *path = *p_r + *len_r;
    return true;
}

static bool
is_literal(const struct segment *s, const char *p, size_t len)
{
    return s->text && strlen(s->text) == len && memcmp(s->text, p, len) == 0;
}

/* "/dialogs/" names no dialog. */
static bool
is_empty(const struct segment *s)
{
    return s->text && !*s->text;
}

/* How many segments the pattern's '*' takes; 0: the pattern has none, or too few are there. */
static size_t
rest_length(const char *path, size_t n_segments)
{
    size_t others;

    if (!strchr(path, '*'))
        return 0;
    others = pattern_length(path) - 1;
    return n_segments > others ? n_segments - others : 0;
}

static bool
path_fits(const char *path, const struct target *t)
{
    size_t rest = rest_length(path, t->n_segments), i = 0, len;
    const char *p;

    if (!rest && pattern_length(path) != t->n_segments)
        return false;
    if (!rest && strchr(path, '*'))
        return false;
    while (pattern_next(&path, &p, &len)) {
        if (*p == '*')
            i += rest;
        else if (*p == ':' && is_empty(&t->segments[i]))
            return false;
        else if (*p == ':')
            i++;
        else if (!is_literal(&t->segments[i++], p, len))
            return false;
    }
    return i == t->n_segments;
}

static const char *
join_segments(struct arena *a, const struct segment *s, size_t n, enum err *e)
{
    struct sbuf text;
    const char *joined;
    size_t i;

    if (n == 1) {
        *e = s->err ? s->err : *e;
        return s->text ? s->text : "";
    }
    sbuf_init(&text, SIZE_MAX);
    for (i = 0; i < n; i++) {
        if (i > 0)
            sbuf_putc(&text, '/');
        if (s[i].text)
            sbuf_puts(&text, s[i].text);
        else
            *e = s[i].err;
    }
    joined = arena_copy(a, sbuf_str(&text), text.len);
    sbuf_fini(&text);
    return joined;
}

static void
take_params(struct arena *a, const struct route *route, const struct target *t,
            struct route_match *m)
{
    const char *path = route->path, *p;
    size_t rest = rest_length(path, t->n_segments), i = 0, len;

    while (pattern_next(&path, &p, &len)) {
        size_t n = *p == '*' ? rest : 1;

        if ((*p == '*' || *p == ':') && m->n_params < ROUTE_PARAMS_MAX) {
            struct pair *param = &m->params[m->n_params++];

            param->name = arena_copy(a, p + 1, len - 1);
            param->value = join_segments(a, &t->segments[i], n, &m->params_err);
        }
        i += n;
    }
}

/* The path without the slash that this system does not count. */
static struct target
without_slash(const struct edge *edge, const struct target *target)
{
    struct target t = *target;

    if (edge->slash_ends && t.n_segments > 1 && is_empty(&t.segments[t.n_segments - 1]))
        t.n_segments--;
    return t;
}

enum err
router_find(struct arena *a, const struct edge *edge, const struct target *target,
            enum method method, struct route_match *match_r)
{
    const struct target path = without_slash(edge, target);
    const struct route *route;
    const char *known = NULL;

    memset(match_r, 0, sizeof *match_r);
    for (route = edge->routes; route->path; route++) {
        /* The first pattern that fits owns the path: ".../list" is not an object named "list". */
        if (known ? strcmp(route->path, known) != 0 : !path_fits(route->path, &path))
            continue;
        known = route->path;
        match_r->methods |= route->method;
        if ((route->method & method) && !match_r->route)
            match_r->route = route;
    }
    if (!known)
        return ERR_NOT_FOUND;
    if (!match_r->route)
        return ERR_METHOD;
    take_params(a, match_r->route, &path, match_r);
    return ERR_OK;
}

const struct edge *
router_edge(const struct edge *const *edges, const char *target)
{
    const struct edge *best = NULL;
    const struct edge *const *edge;

    for (edge = edges; *edge; edge++) {
        if (http_is_below(target, (*edge)->prefix)
            && (!best || strlen((*edge)->prefix) > strlen(best->prefix)))
            best = *edge;
    }
    return best ? best : edges[0];
}

unsigned
router_methods(const struct edge *edge)
{
    const struct route *route;
    unsigned set = 0;

    for (route = edge->routes; route->path; route++)
        set |= route->method;
    return set;
}

const char *
router_allow(struct arena *a, unsigned set)
{
    const char *allow = "";
    size_t i;

    set |= M_OPTIONS;
    for (i = 0; i < N_METHODS; i++) {
        if (set & methods[i].method)
            allow = arena_printf(a, "%s%s%s%s", allow, *allow ? ", " : "", methods[i].name,
                                 methods[i].method == M_GET && !(set & M_NO_HEAD) ? ", HEAD" : "");
    }
    return allow;
}

enum method
router_method(const char *text, bool *head_r)
{
    size_t i;

    *head_r = strcmp(text, "HEAD") == 0;
    if (*head_r)
        return M_GET;
    for (i = 0; i < N_METHODS; i++) {
        if (strcmp(text, methods[i].name) == 0)
            return methods[i].method;
    }
    return M_OTHER;
}

void
router_print(const struct edge *edge, FILE *out)
{
    static const char *const who[] = { [A_ANYONE] = "anyone", [A_USER] = "user",
                                       [A_ADMIN] = "admin", [A_MAYBE] = "user or nobody",
                                       [A_RUNNER] = "runner", [A_ONLINE] = "user with a socket" };
    const struct route *route;
    size_t i;

    for (route = edge->routes; route->path; route++) {
        for (i = 0; i < N_METHODS; i++) {
            if (route->method & methods[i].method)
                fprintf(out, "%s %s %s\n", methods[i].name, route->path, who[route->who]);
        }
    }
}
