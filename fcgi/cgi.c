/* cgi - the conversation with the web server: FastCGI, or one plain CGI request
 *
 * Answers. libfcgi would write one in pieces of 8 KiB, each of which wakes the web server. We
 * write the records ourselves, in one call.
 *
 * Stopping. SIGTERM and its kin are blocked except while ppoll() waits for work, so they never
 * interrupt a request and are never missed. The listening socket does not block: with several
 * processes on one socket all wake, one gets the connection, the others go back to ppoll().
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE                     /* ppoll, environ */
#include "fcgi/cgi.h"

#include <errno.h>
#include <fastcgi.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fcgi/cgi_body.h"
#include "shared/fault.h"
#include "shared/log.h"

#define RECORD_HEAD 8
#define RECORD_MAX 65528                /* bytes of content in one record, a multiple of eight */
#define KEEP_BODY (256 * 1024)          /* a larger body buffer is given back after the request */

/* Environment variable -> member of struct request. The first that is set counts. */
static const struct {
    const char *name;
    size_t offset;
} variables[] = {
    { "REQUEST_METHOD", offsetof(struct request, method_text) },
    { "REQUEST_URI", offsetof(struct request, target) },
    { "SCRIPT_NAME", offsetof(struct request, script_name) },
    { "PATH_INFO", offsetof(struct request, path_info) },
    { "REMOTE_ADDR", offsetof(struct request, address) },
    { "HTTP_AUTHORIZATION", offsetof(struct request, authorization) },
    { "REDIRECT_HTTP_AUTHORIZATION", offsetof(struct request, authorization) },
    { "HTTP_X_SCOPE_CONFIG", offsetof(struct request, scope_config) },
    { "HTTP_IDEMPOTENCY_KEY", offsetof(struct request, idempotency_key) },
    { "HTTP_IF_NONE_MATCH", offsetof(struct request, if_none_match) },
    { "HTTP_ORIGIN", offsetof(struct request, origin) },
    { "REDIRECT_STATUS", offsetof(struct request, front_status) },
    { "HTTP_ACCESS_CONTROL_REQUEST_HEADERS", offsetof(struct request, cors_headers) },
    { "HTTP_ACCEPT_LANGUAGE", offsetof(struct request, language) },
    { "HTTP_X_VK_LAUNCH_PARAMS", offsetof(struct request, vk_params) },
    { "CONTENT_TYPE", offsetof(struct request, content_type) },
};

static volatile sig_atomic_t stopping;

static void
on_stop(int signal_number)
{
    (void)signal_number;
    stopping = 1;
}

/* ---- reading ---- */

/* The name's value in an environment of "name=value" strings; NULL when absent. */
static const char *
variable(char *const *environment, const char *name)
{
    size_t len = strlen(name);

    for (; environment && *environment; environment++) {
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
            return *environment + len + 1;
    }
    return NULL;
}

static void
read_environment(struct request *q, char *const *environment)
{
    size_t i;

    for (i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char **member = (const char **)((char *)q + variables[i].offset);

        if (!*member || !**member)
            *member = arena_string(q->arena, variable(environment, variables[i].name));
    }
}

/* A request on its way: from where its body comes, how long it may take. */
struct arrival {
    struct body_input in;
    struct body_alarm alarm;
    struct body_stream stream;          /* where the body is read while it arrives */
};

/* Head and body of q, or what reads that; the alarm has been started. */
static void
take_request(const struct cgi *cgi, struct request *q, char *const *environment,
             struct arrival *arrival, struct sbuf *body)
{
    struct body_input *in = &arrival->in;

    read_environment(q, environment);
    in->declared = variable(environment, "CONTENT_LENGTH");
    in->chunked = variable(environment, "HTTP_TRANSFER_ENCODING") != NULL;
    in->deadline_ms = arrival->alarm.deadline_ms;
    if (cgi->streams(cgi->arg, q))
        body_stream_start(&arrival->stream, in, q);
    else
        body_read(q, in, cgi->body_max, body);
    body_alarm_stop(&arrival->alarm);
}

/* The answer into *answer. What of a body nobody wanted is read away. */
static void
answer_request(const struct cgi *cgi, struct request *q, struct arrival *arrival, struct sbuf *answer)
{
    cgi->answer(cgi->arg, q, answer);
    if (q->reader)
        body_stream_discard(&arrival->stream);
}

/* Hands out what libfcgi has buffered, and fills that buffer once when it is empty. */
static ssize_t
read_fastcgi(void *arg, char *p, size_t len)
{
    FCGX_Stream *in = arg;
    size_t ready;
    int c = FCGX_GetChar(in);

    if (c < 0)
        return FCGX_GetError(in) ? -1 : 0;
    *p = (char)c;
    ready = (size_t)(in->stop - in->rdNext);
    if (ready > len - 1)
        ready = len - 1;
    if (ready > 0)
        ready = (size_t)FCGX_GetStr(p + 1, (int)ready, in);
    return (ssize_t)ready + 1;
}

static ssize_t
read_stdin(void *arg, char *p, size_t len)
{
    (void)arg;
    return read(STDIN_FILENO, p, len);
}

/* ---- writing ---- */

/* Changes v while it goes. */
static bool
write_pieces(int fd, struct iovec *v, int n)
{
    while (n > 0) {
        ssize_t sent = writev(fd, v, n);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        for (; n > 0 && (size_t)sent >= v->iov_len; v++, n--)
            sent -= (ssize_t)v->iov_len;
        if (n > 0) {
            v->iov_base = (char *)v->iov_base + sent;
            v->iov_len -= (size_t)sent;
        }
    }
    return true;
}

/* ---- files of answers ---- */

#define FILE_PIECE RECORD_MAX

/* The next piece of q's file; *left_r: what is left of it. false: it is shorter than was said. */
static bool
read_file(const struct request *q, char *piece, size_t *len_r, int64_t *left_r)
{
    size_t want = *left_r < FILE_PIECE ? (size_t)*left_r : FILE_PIECE;
    ssize_t n;

    do
        n = read(q->file, piece, want);
    while (n < 0 && errno == EINTR);
    *len_r = n > 0 ? (size_t)n : 0;
    *left_r -= n > 0 ? n : 0;
    return n > 0;
}

/* ---- one FastCGI process ---- */

struct worker {
    const struct cgi *cgi;
    FCGX_Request fcgi;
    struct arena *arena;
    struct sbuf body, answer;
};

static void
record_head(uint8_t head[RECORD_HEAD], uint8_t type, int id, size_t len)
{
    const uint8_t bytes[RECORD_HEAD] = { FCGI_VERSION_1, type, (uint8_t)(id >> 8), (uint8_t)id,
                                         (uint8_t)(len >> 8), (uint8_t)len };

    memcpy(head, bytes, RECORD_HEAD);
}

/* What follows the head of an answer, where that is a file. */
static bool
write_file(struct worker *w, const struct request *q)
{
    uint8_t head[RECORD_HEAD];
    char piece[FILE_PIECE];
    int64_t left = q->file_len;
    size_t len;

    while (left > 0) {
        struct iovec v[] = { { head, RECORD_HEAD }, { piece, 0 } };

        if (!read_file(q, piece, &len, &left))
            return false;
        record_head(head, FCGI_STDOUT, w->fcgi.requestId, len);
        v[1].iov_len = len;
        if (!write_pieces(w->fcgi.ipcFd, v, 2))
            return false;
    }
    return true;
}

/* The answer in as few records as hold it, the end of the output, the end of the request (whose
 * eight bytes of content are zero: all went well). */
static bool
write_answer(struct worker *w, const struct request *q)
{
    int id = w->fcgi.requestId, fd = w->fcgi.ipcFd;
    uint8_t head[RECORD_HEAD], end[3 * RECORD_HEAD] = { 0 };
    char *p = w->answer.data;
    size_t left = w->answer.len;

    record_head(end, FCGI_STDOUT, id, 0);
    record_head(end + RECORD_HEAD, FCGI_END_REQUEST, id, RECORD_HEAD);
    for (; left > RECORD_MAX; p += RECORD_MAX, left -= RECORD_MAX) {
        struct iovec v[] = { { head, RECORD_HEAD }, { p, RECORD_MAX } };

        record_head(head, FCGI_STDOUT, id, RECORD_MAX);
        if (!write_pieces(fd, v, 2))
            return false;
    }
    record_head(head, FCGI_STDOUT, id, left);
    if (q->file_len > 0) {
        if (!write_pieces(fd, (struct iovec[]){ { head, RECORD_HEAD }, { p, left } }, 2)
            || !write_file(w, q))
            return false;
        return write_pieces(fd, &(struct iovec){ end, sizeof end }, 1);
    }
    return write_pieces(fd, (struct iovec[]){ { head, RECORD_HEAD }, { p, left }, { end, sizeof end } }, 3);
}

static void
finish_fastcgi(struct worker *w, const struct request *q, bool close_connection)
{
    FAULT("answer.before");
    if (!write_answer(w, q) || !w->fcgi.keepConnection || FCGX_GetError(w->fcgi.in))
        close_connection = true;
    /* Unread bytes of a body would be taken for the next request's. */
    FCGX_Free(&w->fcgi, close_connection);
    FAULT("answer.after");
}

static void
serve_one(struct worker *w)
{
    struct request q = { .arena = w->arena };
    struct arrival arrival = { .in.source = read_fastcgi };

    body_alarm_start(&arrival.alarm, w->cgi->config->body_time_ms);
    if (FCGX_Accept_r(&w->fcgi) != 0) {
        body_alarm_stop(&arrival.alarm);
        return;
    }
    arrival.in.arg = w->fcgi.in;
    take_request(w->cgi, &q, w->fcgi.envp, &arrival, &w->body);
    answer_request(w->cgi, &q, &arrival, &w->answer);
    finish_fastcgi(w, &q, q.body_err != ERR_OK || (q.reader && !arrival.stream.ended));
    if (q.file_len > 0)
        close(q.file);
}

static void
clean_up(struct worker *w)
{
    arena_reset(w->arena);
    if (w->body.size > KEEP_BODY)
        sbuf_fini(&w->body);
    if (w->answer.size > KEEP_BODY)
        sbuf_fini(&w->answer);
    sbuf_reset(&w->body);
    sbuf_reset(&w->answer);
}

/* Blocks the signals that stop us; *waiting_r is the mask to wait with. */
static void
set_signals(sigset_t *waiting_r)
{
    static const int stops[] = { SIGTERM, SIGINT, SIGUSR1 };
    struct sigaction action = { .sa_handler = on_stop };
    sigset_t blocked;
    size_t i;

    sigemptyset(&action.sa_mask);
    sigemptyset(&blocked);
    for (i = 0; i < sizeof stops / sizeof stops[0]; i++) {
        sigaction(stops[i], &action, NULL);
        sigaddset(&blocked, stops[i]);
    }
    sigprocmask(SIG_BLOCK, &blocked, waiting_r);
    for (i = 0; i < sizeof stops / sizeof stops[0]; i++)
        sigdelset(waiting_r, stops[i]);
    signal(SIGPIPE, SIG_IGN);
}

int
cgi_serve(const struct cgi *cgi, int fd)
{
    struct worker w = { .cgi = cgi };
    sigset_t waiting;
    int flags = fcntl(fd, F_GETFL);

    if (FCGX_Init() != 0 || FCGX_InitRequest(&w.fcgi, fd, FCGI_FAIL_ACCEPT_ON_INTR) != 0
        || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        log_event(LOG_LEVEL_ERROR, "fastcgi_failed", "why", strerror(errno), NULL);
        return 1;
    }
    set_signals(&waiting);              /* after FCGX_Init, which sets handlers of its own */
    w.arena = arena_new();
    sbuf_init(&w.body, (size_t)cgi->body_max + 1);
    sbuf_init(&w.answer, INT32_MAX);
    while (!stopping) {
        /* A connection that the web server keeps is served before new ones. */
        struct pollfd p = { .fd = w.fcgi.ipcFd >= 0 ? w.fcgi.ipcFd : fd, .events = POLLIN };

        if (ppoll(&p, 1, NULL, &waiting) <= 0)
            continue;
        serve_one(&w);
        clean_up(&w);
    }
    FCGX_Free(&w.fcgi, 1);
    sbuf_fini(&w.body);
    sbuf_fini(&w.answer);
    arena_free(w.arena);
    return 0;
}

/* ---- one plain CGI request ---- */

bool
cgi_is_plain(void)
{
    return FCGX_IsCGI();
}

static bool
write_plain(const struct request *q, const struct sbuf *answer)
{
    char piece[FILE_PIECE];
    int64_t left = q->file_len;
    size_t len;

    if (!write_pieces(STDOUT_FILENO, &(struct iovec){ answer->data, answer->len }, 1))
        return false;
    while (left > 0)
        if (!read_file(q, piece, &len, &left)
            || !write_pieces(STDOUT_FILENO, &(struct iovec){ piece, len }, 1))
            return false;
    return true;
}

int
cgi_once(const struct cgi *cgi)
{
    struct arena *arena = arena_new();
    struct request q = { .arena = arena };
    struct arrival arrival = { .in = { .source = read_stdin, .bounded = true } };
    struct sbuf body, answer;
    sigset_t waiting;
    bool written;

    set_signals(&waiting);
    sbuf_init(&body, (size_t)cgi->body_max + 1);
    sbuf_init(&answer, INT32_MAX);
    body_alarm_start(&arrival.alarm, cgi->config->body_time_ms);
    take_request(cgi, &q, environ, &arrival, &body);
    answer_request(cgi, &q, &arrival, &answer);
    FAULT("answer.before");
    written = write_plain(&q, &answer);
    FAULT("answer.after");
    if (q.file_len > 0)
        close(q.file);
    sbuf_fini(&body);
    sbuf_fini(&answer);
    arena_free(arena);
    return written ? 0 : 1;
}
