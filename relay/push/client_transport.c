/* client_transport - the requests that become clients: paths, methods, origins, first input
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/client_private.h"

#include <string.h>

#include "relay/cors.h"
#include "relay/push/admission.h"
#include "shared/percent.h"
#include "shared/when.h"

#define SUBPROTOCOL "centrifuge-json"
#define SUBPROTOCOL_BINARY "centrifuge-protobuf"
#define NO_STORE "Cache-Control: private, no-cache, no-store, must-revalidate, max-age=0\r\n"

struct transport {
    const char *path;
    enum client_transport transport;
    enum io_stream stream;          /* 0: a WebSocket */
    const char *methods;
    const char *content_type;
};

#define JSON_LINES "application/json"
#define EVENT_STREAM "text/event-stream; charset=utf-8"

static const struct transport transports[] = {
    { "/connection/websocket", TRANSPORT_WEBSOCKET, 0, "GET", NULL },
    { "/connection/http_stream", TRANSPORT_HTTP_STREAM, IO_STREAM_LINES, "POST, OPTIONS",
      JSON_LINES },
    { "/connection/sse", TRANSPORT_SSE, IO_STREAM_EVENTS, "GET, POST, OPTIONS", EVENT_STREAM },
    { "/connection/uni_websocket", TRANSPORT_UNI_WEBSOCKET, 0, "GET", NULL },
    { "/connection/uni_http_stream", TRANSPORT_UNI_HTTP_STREAM, IO_STREAM_LINES, "POST, OPTIONS",
      JSON_LINES },
    { "/connection/uni_sse", TRANSPORT_UNI_SSE, IO_STREAM_EVENTS, "GET, POST, OPTIONS",
      EVENT_STREAM },
};

/* What the client says with its request. */
struct first {
    const char *text;               /* NULL: nothing */
    size_t len;
};

/* ---- lists and queries ---- */

/* Is word in a list separated by commas and blanks? */
static bool
listed(const char *list, const char *word)
{
    size_t len = strlen(word), n;

    for (; list && *list; list += n) {
        list += strspn(list, ", \t");
        n = strcspn(list, ", \t");
        if (n == len && memcmp(list, word, len) == 0)
            return true;
    }
    return false;
}

static bool
query_says(struct arena *a, const char *query, const char *name, const char *value)
{
    const char *text = percent_query(a, query, name);

    return text && strcmp(text, value) == 0;
}

/* ---- answers ---- */

enum io_verdict
client_answer(struct io_answer *a, int status)
{
    a->status = status;
    return IO_ANSWER;
}

static enum io_verdict
refuse(struct push *p, const struct io_request *r, struct io_answer *a, int status, const char *why)
{
    int64_t others;

    if (log_gate_opens(&p->refusals, when_monotonic_ms(), &others))
        log_event(LOG_LEVEL_INFO, "client_refused", "status", log_number(status), "why", why, "path",
                  r->path, "address", r->address, "others", log_number(others), NULL);
    return client_answer(a, status);
}

bool
client_origin(struct push *p, const struct io_request *r, struct io_answer *a)
{
    const char *origin = io_header(r, "Origin");

    if (!origin)
        return true;
    if (!push_settings_origin(p->settings, origin, io_header(r, "Host"), r->secure)) {
        refuse(p, r, a, 403, "origin");
        return false;
    }
    cors_allow(&a->headers, origin, true);
    return true;
}

/* ---- admission ---- */

static enum io_verdict
turn_away(struct push *p, const struct io_request *r, struct io_answer *a, enum admission why)
{
    static const char *const words[] = {
        [ADMISSION_OPEN] = "",
        [ADMISSION_DRAINING] = "draining",
        [ADMISSION_STORM] = "storm",
        [ADMISSION_ADDRESS] = "address",
        [ADMISSION_MEMORY] = "memory",
    };

    sbuf_printf(&a->headers, "Retry-After: %d\r\n", (int)admission_again_s(p));
    return refuse(p, r, a, why == ADMISSION_ADDRESS ? 429 : 503, words[why]);
}

static struct push_client *
admit(struct push *p, const struct io_request *r, struct io_answer *a, const struct transport *t,
      const struct first *first)
{
    const char *address;
    enum admission v = admission_enter(p, r->address ? r->address : "", when_monotonic_ms(),
                                       &address);

    if (v == ADMISSION_OPEN)
        return client_new(p, t->transport, address, first->text, first->len);
    turn_away(p, r, a, v);
    return NULL;
}

/* ---- WebSocket ---- */

static enum io_verdict
open_socket(struct push *p, const struct io_request *r, struct io_answer *a,
            const struct transport *t, struct io_client **client_r)
{
    const char *offered = io_header(r, "Sec-WebSocket-Protocol");
    bool json = listed(offered, SUBPROTOCOL);
    struct first first = { 0 };
    struct push_client *c;

    if (!r->upgrade) {
        sbuf_puts(&a->headers, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
        return refuse(p, r, a, 426, "no_upgrade");
    }
    if ((!json && listed(offered, SUBPROTOCOL_BINARY))
        || query_says(p->scratch, r->query, "format", "protobuf")
        || query_says(p->scratch, r->query, "cf_protocol", "protobuf"))
        return refuse(p, r, a, 400, "protobuf");
    if (t->transport == TRANSPORT_UNI_WEBSOCKET
        && (first.text = percent_query(p->scratch, r->query, "cf_connect")))
        first.len = strlen(first.text);
    if (!(c = admit(p, r, a, t, &first)))
        return IO_ANSWER;
    c->native = t->transport == TRANSPORT_WEBSOCKET
        && query_says(p->scratch, r->query, "cf_ws_frame_ping_pong", "true");
    if (json)
        sbuf_puts(&a->headers, "Sec-WebSocket-Protocol: " SUBPROTOCOL "\r\n");
    *client_r = &c->io;
    return IO_UPGRADE;
}

/* ---- streams ---- */

static bool
is_one_way(const struct transport *t)
{
    return t->transport >= TRANSPORT_UNI_WEBSOCKET;
}

static bool
first_of(struct push *p, const struct io_request *r, const struct transport *t, struct first *f_r)
{
    struct command_connect in;

    if (strcmp(r->method, "GET") == 0) {
        f_r->text = percent_query(p->scratch, r->query, "cf_connect");
        if (!f_r->text)         /* one that only listens may have nothing to say */
            f_r->text = is_one_way(t) ? "{}" : "";
        f_r->len = strlen(f_r->text);
    } else {
        f_r->text = r->body;
        f_r->len = r->body_len;
    }
    if (is_one_way(t))
        return command_connect_read(p->scratch, f_r->text, f_r->len, &in) == ERR_OK;
    return f_r->len > 0;
}

static enum io_verdict
open_stream(struct push *p, const struct io_request *r, struct io_answer *a,
            const struct transport *t, struct io_client **client_r)
{
    struct first first;
    struct push_client *c;

    if (!first_of(p, r, t, &first))
        return refuse(p, r, a, 400, "no_command");
    if (!(c = admit(p, r, a, t, &first)))
        return IO_ANSWER;
    if (!c->bare)
        client_session_open(c);
    a->status = 200;
    a->content_type = t->content_type;
    a->stream = t->stream;
    sbuf_puts(&a->headers, "X-Accel-Buffering: no\r\n" NO_STORE);
    if (t->stream == IO_STREAM_EVENTS)
        sbuf_puts(&a->body, "\r\n");        /* some proxies pass on nothing before the first bytes */
    *client_r = &c->io;
    return IO_STREAM;
}

static enum io_verdict
decide(struct push *p, const struct io_request *r, struct io_answer *a, const struct transport *t,
       struct io_client **client_r)
{
    if (!client_origin(p, r, a))
        return IO_ANSWER;
    if (!listed(t->methods, r->method)) {
        sbuf_printf(&a->headers, "Allow: %s\r\n", t->methods);
        return refuse(p, r, a, 405, "method");
    }
    if (strcmp(r->method, "OPTIONS") == 0) {
        cors_preflight(r, a, t->methods);
        return IO_ANSWER;
    }
    return t->stream ? open_stream(p, r, a, t, client_r) : open_socket(p, r, a, t, client_r);
}

enum io_verdict
client_request(void *arg, const struct io_request *r, struct io_exchange *x, struct io_answer *a,
               struct io_client **client_r)
{
    struct push *p = arg;
    enum io_verdict v;

    (void)x;
    for (size_t i = 0; i < sizeof transports / sizeof *transports; i++)
        if (strcmp(transports[i].path, r->path) == 0) {
            v = decide(p, r, a, &transports[i], client_r);
            arena_reset(p->scratch);
            return v;
        }
    return client_answer(a, 404);
}
