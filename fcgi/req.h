/* req - one request and its answer, between the web server and a chat system
 *
 * cgi.c fills the raw part of struct request, service.c the rest, step by step; a handler sees both
 * complete. Everything a request points to lives in its arena, until the answer is written. Header
 * values are NULL when the header is absent.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FCGI_REQ_H
#define FCGI_REQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/arena.h"
#include "shared/chat/op.h"
#include "shared/config.h"
#include "shared/err.h"
#include "shared/id.h"
#include "shared/sbuf.h"

/* Bits, so that a set of them is an unsigned. HEAD is M_GET with request.head. */
enum method {
    M_OTHER = 0,
    M_GET = 1,
    M_POST = 2,
    M_PUT = 4,
    M_DELETE = 8,
    M_OPTIONS = 16,
    M_PATCH = 32,
    M_NO_HEAD = 64,                     /* in a set: its GET answers no HEAD */
};

/* A body that is read while it arrives: it is not kept in memory, and nobody is asked for it in vain. */
struct body_reader {
    int64_t length;                     /* as announced; -1: it was not */
    /* At most size bytes to p; *n_r 0: that was all. ERR_MALFORMED: it broke off; ERR_TIMEOUT. */
    enum err (*read)(struct body_reader *b, char *p, size_t size, size_t *n_r);
};

struct edge;                            /* router.h */
struct route;
struct service;                         /* service.h */

struct request {
    /* as it came in; cgi.c */
    struct arena *arena;
    const char *method_text;
    const char *target;                 /* raw request target; once begun, without the base path */
    const char *script_name, *path_info;    /* where the web server says that we are, and what follows */
    const char *address;                /* of the client, as the web server says */
    const char *authorization;
    const char *scope_config;
    const char *idempotency_key;
    const char *if_none_match;
    const char *origin;
    const char *front_status;           /* what the web server makes of it, if it asks us to say so */
    const char *cors_headers;           /* Access-Control-Request-Headers */
    const char *language;               /* Accept-Language */
    const char *vk_params;              /* X-VK-Launch-Params */
    const char *content_type;
    const char *body;
    size_t body_len;
    enum err body_err;                  /* why there is no whole body; counts when it is its turn */
    struct body_reader *reader;         /* of a route that streams: its body, which is not in body; else NULL */

    /* worked out; service.c */
    struct service *service;
    const struct edge *edge;            /* the chat system asked */
    const struct config *config;
    int64_t now_ms;
    char id[ID_TEXT_SIZE];              /* names this request in logs and events */
    enum method method;
    bool head;
    const char *user;                   /* A_USER: who calls */
    const void *caller;                 /* more of him, for systems that know more */
    const struct scope_lists *scopes;   /* of his scope header; NULL: none */
    const void *path;                   /* what the system's path_fields filled */
    const struct route *route;          /* what answers, once that is known */
    const void *in;                     /* what the route's tables filled */
    const char *part;                   /* "path", "query" or "body": what was read last */
    struct fail fail;

    /* the answer's body, where it is a file */
    int file;                           /* open; cgi.c closes it */
    int64_t file_len;                   /* 0: there is none */
};

struct reply {
    int status;                         /* 200 unless a handler says otherwise */
    struct sbuf body;                   /* JSON; empty: an answer without body */
    int file;                           /* in its place, with ERR_OK only: a file, open at its beginning ... */
    int64_t file_len;                   /* ... this long; 0: none ... */
    const char *media_type;             /* ... and what it is */
    const char *allow;                  /* 405 */
    const char *etag;                   /* quoted */
    int64_t retry_after_s;              /* 429 */
    bool preflight;                     /* answers OPTIONS */
};

#endif
