/* api - one call of the server API, apart from how it came in
 *
 * A call is read as a whole before anything is run, then run; it is done at once or later. Its memory is the arena's
 * of whoever made it, which must live until `done`. Used by api*.c and publish_zmq.c.
 *
 *   api.c          HTTP: keys, statuses, answers now and later
 *   api_read.c     what methods share in reading: nested objects, base64, requirements
 *   api_publish.c  publish and broadcast
 *   api_clients.c  what is done to clients
 *   api_methods.c  what is asked of channels and of the server; the table of methods
 *   api_batch.c    several calls in one
 *   api_write.c    results and answers as JSON
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_API_H
#define RELAY_PUSH_API_H

#include "relay/push/push_private.h"
#include "shared/field.h"
#include "shared/json.h"

#define API_ANSWER_MAX (64 << 20)   /* bytes of one answer; what would be longer is an internal error */

/* A field's place: a member, and one of an inner struct which has a table of its own. */
#define API_AT(type, member) .offset = offsetof(struct type, member)
#define API_AT_IN(type, inner, member)                                                               \
    .offset = offsetof(struct type, inner.member) - offsetof(struct type, inner)

struct api_call;

struct api_method {
    const char *name;
    const struct field *fields;     /* no row says REQUIRED: what is missing is an error of the protocol, ... */
    size_t size;                    /* ... and not of HTTP, as a wrong type is */
    const char *required[2];        /* names that must be given */
    /* What the table cannot say; object is NULL for a PHP []. ERR_LIMIT is PUSH_BAD_REQUEST. */
    enum err (*check)(struct api_call *c, const struct json *object, const char *text, size_t len);
    /* Writes to c->out and calls api_done, before it returns or later. */
    void (*run)(struct api_call *c);
};

struct api_call {
    struct push *push;
    struct arena *arena;
    const struct api_method *method;
    void *in;                       /* of method->size */
    enum push_error error;
    struct sbuf out;                /* the result: an object; freed by api_call_fini */
    size_t waiting;                 /* parts under way */
    void *state;                    /* the run function's */
    void (*done)(struct api_call *c);   /* c may be freed in it */
    void *owner;
};

/* NULL: there is no such method. */
const struct api_method *api_method_find(const char *name);

/* Reads params, whose text is text[0..len). ERR_OK: may be run (c->error may be set, then it is just done). Anything
 * else: a member is of the wrong type, nothing may be run. */
enum err api_call_read(struct api_call *c, const struct api_method *m, const struct json *params,
                       const char *text, size_t len);

/* A publish, or a broadcast to several channels, whose parts came by another way than HTTP: data is one JSON value, options
 * a JSON object or NULL. As api_call_read; what is not JSON becomes c->error. */
void api_call_read_publish(struct api_call *c, const char *const *channels, size_t n,
                           const char *data, size_t data_len, const char *options, size_t options_len);

void api_call_run(struct api_call *c);
void api_call_fini(struct api_call *c);

/* For run functions: the call has ended. */
void api_done(struct api_call *c, enum push_error e);

/* ---- api_read.c ---- */

/* raw JSON of member name, or what base64 in member b64name stands for. Neither: NULL. */
enum err api_read_raw(struct api_call *c, const struct json *object, const char *text, size_t len,
                      const char *name, const char *b64name, const char **raw_r);

/* Member name as an object, by a table without raw fields. PHP's [] counts as absent. */
enum err api_read_object(struct api_call *c, const struct json *object, const char *name,
                         const struct field *fields, void *out, bool *given_r);

enum err api_read_override(const struct json *object, struct token_override *o_r);

/* ERR_FIELD unless member name is absent, [] or an object of strings; clears *tags for the first two. */
enum err api_check_tags(const struct json *object, const char **tags);

/* ---- api_publish.c, api_clients.c, api_batch.c: rows of the table ---- */

extern const struct api_method api_publish, api_broadcast, api_batch;
extern const struct api_method api_subscribe, api_unsubscribe, api_disconnect, api_refresh,
    api_connections;

/* ---- api_write.c ---- */

void api_write_error(struct sbuf *b, enum push_error e);
void api_write_position(struct sbuf *b, const struct stream_position *at);
void api_write_history(struct sbuf *b, const struct stream_history *h);
void api_write_info(struct sbuf *b, const struct op_info *info);
void api_write_connection(struct sbuf *b, const struct op_connection *c);
/* A key that is not ours. */
void api_write_name(struct sbuf *b, const char *name);

/* The whole answer: {"result":...} or {"error":...}; what batch made as it is. */
void api_write_answer(struct sbuf *b, const struct api_call *c);

/* All figures as Prometheus text. */
void api_metrics(struct push *p, struct sbuf *out);

/* The HTTP status of an error when the caller wants errors so. */
int api_status(enum push_error e);

#endif
