/* relay_door - the paths that are served: handshakes, refusals, and what is counted
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/mem.h"
#include "relay/relay_private.h"
#include "shared/log.h"
#include "shared/when.h"

static void
log_refused(const struct io_request *req, const struct io_answer *a)
{
    log_event(LOG_LEVEL_INFO, "handshake_refused", "status", log_number(a->status), "path",
              req->path, "address", req->address, NULL);
}

static enum io_verdict
refuse(const struct wire *wire, const struct io_request *req, struct io_answer *a, enum err e)
{
    wire->refuse(a, e);
    log_refused(req, a);
    return IO_ANSWER;
}

static struct relay_door *
door_at(struct relay *r, const char *path)
{
    const struct wire *wire = wire_find(r->scratch, r->config, path);
    size_t i = 0;

    arena_reset(r->scratch);
    while (i < r->n_doors && r->doors[i].wire != wire)
        i++;
    return wire && i < r->n_doors ? &r->doors[i] : NULL;
}

struct session *
relay_door_session(struct relay_door *door, const struct wire_hello *hello, const char *address)
{
    struct session *s = session_new(door->wire, hello, address ? address : "");

    s->io = (struct io_client){ &relay_client_calls, &door->rules };
    s->door = door;
    s->command = relay_command;
    return s;
}

/* NULL: refused, *a is the answer. */
static struct session *
session_at(struct relay_door *door, const struct io_request *req, struct io_answer *a)
{
    struct relay *r = door->relay;
    struct wire_hello hello;
    struct session *s = NULL;

    if (door->wire->handshake(r->scratch, r->config, req, when_now_ms(), &hello, a))
        s = relay_door_session(door, &hello, req->address);
    arena_reset(r->scratch);
    return s;
}

static enum io_verdict
on_request(void *arg, const struct io_request *req, struct io_exchange *x, struct io_answer *a,
           struct io_client **client_r)
{
    struct relay *r = arg;
    struct relay_door *door = door_at(r, req->path);
    struct session *s;

    (void)x;
    if (!door)
        return refuse(wire_near(r->config, req->path), req, a, ERR_NOT_FOUND);
    if (!(s = session_at(door, req, a))) {
        log_refused(req, a);
        return IO_ANSWER;
    }
    if (r->stopping || !relay_door_count(s)) {
        session_free(s);
        return refuse(door->wire, req, a, r->stopping ? ERR_BUSY : ERR_RATE);
    }
    *client_r = &s->io;
    return IO_UPGRADE;
}

static struct limits *
limits_of(const struct session *s)
{
    return s->counted_as_stranger ? s->door->strangers : s->door->limits;
}

bool
relay_door_count(struct session *s)
{
    if (!s->counted || limits_take(limits_of(s), s->counted))
        return true;
    free(s->counted);
    s->counted = NULL;
    return false;
}

void
relay_door_uncount(struct session *s)
{
    if (s->counted)
        limits_give(limits_of(s), s->counted);
}

/* ---- services ---- */

/* All sessions of a user of one system are counted together, whichever way they come. */
static void
door_limits(struct relay_door *door, int64_t sockets)
{
    const struct relay *r = door->relay;

    for (size_t i = 0; i < r->n_doors && !door->wire->fixed; i++)
        if (strcmp(r->doors[i].wire->system, door->wire->system) == 0) {
            door->limits = r->doors[i].limits;
            door->borrows = true;
            return;
        }
    door->limits = limits_new(sockets);
}

static size_t
door_format(const struct relay_door *door)
{
    const struct relay *r = door->relay;

    for (size_t i = 0; i < r->n_doors; i++)
        if (wire_same_format(r->doors[i].wire, door->wire))
            return r->doors[i].format;
    return r->n_doors;
}

/* The next of r->doors. */
static void
door_add(struct relay *r, const struct wire *wire)
{
    struct relay_door *door = &r->doors[r->n_doors];
    struct wire_bounds b;

    wire->bounds(r->config, &b);
    *door = (struct relay_door){ .relay = r, .wire = wire, .bit = 1u << r->n_doors };
    door->format = door_format(door);
    door_limits(door, b.sockets);
    if (wire->named && !wire->namespace)
        door->strangers = limits_new(r->config->socket_strangers_max);
    door->rules = (struct io_rules){
        .ping_ms = b.ping_ms ? b.ping_ms : r->config->ws_ping_s * 1000,
        .ping = r->ping,
        .answer_ms = b.answer_ms,
        .silence_ms = b.silence_ms,
        .queue_frames = b.queue_frames,
        .queue_bytes = b.queue_bytes,
        .slow_code = CLOSE_LATER,
        .slow_reason = "too slow",
        .message_max = b.message_max,
        .bare_close_code = wire->bare_close_code,
    };
    r->n_doors++;
}

/* A path that varies is everything below its fixed part; which of them is found in the handshake. */
static struct io_service
service_of(struct relay *r, const struct wire *wire)
{
    size_t fixed = wire_path_fixed(wire);
    char *path = mem_string(wire->path);
    bool below = path[fixed] != '\0';

    path[fixed] = '\0';
    return (struct io_service){ .path = path, .below = below, .request = on_request, .arg = r };
}

void
relay_doors(struct relay *r)
{
    const struct wire *wire;
    size_t n = 0;

    while (wire_served(r->config, n))
        n++;
    r->ping = frame_ping();
    r->wheel = wheel_new(r->io);
    r->doors = mem_new(n * sizeof *r->doors);
    r->formats = mem_new(n * sizeof *r->formats);
    r->services = mem_new(n * sizeof *r->services);
    while ((wire = wire_served(r->config, r->n_doors))) {
        if (!wire->namespace)
            r->services[r->n_services++] = service_of(r, wire);
        door_add(r, wire);
    }
}

void
relay_doors_free(struct relay *r)
{
    for (size_t i = 0; i < r->n_doors; i++) {
        if (!r->doors[i].borrows)
            limits_free(r->doors[i].limits);
        limits_free(r->doors[i].strangers);
    }
    for (size_t i = 0; i < r->n_services; i++)
        free((char *)r->services[i].path);
    frame_unref(r->ping);
    if (r->wheel)
        wheel_free(r->wheel);
    free(r->doors);
    free(r->formats);
    free(r->services);
}

const struct io_service *
relay_services(struct relay *r, size_t *n_r)
{
    *n_r = r->n_services;
    return r->services;
}

/* Also finds a socket whose path was sent with escapes that it does not need. */
struct io_service
relay_service_unknown(struct relay *r)
{
    return (struct io_service){ .path = "/", .below = true, .request = on_request, .arg = r };
}
