/* event - codec of events, and the names of channels
 *
 * An envelope is a run of fixed fields and counted strings, integers big-endian:
 *
 *   u8 version  u16 kind  i64 at_ms  i64 about  str system  str? except  str? request
 *   u32 n  n * str channel
 *   u32 n  n * (u8 verb  str channel  str? user  u16 code  str? reason)
 *
 * str is u16 length and that many bytes without NUL; str? may have the length 0xffff: NULL.
 * Whoever reads trusts no count: each is checked against the bytes that are left before
 * anything is allocated for it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/event.h"

#include <sodium.h>
#include <string.h>

#define MAC_SIZE 16
#define HEAD_SIZE (1 + MAC_SIZE + 8 + 4)        /* version, MAC, seq, envelope length */
#define TEXT_NULL 0xffff
#define TEXT_MAX 4096                           /* bytes of system, user, request and reason */
#define OPERATION_MIN (1 + 2 + 2 + 2 + 2)       /* bytes of the smallest operation */
#define CLOSE_CODE_MIN 1000
#define CLOSE_CODE_MAX 4999

_Static_assert(MAC_SIZE >= crypto_generichash_BYTES_MIN, "MAC too short for BLAKE2b");
_Static_assert(EVENT_KEY_SIZE >= crypto_generichash_KEYBYTES_MIN
               && EVENT_KEY_SIZE <= crypto_generichash_KEYBYTES_MAX, "key size");

static const struct {
    enum event_kind kind;
    bool kept;
    const char *name;
} kinds[] = {
#define EVENT(symbol, number, kept, meaning) { EVENT_##symbol, kept, #symbol },
#include "shared/event.def"
#undef EVENT
};

#define N_KINDS (sizeof kinds / sizeof *kinds)

/* ---- writing ---- */

static void
put_int(struct sbuf *out, uint64_t v, int bytes)
{
    while (bytes-- > 0)
        sbuf_putc(out, (char)(v >> (8 * bytes)));
}

static void
put_text(struct sbuf *out, const char *s, size_t max)
{
    size_t len;

    if (!s) {
        put_int(out, TEXT_NULL, 2);
        return;
    }
    len = strlen(s);
    if (len > max) {
        out->failed = true;
        return;
    }
    put_int(out, len, 2);
    sbuf_put(out, s, len);
}

static void
put_operation(struct sbuf *out, const struct event_operation *op)
{
    put_int(out, op->verb, 1);
    put_text(out, op->channel, EVENT_CHANNEL_MAX);
    put_text(out, op->user, TEXT_MAX);
    put_int(out, (uint64_t)op->code, 2);
    put_text(out, op->reason, TEXT_MAX);
}

static void
mac_of(const void *p, size_t len, const uint8_t *key, uint8_t mac_r[MAC_SIZE])
{
    crypto_generichash(mac_r, MAC_SIZE, p, len, key, EVENT_KEY_SIZE);
}

/* ---- reading ---- */

struct cursor {
    struct arena *a;
    const uint8_t *p;
    size_t left;
    bool bad;           /* sticky: once bad every read gives 0 or NULL */
};

static uint64_t
get_int(struct cursor *c, unsigned bytes)
{
    uint64_t v = 0;

    if (c->bad || c->left < bytes) {
        c->bad = true;
        return 0;
    }
    c->left -= bytes;
    while (bytes-- > 0)
        v = v << 8 | *c->p++;
    return v;
}

static const char *
get_text(struct cursor *c, size_t max, bool may_be_null)
{
    size_t len = get_int(c, 2);
    const char *s;

    if (c->bad)
        return NULL;
    if (len == TEXT_NULL && may_be_null)
        return NULL;
    if (len > max || len > c->left || memchr(c->p, 0, len)) {
        c->bad = true;
        return NULL;
    }
    s = arena_copy(c->a, c->p, len);
    c->p += len;
    c->left -= len;
    return s;
}

/* A count of things that take at least min bytes each. */
static size_t
get_count(struct cursor *c, size_t min, size_t max)
{
    size_t n = get_int(c, 4);

    if (n > max || n > c->left / min)
        c->bad = true;
    return c->bad ? 0 : n;
}

static void
get_operation(struct cursor *c, struct event_operation *op)
{
    op->verb = (enum event_verb)get_int(c, 1);
    op->channel = get_text(c, EVENT_CHANNEL_MAX, false);
    op->user = get_text(c, TEXT_MAX, true);
    op->code = (int)get_int(c, 2);
    op->reason = get_text(c, TEXT_MAX, true);
    switch (op->verb) {
    case EVENT_JOIN:
    case EVENT_LEAVE:
        if (!op->user)
            c->bad = true;
        break;
    case EVENT_GONE:
        break;
    case EVENT_CLOSE:
        if (!op->reason || op->code < CLOSE_CODE_MIN || op->code > CLOSE_CODE_MAX)
            c->bad = true;
        break;
    default:
        c->bad = true;      /* one we cannot carry out must not pass for one we did */
    }
}

/* ---- public ---- */

bool
event_kept(enum event_kind kind)
{
    for (size_t i = 0; i < N_KINDS; i++)
        if (kinds[i].kind == kind)
            return kinds[i].kept;
    return false;
}

const char *
event_name(enum event_kind kind)
{
    for (size_t i = 0; i < N_KINDS; i++)
        if (kinds[i].kind == kind)
            return kinds[i].name;
    return "UNKNOWN";
}

void
event_envelope_write(struct sbuf *out, const struct event *e)
{
    if (e->n_channels > EVENT_CHANNELS_MAX || e->n_operations > EVENT_CHANNELS_MAX) {
        out->failed = true;
        return;
    }
    put_int(out, EVENT_VERSION, 1);
    put_int(out, e->kind, 2);
    put_int(out, (uint64_t)e->at_ms, 8);
    put_int(out, (uint64_t)e->about, 8);
    put_text(out, e->system, TEXT_MAX);
    put_text(out, e->except, TEXT_MAX);
    put_text(out, e->request, TEXT_MAX);
    put_int(out, e->n_channels, 4);
    for (size_t i = 0; i < e->n_channels; i++)
        put_text(out, e->channels[i], EVENT_CHANNEL_MAX);
    put_int(out, e->n_operations, 4);
    for (size_t i = 0; i < e->n_operations; i++)
        put_operation(out, &e->operations[i]);
}

enum err
event_envelope_read(struct arena *a, const void *p, size_t len, struct event *e_r)
{
    struct cursor c = { a, p, len, false };
    struct event e = { 0 };

    if (get_int(&c, 1) != EVENT_VERSION)
        return ERR_MALFORMED;
    e.kind = (enum event_kind)get_int(&c, 2);
    e.at_ms = (int64_t)get_int(&c, 8);
    e.about = (int64_t)get_int(&c, 8);
    e.system = get_text(&c, TEXT_MAX, false);
    e.except = get_text(&c, TEXT_MAX, true);
    e.request = get_text(&c, TEXT_MAX, true);
    e.n_channels = get_count(&c, 2, EVENT_CHANNELS_MAX);
    e.channels = arena_array(a, e.n_channels, sizeof *e.channels);
    for (size_t i = 0; i < e.n_channels && !c.bad; i++)
        e.channels[i] = get_text(&c, EVENT_CHANNEL_MAX, false);
    e.n_operations = get_count(&c, OPERATION_MIN, EVENT_CHANNELS_MAX);
    e.operations = arena_array(a, e.n_operations, sizeof *e.operations);
    for (size_t i = 0; i < e.n_operations && !c.bad; i++)
        get_operation(&c, &e.operations[i]);
    if (c.bad || c.left != 0)
        return ERR_MALFORMED;
    *e_r = e;
    return ERR_OK;
}

void
event_message_write(struct sbuf *out, const struct event *e, const uint8_t key[EVENT_KEY_SIZE])
{
    size_t start = out->len, signed_from = start + 1 + MAC_SIZE, envelope = start + HEAD_SIZE;
    static const char zeros[HEAD_SIZE];
    uint8_t *p;

    sbuf_put(out, zeros, sizeof zeros);
    event_envelope_write(out, e);
    if (out->failed || out->len - envelope > UINT32_MAX) {
        out->failed = true;
        return;
    }
    p = (uint8_t *)out->data + start;
    p[0] = EVENT_VERSION;
    for (int i = 0; i < 8; i++)
        p[1 + MAC_SIZE + i] = (uint8_t)((uint64_t)e->seq >> (8 * (7 - i)));
    for (int i = 0; i < 4; i++)
        p[1 + MAC_SIZE + 8 + i] = (uint8_t)((out->len - envelope) >> (8 * (3 - i)));
    sbuf_put(out, e->body, e->body_len);
    if (!out->failed)
        mac_of(out->data + signed_from, out->len - signed_from, key,
               (uint8_t *)out->data + start + 1);
}

enum err
event_message_read(struct arena *a, const void *p, size_t len, const uint8_t key[EVENT_KEY_SIZE],
                   struct event *e_r)
{
    struct cursor c = { a, p, len, false };
    const uint8_t *mac = (const uint8_t *)p + 1;
    uint8_t mine[MAC_SIZE];
    struct event e;
    uint64_t seq;
    size_t envelope;
    enum err err;

    if (len < HEAD_SIZE || get_int(&c, 1) != EVENT_VERSION)
        return ERR_MALFORMED;
    mac_of(mac + MAC_SIZE, len - 1 - MAC_SIZE, key, mine);
    if (sodium_memcmp(mac, mine, MAC_SIZE) != 0)
        return ERR_UNAUTHORIZED;
    c.p += MAC_SIZE;
    c.left -= MAC_SIZE;
    seq = get_int(&c, 8);
    envelope = get_int(&c, 4);
    if (seq > INT64_MAX || envelope > c.left)
        return ERR_MALFORMED;
    if ((err = event_envelope_read(a, c.p, envelope, &e)) != ERR_OK)
        return err;
    e.seq = (int64_t)seq;
    e.body_len = c.left - envelope;
    e.body = arena_copy(a, c.p + envelope, e.body_len);
    *e_r = e;
    return ERR_OK;
}

char *
channel_of(struct arena *a, const char *prefix, const char *id)
{
    return arena_printf(a, "%s:%s", prefix, id);
}

char *
channel_of_user(struct arena *a, const char *system, const char *user)
{
    return arena_printf(a, "user:%s:%s", system, user);
}

char *
channel_of_system(struct arena *a, const char *system)
{
    return arena_printf(a, "system:%s", system);
}
