/* service - what a handler process keeps between requests, and one request from start to end
 *
 * Between requests only the settings, the database handle, the senders of the bus and the table of
 * rate limits survive. The database is opened by the first request that needs it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FCGI_SERVICE_H
#define FCGI_SERVICE_H

#include <sys/types.h>

#include "fcgi/req.h"
#include "shared/bus.h"
#include "shared/chat/op.h"
#include "shared/ratelimit.h"
#include "shared/token.h"

struct edge;
struct json;

struct service {
    const struct config *config;
    const struct edge *const *edges;    /* the systems served; NULL-terminated */
    struct token_rules rules;
    bool short_lived;                   /* one CGI request: somebody else may checkpoint */
    struct bus_sender *bus;
    struct ratelimit *limits;           /* NULL: there are none */
    struct db *db;                      /* NULL until needed */
    dev_t db_device;                    /* which file db is, to notice that */
    ino_t db_inode;                     /*  another has taken its place */
};

/* config and edges must outlive the service. */
void service_init(struct service *s, const struct config *config,
                  const struct edge *const *edges, bool short_lived);

/* Lets pushes under way leave (50 ms at most), then closes everything. */
void service_fini(struct service *s);

/* Is q, whose head has been read, one whose handler reads the body itself? */
bool service_streams(struct service *s, struct request *q);

/* Answers q: rate limits, authentication, checks, handler, envelope; logs one line. The whole
 * CGI answer, head and body, goes into *out; where the body is a file it is left in q. */
void service_answer(struct service *s, struct request *q, struct sbuf *out);

/* q's body as a JSON object, nested no deeper than its system's limit. ERR_MALFORMED; ERR_FIELD: it is no object. */
enum err service_json(struct request *q, struct json **json_r);

/* The setting whose offset in struct config an edge names. */
int64_t service_setting(const struct config *config, size_t offset);

/* Takes one token of the system's bucket "what:name"; a NULL name is no limit. ERR_RATE, and r says
 * when to come again. */
struct limit {
    int64_t rate, burst;
    bool per_minute;                    /* the rate; else per second */
};
enum err service_limit(struct request *q, struct reply *r, const char *what, const char *name,
                       const struct limit *limit);

/* For handlers: *op_r ready to use, the database opened if it was not. ERR_BUSY, ERR_OLD_SCHEMA. */
enum err service_op(struct request *q, struct op *op_r);

#endif
