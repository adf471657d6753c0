/* fossil - what both texts begin and end with is copied; between, blocks of the source are found by a rolling hash
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/fossil.h"

#include <stdint.h>

#include "relay/mem.h"

#define BLOCK 16                /* bytes that are looked up at once */
#define BLOCKS_MAX 65536        /* of the source that are known; in a longer one they lie farther apart */
#define TRIES_MAX 16            /* blocks of one hash that are compared */
#define NUMBER_MAX 6            /* digits of a 32-bit number */
#define FACTOR 0x01000193u

struct text {
    const unsigned char *p;
    size_t len;
};

/* Blocks of the source: chains by hash. Entries are their number plus one. */
struct index {
    uint32_t *heads, *next;
    size_t step;
    unsigned shift;             /* a hash's highest bits choose the chain */
};

struct delta {
    struct text from, to;
    struct sbuf *out;
    size_t limit;               /* of out->len */
    size_t done;                /* of the target */
};

struct match {
    size_t from, to, len;
};

/* ---- writing ---- */

static size_t
number(char digits[NUMBER_MAX], uint32_t n)
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";
    char reversed[NUMBER_MAX];
    size_t len = 0;

    do
        reversed[len++] = letters[n & 63];
    while ((n >>= 6) > 0);
    for (size_t i = 0; i < len; i++)
        digits[i] = reversed[len - 1 - i];
    return len;
}

static void
put_number(struct delta *d, size_t n, char command)
{
    char digits[NUMBER_MAX];

    sbuf_put(d->out, digits, number(digits, (uint32_t)n));
    sbuf_putc(d->out, command);
}

/* Inserts what has come up to the target's place `until`. */
static void
insert(struct delta *d, size_t until)
{
    if (until == d->done)
        return;
    put_number(d, until - d->done, ':');
    sbuf_put(d->out, d->to.p + d->done, until - d->done);
    d->done = until;
}

static void
copy(struct delta *d, const struct match *m)
{
    insert(d, m->to);
    put_number(d, m->len, '@');
    put_number(d, m->from, ',');
    d->done += m->len;
}

/* Is copying shorter than inserting? */
static bool
pays(const struct match *m)
{
    char digits[NUMBER_MAX];

    return m->len > number(digits, (uint32_t)m->len) + number(digits, (uint32_t)m->from) + 2;
}

static uint32_t
checksum(const struct text *t)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < t->len; i++)
        sum += (uint32_t)t->p[i] << (24 - 8 * (i & 3));
    return sum;
}

/* ---- characters ---- */

/* May a command begin or end here? */
static bool
is_border(const struct text *t, size_t at)
{
    return at >= t->len || (t->p[at] & 0xc0) != 0x80;
}

/* Shortens m to whole characters. */
static void
align(const struct text *to, struct match *m)
{
    while (m->len > 0 && !is_border(to, m->to)) {
        m->from++;
        m->to++;
        m->len--;
    }
    while (m->len > 0 && !is_border(to, m->to + m->len))
        m->len--;
}

/* ---- blocks ---- */

static uint32_t
hash_of(const unsigned char *p)
{
    uint32_t h = 0;

    for (int i = 0; i < BLOCK; i++)
        h = h * FACTOR + p[i];
    return h;
}

/* FACTOR to the power of BLOCK: what a byte that leaves the block counts by now. */
static uint32_t
leaving_factor(void)
{
    uint32_t f = 1;

    for (int i = 0; i < BLOCK; i++)
        f *= FACTOR;
    return f;
}

static uint32_t *
chain_of(const struct index *x, uint32_t hash)
{
    return &x->heads[(hash * 0x9e3779b1u) >> x->shift];
}

static void
index_init(struct index *x, const struct text *from)
{
    size_t n, chains = 16;

    x->step = from->len / BLOCKS_MAX + 1 > BLOCK ? from->len / BLOCKS_MAX + 1 : BLOCK;
    n = from->len / x->step + 1;
    for (x->shift = 28; chains < n; chains *= 2)
        x->shift--;
    x->heads = mem_new(chains * sizeof *x->heads);
    x->next = mem_new(n * sizeof *x->next);
    for (size_t i = n; i-- > 0;) {      /* backwards, so that the first comes first */
        uint32_t *head;

        if (i * x->step + BLOCK > from->len)
            continue;
        head = chain_of(x, hash_of(from->p + i * x->step));
        x->next[i] = *head;
        *head = (uint32_t)i + 1;
    }
}

static void
index_fini(struct index *x)
{
    free(x->heads);
    free(x->next);
}

/* Grows a block that is the same in both, in both directions; in the target it stays between done and end. */
static void
extend(const struct delta *d, size_t end, struct match *m)
{
    while (m->to > d->done && m->from > 0 && d->from.p[m->from - 1] == d->to.p[m->to - 1]) {
        m->from--;
        m->to--;
        m->len++;
    }
    while (m->to + m->len < end && m->from + m->len < d->from.len
           && d->from.p[m->from + m->len] == d->to.p[m->to + m->len])
        m->len++;
}

/* The longest copy around the block at `at`; false when none pays. */
static bool
find(const struct delta *d, const struct index *x, uint32_t hash, size_t at, size_t end, struct match *best_r)
{
    uint32_t entry = *chain_of(x, hash);

    best_r->len = 0;
    for (int tries = 0; entry > 0 && tries < TRIES_MAX; tries++, entry = x->next[entry - 1]) {
        struct match m = { .from = (entry - 1) * x->step, .to = at, .len = BLOCK };

        if (memcmp(d->from.p + m.from, d->to.p + at, BLOCK) != 0)
            continue;
        extend(d, end, &m);
        align(&d->to, &m);
        if (m.len > best_r->len)
            *best_r = m;
    }
    return best_r->len > 0 && pays(best_r);
}

/* The target up to end, whose ends both texts do not share. */
static void
write_between(struct delta *d, size_t end)
{
    const uint32_t leaving = leaving_factor();
    struct index x;
    struct match m;
    uint32_t hash = 0;
    size_t at = d->done;
    bool fresh = true;

    if (end - d->done < BLOCK || d->from.len < BLOCK)
        return;
    index_init(&x, &d->from);
    while (at + BLOCK <= end && d->out->len + (at - d->done) < d->limit) {
        hash = fresh ? hash_of(d->to.p + at)
                     : hash * FACTOR - d->to.p[at - 1] * leaving + d->to.p[at - 1 + BLOCK];
        fresh = find(d, &x, hash, at, end, &m);
        if (fresh)
            copy(d, &m);
        at = fresh ? d->done : at + 1;
    }
    index_fini(&x);
}

/* ---- both ends ---- */

static struct match
common_begin(const struct text *from, const struct text *to)
{
    struct match m = { 0 };

    while (m.len < from->len && m.len < to->len && from->p[m.len] == to->p[m.len])
        m.len++;
    align(to, &m);
    return m;
}

/* After the target's first `skip` bytes. */
static struct match
common_end(const struct text *from, const struct text *to, size_t skip)
{
    struct match m = { .from = from->len, .to = to->len };

    while (m.from > 0 && m.to > skip && from->p[m.from - 1] == to->p[m.to - 1]) {
        m.from--;
        m.to--;
        m.len++;
    }
    align(to, &m);
    return m;
}

static void
write_commands(struct delta *d)
{
    struct match begin = common_begin(&d->from, &d->to), end;

    if (begin.len > 0 && pays(&begin))
        copy(d, &begin);
    end = common_end(&d->from, &d->to, d->done);
    if (end.len == 0 || !pays(&end))
        end.to = d->to.len;
    write_between(d, end.to);
    if (d->out->len + (end.to - d->done) >= d->limit)
        return;                 /* too long already: no need to copy that */
    insert(d, end.to);
    if (end.to < d->to.len)
        copy(d, &end);
}

bool
fossil_delta(const char *from, size_t from_len, const char *to, size_t to_len, struct sbuf *out)
{
    struct delta d = {
        .from = { (const unsigned char *)from, from_len },
        .to = { (const unsigned char *)to, to_len },
        .out = out,
        .limit = out->len + to_len,
    };
    size_t before = out->len;

    if (from_len > UINT32_MAX || to_len > UINT32_MAX)
        return false;
    put_number(&d, to_len, '\n');
    write_commands(&d);
    if (d.done == to_len)
        put_number(&d, checksum(&d.to), ';');
    if (!out->failed && d.done == to_len && out->len < d.limit)
        return true;
    if (out->len > before) {    /* it never shrinks, so there is memory to say so */
        out->len = before;
        out->data[before] = '\0';
    }
    return false;
}
