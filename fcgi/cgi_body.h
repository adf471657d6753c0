/* cgi_body - a request's body: read whole into memory, or piece by piece by whoever wants it
 *
 * Bounded in size and in time. Where the bytes come from is the caller's.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FCGI_CGI_BODY_H
#define FCGI_CGI_BODY_H

#include <sys/types.h>

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "fcgi/req.h"
#include "shared/sbuf.h"

/* Where bytes come from: > 0 of them put at p, 0 at the end, -1 for a failure or EINTR. */
typedef ssize_t body_source(void *arg, char *p, size_t len);

struct body_input {
    body_source *source;
    void *arg;
    bool bounded;                   /* it may have no end of its own: stop at Content-Length */
    const char *declared;           /* Content-Length; NULL */
    bool chunked;                   /* there is a Transfer-Encoding */
    int64_t deadline_ms;            /* monotonic */
};

/* The whole body into q and its memory into *body. Called between body_alarm_start and body_alarm_stop. */
void body_read(struct request *q, const struct body_input *in, int64_t max, struct sbuf *body);

/* One that is read while it arrives. */
struct body_stream {
    struct body_reader reader;      /* first */
    struct body_input in;
    int64_t got;
    bool ended;
};

/* Makes it q's, unless the head is wrong (q->body_err). *stream must outlive q. */
void body_stream_start(struct body_stream *stream, const struct body_input *in, struct request *q);

/* Reads away what nobody wanted, so that the web server gets to reading the answer: no more than a little
 * beyond what any route takes. */
void body_stream_discard(struct body_stream *stream);

/* ---- the limit in time ---- */

struct body_alarm {
    struct sigaction before;
    int64_t deadline_ms;
};

/* From now for limit_ms reads block; then each ends with EINTR. */
void body_alarm_start(struct body_alarm *alarm, int64_t limit_ms);
void body_alarm_stop(struct body_alarm *alarm);

#endif
