/* packet - Engine.IO packets and payloads, and the Socket.IO packets in them, as bytes
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/socketio/packet.h"

#include <ctype.h>
#include <string.h>

#include "shared/json.h"
#include "shared/jws.h"

#define ACK_MAX ((INT64_C(1) << 53) - 1)
#define BINARY_MARK 'b'             /* in front of base64, in the place of the type */

/* ---- Engine.IO ---- */

static bool
read_base64(struct arena *a, const char *p, size_t len, struct packet *packet_r)
{
    *packet_r = (struct packet){ .type = PACKET_MESSAGE, .data = "", .binary = true };
    if (len > 0)
        packet_r->data = (const char *)jws_base64(a, p, len, &packet_r->len);
    return packet_r->data != NULL;
}

bool
packet_read(struct arena *a, const char *p, size_t len, struct packet *packet_r)
{
    if (len > 0 && p[0] == BINARY_MARK)
        return read_base64(a, p + 1, len - 1, packet_r);
    if (len == 0 || p[0] < PACKET_OPEN || p[0] > PACKET_NOOP)
        return false;
    *packet_r = (struct packet){ .type = (enum packet_type)p[0], .data = p + 1, .len = len - 1 };
    return true;
}

bool
packet_next(struct arena *a, struct packet_reader *r, struct packet *packet_r)
{
    const char *p = r->p, *end;

    if (p == NULL)
        return false;
    if ((end = memchr(p, PACKET_SEPARATOR, (size_t)(r->end - p))) == NULL)
        end = r->end;
    r->bad = !packet_read(a, p, (size_t)(end - p), packet_r);
    r->p = r->bad || end == r->end ? NULL : end + 1;
    return !r->bad;
}

bool
packet_payload_good(struct arena *a, const char *p, size_t len)
{
    struct packet_reader r = { .p = p, .end = p + len };
    struct packet packet;

    while (packet_next(a, &r, &packet))
        ;
    return !r.bad;
}

void
packet_put_open(struct sbuf *out, const struct packet_open *o)
{
    sbuf_putc(out, PACKET_OPEN);
    sbuf_printf(out,
                "{\"sid\":\"%s\",\"upgrades\":[%s],\"pingInterval\":%lld,\"pingTimeout\":%lld,"
                "\"maxPayload\":%lld}",
                o->sid, o->can_upgrade ? "\"websocket\"" : "", (long long)o->ping_interval_ms,
                (long long)o->ping_timeout_ms, (long long)o->max_payload);
}

static size_t
base64_length(size_t len)
{
    return (len + 2) / 3 * 4;
}

static void
put_base64(struct sbuf *out, const unsigned char *p, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *to = sbuf_grow(out, base64_length(len));

    for (; to != NULL && len > 0; to += 4, p += 3) {
        size_t n = len < 3 ? len : 3;
        unsigned bits = (unsigned)p[0] << 16 | (n > 1 ? (unsigned)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);

        to[0] = digits[bits >> 18];
        to[1] = digits[bits >> 12 & 63];
        to[2] = n > 1 ? digits[bits >> 6 & 63] : '=';
        to[3] = n > 2 ? digits[bits & 63] : '=';
        len -= n;
    }
}

void
packet_put(struct sbuf *payload, const void *p, size_t len, bool binary)
{
    if (payload->len > 0)
        sbuf_putc(payload, PACKET_SEPARATOR);
    if (binary) {
        sbuf_putc(payload, BINARY_MARK);
        put_base64(payload, p, len);
    } else {
        sbuf_put(payload, p, len);
    }
}

size_t
packet_size(const struct sbuf *payload, size_t len, bool binary)
{
    return (payload->len > 0) + (binary ? 1 + base64_length(len) : len);
}

/* ---- reading Socket.IO ---- */

struct reader {
    const char *p, *end;
};

static bool
at_digit(const struct reader *r)
{
    return r->p < r->end && isdigit((unsigned char)*r->p);
}

/* A run of digits, which may be none: then *n_r stays. */
static bool
read_number(struct reader *r, int64_t max, int64_t *n_r)
{
    int64_t n = 0;

    if (!at_digit(r))
        return true;
    for (; at_digit(r); r->p++)
        if ((n = n * 10 + (*r->p - '0')) > max)
            return false;
    *n_r = n;
    return true;
}

static bool
is_binary(enum sio_type type)
{
    return type == SIO_BINARY_EVENT || type == SIO_BINARY_ACK;
}

static bool
read_attachments(struct reader *r, unsigned max, struct sio_packet *packet)
{
    int64_t n = 0;

    if (!is_binary(packet->type))
        return true;
    if (!read_number(r, max, &n) || n == 0 || r->p == r->end || *r->p != '-')
        return false;
    r->p++;
    packet->attachments = (unsigned)n;
    return true;
}

/* The comma may be missing where nothing follows. The name will be shown to the client again, so it must not hold what
 * separates packets. */
static bool
read_namespace(struct arena *a, struct reader *r, struct sio_packet *packet)
{
    const char *start = r->p, *end, *query;

    packet->namespace = "/";
    if (r->p == r->end || *r->p != '/')
        return true;
    if ((end = memchr(start, ',', (size_t)(r->end - start))) == NULL)
        end = r->end;
    r->p = end < r->end ? end + 1 : end;
    for (const char *c = start; c < end; c++)
        if (iscntrl((unsigned char)*c))
            return false;
    if ((query = memchr(start, '?', (size_t)(end - start))) != NULL)
        end = query;
    packet->namespace = arena_copy(a, start, (size_t)(end - start));
    return true;
}

static bool
is_reserved(const char *name)
{
    static const char *const names[]
        = { "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Name and arguments. A number is a name, too. */
static bool
read_event(struct arena *a, struct sio_packet *packet)
{
    const char *at = packet->json, *first;
    struct json *name;
    size_t len;
    char *args;

    if ((first = json_element(&at, &len)) == NULL
        || json_parse(a, first, len, 1, &name, NULL) != ERR_OK)
        return false;
    if (json_type(name) == JSON_NUMBER)
        packet->name = arena_copy(a, first, len);
    else if (json_type(name) == JSON_STRING)
        packet->name = json_text(name);
    if (packet->name == NULL || is_reserved(packet->name))
        return false;
    args = *at == ',' ? arena_string(a, at) : arena_string(a, "[]");
    args[0] = '[';
    packet->args = args;
    return true;
}

static bool
read_json(struct arena *a, struct reader *r, int depth, struct sio_packet *packet)
{
    if (r->p < r->end
        && (packet->json = json_compact(a, r->p, (size_t)(r->end - r->p), depth)) == NULL)
        return false;
    switch (packet->type) {
    case SIO_CONNECT:
        return packet->ack == SIO_NO_ACK && (packet->json == NULL || packet->json[0] == '{');
    case SIO_DISCONNECT:
        return packet->ack == SIO_NO_ACK && packet->json == NULL;
    case SIO_EVENT:
    case SIO_BINARY_EVENT:
        return packet->json != NULL && packet->json[0] == '[' && read_event(a, packet);
    case SIO_ACK:
    case SIO_BINARY_ACK:
        return packet->ack != SIO_NO_ACK && packet->json != NULL && packet->json[0] == '[';
    case SIO_CONNECT_ERROR:             /* no client sends it */
        return false;
    }
    return false;
}

bool
sio_packet_read(struct arena *a, const char *p, size_t len, const struct sio_bounds *bounds,
                struct sio_packet *packet_r)
{
    struct reader r = { .p = p, .end = p + len };
    struct sio_packet packet = { .ack = SIO_NO_ACK };

    if (len == 0 || *p < '0' || *p > '0' + SIO_BINARY_ACK)
        return false;
    packet.type = (enum sio_type)(*r.p++ - '0');
    if (!read_attachments(&r, bounds->attachments, &packet) || !read_namespace(a, &r, &packet)
        || !read_number(&r, ACK_MAX, &packet.ack) || !read_json(a, &r, bounds->json_depth, &packet))
        return false;
    *packet_r = packet;
    return true;
}

/* ---- placeholders ---- */

/* Objects within which the walk is, by where they began in the copy. */
struct nest {
    size_t began;
    bool placeholder;
    int64_t num;
};

struct walk {
    const char *p;
    char *out;
    size_t len;
    struct nest *nests;
    size_t depth, size;
};

/* The string at p, to behind its end. */
static const char *
string_end(const char *p)
{
    for (p++; *p != '"'; p++)
        if (*p == '\\')
            p++;
    return p + 1;
}

/* A member's name and colon are at p: is it one of a placeholder's? value is behind them. */
static void
note_member(struct nest *nest, const char *p, const char *value)
{
    static const char placeholder[] = "\"_placeholder\":true", num[] = "\"num\":";
    int64_t n = 0;
    size_t digits;

    if (strncmp(p, placeholder, sizeof placeholder - 1) == 0) {
        nest->placeholder = true;
    } else if (strncmp(p, num, sizeof num - 1) == 0) {
        digits = strspn(value, "0123456789");
        for (size_t i = 0; i < digits && n <= UINT32_MAX; i++)
            n = n * 10 + (value[i] - '0');
        nest->num = digits > 0 && (value[digits] == ',' || value[digits] == '}') ? n : -1;
    }
}

static void
copy_to(struct walk *w, const char *to)
{
    memcpy(w->out + w->len, w->p, (size_t)(to - w->p));
    w->len += (size_t)(to - w->p);
    w->p = to;
}

static void
nest_open(struct arena *a, struct walk *w)
{
    w->nests = arena_grow(a, w->nests, w->depth, &w->size, sizeof *w->nests);
    w->nests[w->depth++] = (struct nest){ .began = w->len, .num = -1 };
    copy_to(w, w->p + 1);
}

static bool
nest_close(struct walk *w, unsigned n)
{
    const struct nest *nest = &w->nests[--w->depth];

    copy_to(w, w->p + 1);
    if (!nest->placeholder)
        return true;
    if (nest->num < 0 || nest->num >= n)
        return false;
    memcpy(w->out + nest->began, "null", 4);
    w->len = nest->began + 4;
    return true;
}

char *
sio_placeholders_drop(struct arena *a, const char *json, unsigned n)
{
    struct walk w = { .p = json, .out = arena_alloc(a, strlen(json) + 1) };
    const char *end;

    while (*w.p != '\0') {
        if (*w.p == '{' || *w.p == '[') {
            nest_open(a, &w);
        } else if (*w.p == '}' || *w.p == ']') {
            if (!nest_close(&w, n))
                return NULL;
        } else if (*w.p == '"') {
            end = string_end(w.p);
            if (*end == ':')
                note_member(&w.nests[w.depth - 1], w.p, end + 1);
            copy_to(&w, end);
        } else {
            copy_to(&w, w.p + 1);
        }
    }
    w.out[w.len] = '\0';
    return w.out;
}

/* ---- writing Socket.IO ---- */

void
sio_packet_put(struct sbuf *out, const struct sio_packet *packet)
{
    sbuf_putc(out, PACKET_MESSAGE);
    sbuf_putc(out, (char)('0' + packet->type));
    if (packet->attachments > 0)
        sbuf_printf(out, "%u-", packet->attachments);
    if (strcmp(packet->namespace, "/") != 0)
        sbuf_printf(out, "%s,", packet->namespace);
    if (packet->ack != SIO_NO_ACK)
        sbuf_printf(out, "%lld", (long long)packet->ack);
    if (packet->json != NULL)
        sbuf_puts(out, packet->json);
}

void
sio_put_event(struct sbuf *out, const char *namespace)
{
    const struct sio_packet packet
        = { .type = SIO_EVENT, .namespace = namespace, .ack = SIO_NO_ACK };

    sio_packet_put(out, &packet);
}
