/* cgi_body - a request's body
 *
 * Time. libfcgi reads with plain blocking read() calls, so the limit on a request's arrival is a
 * timer signal whose handler does nothing: the read ends with EINTR and libfcgi gives the stream
 * up. The timer repeats, so a signal that comes just before read() is not lost.
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/cgi_body.h"

#include <sys/time.h>

#include "fcgi/http.h"
#include "shared/when.h"

#define TICK_MS 20                      /* the timer's repetition once it has run out */
#define DISCARD_MAX (8 * 1024 * 1024)   /* bytes read away of one body */

static void
on_tick(int signal_number)
{
    (void)signal_number;
}

/* ---- the time limit ---- */

void
body_alarm_start(struct body_alarm *alarm, int64_t limit_ms)
{
    struct sigaction action = { .sa_handler = on_tick };
    struct itimerval timer = {
        .it_value = { .tv_sec = limit_ms / 1000, .tv_usec = limit_ms % 1000 * 1000 },
        .it_interval = { .tv_usec = TICK_MS * 1000 },
    };

    sigemptyset(&action.sa_mask);
    sigaction(SIGALRM, &action, &alarm->before);
    alarm->deadline_ms = when_monotonic_ms() + limit_ms;
    setitimer(ITIMER_REAL, &timer, NULL);
}

void
body_alarm_stop(struct body_alarm *alarm)
{
    struct itimerval off = { 0 };

    setitimer(ITIMER_REAL, &off, NULL);
    sigaction(SIGALRM, &alarm->before, NULL);
}

/* ---- whole ---- */

/* Reads until the source ends or `limit` bytes are there. More than max: ERR_TOO_LARGE. */
static enum err
drain(struct sbuf *body, body_source *source, void *arg, int64_t limit, int64_t max,
      int64_t deadline_ms)
{
    char piece[16384];
    ssize_t n;

    while (limit < 0 || (int64_t)body->len < limit) {
        size_t want = sizeof piece;

        if (limit >= 0 && limit - (int64_t)body->len < (int64_t)want)
            want = (size_t)(limit - (int64_t)body->len);
        if (when_monotonic_ms() >= deadline_ms)
            return ERR_TIMEOUT;
        n = source(arg, piece, want);
        if (n == 0)
            return ERR_OK;
        if (n < 0)
            return when_monotonic_ms() >= deadline_ms ? ERR_TIMEOUT : ERR_MALFORMED;
        if ((int64_t)body->len + n > max)
            return ERR_TOO_LARGE;
        sbuf_put(body, piece, (size_t)n);
    }
    return ERR_OK;
}

/* How long it says it is; -1: it does not. */
static enum err
announced(const struct body_input *in, int64_t *length_r)
{
    *length_r = -1;
    if (in->declared && *in->declared)
        return http_length(in->declared, length_r) ? ERR_OK : ERR_MALFORMED;
    if (in->bounded && !in->chunked)
        *length_r = 0;
    return ERR_OK;
}

void
body_read(struct request *q, const struct body_input *in, int64_t max, struct sbuf *body)
{
    int64_t length;

    q->body_err = announced(in, &length);
    if (q->body_err == ERR_OK && length > max)
        q->body_err = ERR_TOO_LARGE;
    if (q->body_err == ERR_OK)
        q->body_err = drain(body, in->source, in->arg, in->bounded ? length : -1, max, in->deadline_ms);
    if (q->body_err == ERR_OK && length >= 0 && (int64_t)body->len != length)
        q->body_err = ERR_MALFORMED;
    if (q->body_err == ERR_OK && body->failed)
        q->body_err = ERR_NO_MEMORY;
    q->body = sbuf_str(body);
    q->body_len = body->len;
}

/* ---- piece by piece ---- */

/* One piece, within the time. The signal is there for this read alone: no other call of the
 * handler's is to be interrupted. */
static ssize_t
read_piece(struct body_stream *stream, char *p, size_t size)
{
    int64_t left_ms = stream->in.deadline_ms - when_monotonic_ms();
    struct body_alarm alarm;
    ssize_t n;

    if (left_ms <= 0)
        return -1;
    body_alarm_start(&alarm, left_ms);
    n = stream->in.source(stream->in.arg, p, size);
    body_alarm_stop(&alarm);
    return n;
}

static enum err
read_stream(struct body_reader *reader, char *p, size_t size, size_t *n_r)
{
    struct body_stream *stream = (struct body_stream *)reader;
    int64_t length = reader->length;
    ssize_t n = 0;

    *n_r = 0;
    if (stream->in.bounded && length >= 0 && length - stream->got < (int64_t)size)
        size = (size_t)(length - stream->got);
    if (size > 0 && !stream->ended)
        n = read_piece(stream, p, size);
    if (n < 0)
        return when_monotonic_ms() >= stream->in.deadline_ms ? ERR_TIMEOUT : ERR_MALFORMED;
    stream->got += n;
    stream->ended = n == 0;
    if (length >= 0 && (stream->got > length || (stream->ended && stream->got < length)))
        return ERR_MALFORMED;
    *n_r = (size_t)n;
    return ERR_OK;
}

void
body_stream_start(struct body_stream *stream, const struct body_input *in, struct request *q)
{
    *stream = (struct body_stream){ .reader.read = read_stream, .in = *in };
    q->body_err = announced(in, &stream->reader.length);
    q->reader = &stream->reader;
}

void
body_stream_discard(struct body_stream *stream)
{
    int64_t until = stream->got + DISCARD_MAX;
    char piece[16384];
    size_t n;

    if (stream->reader.length > until)
        return;
    while (!stream->ended && stream->got < until
           && read_stream(&stream->reader, piece, sizeof piece, &n) == ERR_OK)
        continue;
}
