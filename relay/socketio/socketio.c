/* socketio - Socket.IO: namespaces on Engine.IO sessions, and the systems that speak in them
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/socketio/socketio.h"

#include <stdio.h>
#include <sys/queue.h>

#include "relay/mem.h"
#include "relay/socketio/engine.h"
#include "shared/id.h"
#include "shared/json.h"

enum link_state {
    LINK_ASKED,         /* the system has not decided */
    LINK_JOINED,
    LINK_LEFT,          /* by us: what the client sent before it knew is no fault of its */
};

struct sio_link {
    LIST_ENTRY(sio_link) entry;
    struct sio_session *session;
    const struct endpoint *endpoint;
    enum link_state state;
    void *user;
};

/* One Engine.IO session. */
struct sio_session {
    const struct sio_path *path;
    struct engine_session *engine;
    LIST_HEAD(, sio_link) links;
    size_t n_links;
    char *authorization, *query, *address;
    struct wheel_entry unjoined;        /* set until a namespace was joined */
    struct binary *binary;              /* a message whose attachments are still to come; NULL */
};

struct binary {
    struct wheel_entry late;
    struct sio_session *session;
    char *text;                         /* the message, read once more when it is whole */
    size_t len, size;                   /* its bytes; those of the attachments, too */
    struct sio_bytes *attachments;
    unsigned n, wanted;
};

struct endpoint {
    LIST_ENTRY(endpoint) entry;
    const char *namespace;
    const struct sio_calls *calls;
    void *arg;
};

struct sio_path {
    LIST_ENTRY(sio_path) entry;
    struct socketio *socketio;
    const char *path;
    LIST_HEAD(, endpoint) endpoints;
};

struct socketio {
    const struct config *config;
    struct engine *engine;
    struct arena *arena;                /* as long as it lives */
    struct arena *scratch;              /* as long as a message */
    struct sio_bounds bounds;
    LIST_HEAD(, sio_path) paths;
};

/* ---- sending ---- */

static void
send_packet(struct sio_session *s, const struct sio_packet *packet)
{
    struct frame *f = NULL;
    struct sbuf out;

    sbuf_init(&out, UINT32_MAX / 2);
    sio_packet_put(&out, packet);
    if (!out.failed)
        f = frame_text(out.data, out.len);
    engine_send(s->engine, f);
    frame_unref(f);
    sbuf_fini(&out);
}

static void
link_send(struct sio_link *link, enum sio_type type, int64_t ack, const char *json)
{
    const struct sio_packet packet
        = { .type = type, .namespace = link->endpoint->namespace, .ack = ack, .json = json };

    send_packet(link->session, &packet);
}

static void
refuse(struct sio_session *s, const char *namespace, const char *message, const char *data)
{
    struct sio_packet packet
        = { .type = SIO_CONNECT_ERROR, .namespace = namespace, .ack = SIO_NO_ACK };
    struct sbuf json;

    sbuf_init(&json, UINT32_MAX / 2);
    json_open(&json, '{');
    json_kv(&json, "message", message);
    if (data) {
        json_key(&json, "data");
        json_put_raw(&json, data);
    }
    json_close(&json, '}');
    packet.json = sbuf_str(&json);
    send_packet(s, &packet);
    sbuf_fini(&json);
}

/* ---- links ---- */

static struct sio_link *
link_find(const struct sio_session *s, const char *namespace)
{
    struct sio_link *link;

    LIST_FOREACH(link, &s->links, entry)
        if (strcmp(link->endpoint->namespace, namespace) == 0)
            return link;
    return NULL;
}

static void
link_free(struct sio_link *link)
{
    LIST_REMOVE(link, entry);
    link->session->n_links--;
    free(link);
}

/* The system hears of it, unless it has let go of it. */
static void
link_gone(struct sio_link *link)
{
    if (link->state != LINK_LEFT)
        link->endpoint->calls->gone(link);
    link_free(link);
}

static const struct endpoint *
endpoint_find(const struct sio_path *path, const char *namespace)
{
    struct endpoint *e;

    LIST_FOREACH(e, &path->endpoints, entry)
        if (strcmp(e->namespace, namespace) == 0)
            return e;
    return NULL;
}

static void
join(struct sio_session *s, const struct endpoint *e, const char *auth)
{
    const struct sio_connect connect = {
        .auth = auth ? auth : "{}",
        .authorization = s->authorization,
        .query = s->query,
        .address = s->address,
    };
    struct sio_link *link = mem_new(sizeof *link);

    link->session = s;
    link->endpoint = e;
    LIST_INSERT_HEAD(&s->links, link, entry);
    s->n_links++;
    e->calls->connect(e->arg, link, &connect);
}

/* ---- what clients send ---- */

static bool
hear_connect(struct sio_session *s, const struct sio_packet *packet)
{
    const struct endpoint *e = endpoint_find(s->path, packet->namespace);
    struct sio_link *link = link_find(s, packet->namespace);

    if (link && link->state != LINK_LEFT)
        return false;
    if (link)
        link_free(link);
    if (!e)
        refuse(s, packet->namespace, "Invalid namespace", NULL);
    else if ((int64_t)s->n_links >= s->path->socketio->config->sio_namespaces_max)
        refuse(s, packet->namespace, "Too many namespaces", NULL);
    else
        join(s, e, packet->json);
    return true;
}

static bool
hear_event(struct sio_link *link, const struct sio_packet *packet, const struct binary *b)
{
    struct socketio *o = link->session->path->socketio;
    struct sio_event e = {
        .name = packet->name, .args = packet->args, .placed = packet->args, .ack = packet->ack,
    };

    if (b) {
        e.attachments = b->attachments;
        e.n_attachments = b->n;
        if (!(e.args = sio_placeholders_drop(o->scratch, packet->args, b->n)))
            return false;
    }
    link->endpoint->calls->event(link, &e);
    return true;
}

/* A packet that is whole, with its attachments. We ask for no acks, so those that come mean nothing. */
static bool
hear_packet(struct sio_session *s, const struct sio_packet *packet, const struct binary *b)
{
    struct sio_link *link;

    if (packet->type == SIO_CONNECT)
        return hear_connect(s, packet);
    if (!(link = link_find(s, packet->namespace)))
        return false;
    if (link->state == LINK_LEFT)
        return true;
    if (packet->type == SIO_DISCONNECT) {
        link_gone(link);
        return true;
    }
    if (link->state == LINK_ASKED)
        return false;
    return !packet->name || hear_event(link, packet, b);
}

/* ---- attachments ---- */

static void
binary_free(struct binary *b)
{
    if (!b)
        return;
    wheel_clear(engine_wheel(b->session->path->socketio->engine), &b->late);
    for (unsigned i = 0; i < b->n; i++)
        free((void *)b->attachments[i].p);
    free(b->attachments);
    free(b->text);
    free(b);
}

static void
binary_late(struct wheel_entry *entry)
{
    struct binary *b = (struct binary *)(void *)((char *)entry - offsetof(struct binary, late));

    engine_close(b->session->engine, "attachments_late");
}

static void
binary_begin(struct sio_session *s, const char *p, size_t len, unsigned wanted)
{
    struct socketio *o = s->path->socketio;
    struct binary *b = mem_new(sizeof *b);

    b->session = s;
    b->text = memcpy(mem_new(len), p, len);
    b->len = b->size = len;
    b->attachments = mem_new(wanted * sizeof *b->attachments);
    b->wanted = wanted;
    s->binary = b;
    wheel_set(engine_wheel(o->engine), &b->late, o->config->sio_binary_timeout_ms, binary_late);
}

/* All are there. */
static bool
binary_whole(struct sio_session *s)
{
    struct socketio *o = s->path->socketio;
    struct binary *b = s->binary;
    struct sio_packet packet;
    bool good;

    s->binary = NULL;
    good = sio_packet_read(o->scratch, b->text, b->len, &o->bounds, &packet)
        && hear_packet(s, &packet, b);
    binary_free(b);
    return good;
}

static bool
hear_attachment(struct sio_session *s, const char *p, size_t len)
{
    struct binary *b = s->binary;
    size_t max = (size_t)s->path->socketio->config->sio_max_payload;

    if (!b || len > max - b->size)
        return false;
    b->attachments[b->n++]
        = (struct sio_bytes){ len > 0 ? memcpy(mem_new(len), p, len) : mem_new(1), len };
    b->size += len;
    return b->n < b->wanted || binary_whole(s);
}

/* ---- sessions ---- */

static bool
hear_text(struct sio_session *s, const char *p, size_t len)
{
    struct socketio *o = s->path->socketio;
    const struct sio_link *link;
    struct sio_packet packet;

    if (s->binary || !sio_packet_read(o->scratch, p, len, &o->bounds, &packet))
        return false;
    if (packet.attachments == 0)
        return hear_packet(s, &packet, NULL);
    if (!(link = link_find(s, packet.namespace)) || link->state == LINK_ASKED)
        return false;       /* nothing is kept of who has not joined */
    binary_begin(s, p, len, packet.attachments);
    return true;
}

static bool
on_message(void *user, const char *p, size_t len, bool binary)
{
    struct sio_session *s = user;
    struct arena *scratch = s->path->socketio->scratch;
    bool good = binary ? hear_attachment(s, p, len) : hear_text(s, p, len);

    arena_reset(scratch);
    return good;
}

static void
unjoined(struct wheel_entry *entry)
{
    struct sio_session *s
        = (struct sio_session *)(void *)((char *)entry - offsetof(struct sio_session, unjoined));

    engine_close(s->engine, "joined_nothing");
}

static void *
on_opened(void *arg, struct engine_session *engine, const struct io_request *r)
{
    struct sio_path *path = arg;
    struct sio_session *s = mem_new(sizeof *s);
    const char *authorization = io_header(r, "Authorization");

    s->path = path;
    s->engine = engine;
    s->authorization = authorization ? mem_string(authorization) : NULL;
    s->query = mem_string(r->query);
    s->address = mem_string(r->address ? r->address : "");
    LIST_INIT(&s->links);
    engine_set_stranger(engine, true);
    wheel_set(engine_wheel(path->socketio->engine), &s->unjoined,
              path->socketio->config->sio_connect_timeout_ms, unjoined);
    return s;
}

static void
on_closed(void *user)
{
    struct sio_session *s = user;
    struct sio_link *link;

    while ((link = LIST_FIRST(&s->links)))
        link_gone(link);
    wheel_clear(engine_wheel(s->path->socketio->engine), &s->unjoined);
    binary_free(s->binary);
    free(s->authorization);
    free(s->query);
    free(s->address);
    free(s);
}

static const struct engine_calls engine_calls = {
    .opened = on_opened,
    .message = on_message,
    .closed = on_closed,
};

/* ---- what is done with links ---- */

void
sio_set_user(struct sio_link *link, void *user)
{
    link->user = user;
}

void *
sio_user(const struct sio_link *link)
{
    return link->user;
}

const char *
sio_namespace(const struct sio_link *link)
{
    return link->endpoint->namespace;
}

/* The sid is of the link, and opens nothing. */
void
sio_accept(struct sio_link *link)
{
    struct sio_session *s = link->session;
    struct id id = id_random();
    char text[ID_TEXT_SIZE], json[ID_TEXT_SIZE + 16];

    if (link->state != LINK_ASKED)
        return;
    link->state = LINK_JOINED;
    engine_set_stranger(s->engine, false);
    wheel_clear(engine_wheel(s->path->socketio->engine), &s->unjoined);
    snprintf(json, sizeof json, "{\"sid\":\"%s\"}", id_text(&id, text));
    link_send(link, SIO_CONNECT, SIO_NO_ACK, json);
}

void
sio_refuse(struct sio_link *link, const char *message, const char *data)
{
    refuse(link->session, link->endpoint->namespace, message, data);
    link_free(link);
}

void
sio_emit_frame(struct sio_link *link, struct frame *f)
{
    if (link->state == LINK_JOINED)
        engine_send(link->session->engine, f);
}

void
sio_emit(struct sio_link *link, const char *args)
{
    if (link->state == LINK_JOINED)
        link_send(link, SIO_EVENT, SIO_NO_ACK, args);
}

void
sio_ack(struct sio_link *link, int64_t ack, const char *args)
{
    if (link->state == LINK_JOINED && ack != SIO_NO_ACK)
        link_send(link, SIO_ACK, ack, args);
}

/* Nothing comes between the packet and its attachments: nobody else runs meanwhile. */
void
sio_send_binary(struct sio_link *link, enum sio_type type, int64_t ack, const char *json,
                const struct sio_bytes *attachments, unsigned n)
{
    const struct sio_packet packet = {
        .type = type, .namespace = link->endpoint->namespace, .ack = ack, .json = json,
        .attachments = n,
    };
    struct frame *f;

    if (link->state != LINK_JOINED)
        return;
    send_packet(link->session, &packet);
    for (unsigned i = 0; i < n; i++) {
        f = frame_binary(attachments[i].p, attachments[i].len);
        engine_send(link->session->engine, f);
        frame_unref(f);
    }
}

void
sio_leave(struct sio_link *link)
{
    link_send(link, SIO_DISCONNECT, SIO_NO_ACK, NULL);
    link->state = LINK_LEFT;
}

void
sio_drop(struct sio_link *link, const char *why)
{
    engine_close(link->session->engine, why);
}

/* ---- the whole ---- */

struct socketio *
socketio_new(struct io *io, const struct config *config)
{
    struct engine *engine = engine_new(io, config);
    struct socketio *o;

    if (!engine)
        return NULL;
    o = mem_new(sizeof *o);
    o->config = config;
    o->engine = engine;
    o->arena = arena_new();
    o->scratch = arena_new();
    o->bounds = (struct sio_bounds){ .json_depth = (int)config->json_depth,
                                     .attachments = (unsigned)config->sio_attachments_max };
    LIST_INIT(&o->paths);
    return o;
}

void
socketio_free(struct socketio *o)
{
    if (!o)
        return;
    engine_free(o->engine);
    arena_free(o->arena);
    arena_free(o->scratch);
    free(o);
}

static struct sio_path *
path_at(struct socketio *o, const char *path)
{
    struct sio_path *p;

    LIST_FOREACH(p, &o->paths, entry)
        if (strcmp(p->path, path) == 0)
            return p;
    p = arena_alloc(o->arena, sizeof *p);
    p->socketio = o;
    p->path = arena_string(o->arena, path);
    LIST_INIT(&p->endpoints);
    LIST_INSERT_HEAD(&o->paths, p, entry);
    engine_serve(o->engine, path, &engine_calls, p);
    return p;
}

void
socketio_serve(struct socketio *o, const char *path, const char *namespace,
               const struct sio_calls *calls, void *arg)
{
    struct sio_path *p = path_at(o, path);
    struct endpoint *e;

    if (endpoint_find(p, namespace))
        return;
    e = arena_alloc(o->arena, sizeof *e);
    e->namespace = arena_string(o->arena, namespace);
    e->calls = calls;
    e->arg = arg;
    LIST_INSERT_HEAD(&p->endpoints, e, entry);
}

const struct io_service *
socketio_services(struct socketio *o, size_t *n_r)
{
    return engine_services(o->engine, n_r);
}

void
socketio_shut(struct socketio *o, void (*done)(void *arg), void *arg)
{
    engine_shut(o->engine, done, arg);
}

struct engine *
socketio_engine(struct socketio *o)
{
    return o->engine;
}
