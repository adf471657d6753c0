/* router - which row of which table answers a request
 *
 * A chat system is one struct edge: its routes and its words for errors. Patterns are matched
 * segment by segment: literal text, ":name" for one that is not empty, "*name" for one or more (the
 * rest of the path up to what the pattern still wants), so that ids may hold slashes.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FCGI_ROUTER_H
#define FCGI_ROUTER_H

#include <stdio.h>

#include "fcgi/http.h"
#include "fcgi/req.h"
#include "shared/field.h"

#define ROUTE_PARAMS_MAX 4

/* A_MAYBE: a user, or nobody. A_RUNNER: the key of a runner. A_ONLINE: a user who has a socket open. */
enum who { A_ANYONE = 1, A_USER, A_ADMIN, A_MAYBE, A_RUNNER, A_ONLINE };

/* What the route does with the scope header. */
enum scope_use { SCOPE_NONE = 0, SCOPE_OPTIONAL, SCOPE_REQUIRED };

/* A handler: unpack, one operation, render. An error becomes the system's envelope. */
typedef enum err route_handler(struct request *q, struct reply *r);

struct route {
    unsigned method;                /* one, or a set of them */
    const char *path;
    enum who who;
    enum scope_use scope;
    const struct field *query;      /* NULL: the query is not looked at */
    const struct field *body;       /* NULL: the body is not looked at */
    size_t in_size;                 /* of the struct both tables fill */
    route_handler *run;
    bool unlimited;                 /* spared by the rate limit */
    bool body_optional;             /* none at all is like an object without fields */
    bool streams;                   /* the handler reads the body, from q->reader */
};

/* One chat system at the HTTP edge. */
struct edge {
    const struct chat_system *system;
    const char *prefix;                     /* what lies below is answered in its words, if only 404 */
    const struct route *routes;             /* ends with a row without path */
    const struct field *path_fields;        /* what ":name" and "*name" must be */
    size_t path_size;
    size_t body_max, json_depth;            /* offsets in struct config: the settings for these */
    bool size_first;                        /* a body too large is told before what the path names */
    bool json_only;                         /* a body that is said to be of another type is refused */
    bool refuse_nul;                        /* also where no field is read */
    bool always_limits;                     /* has rate limits of its own, whatever the setting */
    bool streams;                           /* some of its routes stream */
    bool slash_ends;                        /* a path may end in a slash too many */
    bool never_credentials;                 /* Allow-Credentials is not sent, whatever the setting */
    const char *cors_methods;               /* NULL: the setting */
    const char *cors_headers;               /* NULL: the setting */
    const char *charset;                    /* behind the type of its answers, "; charset=utf-8"; NULL: nothing */
    /* Who calls, and may he call this route at all? Into q->user and q->caller. */
    enum err (*authenticate)(struct request *q, const struct route *route, const struct target *target);
    /* NULL, or: what the path names must exist for him before his input is looked at. */
    enum err (*admit)(struct request *q);
    /* NULL: query and body by the route's tables. Or: both into in, once the body is there. */
    enum err (*read_input)(struct request *q, const struct route *route, const struct target *target,
                           void *in);
    /* NULL, or: rate limits of this system's own. */
    enum err (*limit)(struct request *q, struct reply *r, const struct route *route);
    /* Puts e into the system's words: status and body of r. */
    void (*write_error)(struct request *q, struct reply *r, const struct route *route, enum err e);
    /* The scope header into q->scopes; NULL in a system without scopes. */
    enum err (*read_scopes)(struct request *q);
};

struct route_match {
    const struct route *route;
    unsigned methods;                       /* what the path knows, when route is NULL */
    struct pair params[ROUTE_PARAMS_MAX];
    size_t n_params;
    enum err params_err;                    /* a segment that could not be decoded */
};

/* Finds the first route of one edge for target and method. ERR_NOT_FOUND when no pattern fits,
 * ERR_METHOD when one does, but not with this method (match_r->methods tells which). */
enum err router_find(struct arena *a, const struct edge *edge, const struct target *target,
                     enum method method, struct route_match *match_r);

/* The edge whose prefix is the longest that target (raw) begins with; the first where none is. */
const struct edge *router_edge(const struct edge *const *edges, const char *target);

/* All methods that its routes know. */
unsigned router_methods(const struct edge *edge);

/* "GET, HEAD, OPTIONS" for a set of methods. */
const char *router_allow(struct arena *a, unsigned methods);

enum method router_method(const char *text, bool *head_r);

/* One line "METHOD path who" for each route and method. */
void router_print(const struct edge *edge, FILE *out);

#endif
