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
    while (i < r->n_services && r->doors[i].wire != wire)
        i++;
    return i < r->n_services ? &r->doors[i] : NULL;
}

/* NULL: refused, *a is the answer. */
static struct session *
session_at(struct relay_door *door, const struct io_request *req, struct io_answer *a)
{
    struct relay *r = door->relay;
    struct wire_hello hello;
    struct session *s = NULL;

    if (door->wire->handshake(r->scratch, r->config, req, when_now_ms(), &hello, a)) {
        s = session_new(door->wire, &hello, req->address ? req->address : "");
        s->io = (struct io_client){ &relay_client_calls, &door->rules };
        s->door = door;
    }
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
    if (r->stopping || (s->counted && !limits_take(door->limits, s->counted))) {
        session_free(s);
        return refuse(door->wire, req, a, r->stopping ? ERR_BUSY : ERR_RATE);
    }
    *client_r = &s->io;
    return IO_UPGRADE;
}

void
relay_door_uncount(struct session *s)
{
    if (s->counted)
        limits_give(s->door->limits, s->counted);
}

/* ---- services ---- */

static void
door_init(struct relay_door *door, struct relay *r, const struct wire *wire, size_t i)
{
    struct wire_bounds b;

    wire->bounds(r->config, &b);
    *door = (struct relay_door){ .relay = r, .wire = wire, .bit = 1u << i };
    door->limits = limits_new(b.sockets);
    door->rules = (struct io_rules){
        .ping_ms = r->config->ws_ping_s * 1000,
        .ping = r->ping,
        .silence_ms = b.silence_ms,
        .queue_frames = b.queue_frames,
        .queue_bytes = b.queue_bytes,
        .slow_code = CLOSE_LATER,
        .slow_reason = "too slow",
        .message_max = b.message_max,
        .bare_close_code = wire->bare_close_code,
    };
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
    r->doors = mem_new(n * sizeof *r->doors);
    r->services = mem_new(n * sizeof *r->services);
    for (; (wire = wire_served(r->config, r->n_services)); r->n_services++) {
        door_init(&r->doors[r->n_services], r, wire, r->n_services);
        r->services[r->n_services] = service_of(r, wire);
    }
}

void
relay_doors_free(struct relay *r)
{
    for (size_t i = 0; i < r->n_services; i++) {
        limits_free(r->doors[i].limits);
        free((char *)r->services[i].path);
    }
    frame_unref(r->ping);
    free(r->doors);
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
