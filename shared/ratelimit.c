/* ratelimit - token buckets that all processes of one installation share
 *
 * A key hashes to one group of slots (one cache line) and owns the slot there that carries its tag.
 * Without one it takes a slot whose bucket is full; with none of these it shares one.
 * A slot is one 64-bit word: 12 bits tag, 52 bits time in microseconds since 1970 (until 2112).
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/ratelimit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#define MAGIC UINT64_C(0x436f6e6661625232)  /* changes with the layout */
#define GROUPS 8192
#define GROUP_SLOTS 8
#define TIME_BITS 52
#define TIME_MASK ((UINT64_C(1) << TIME_BITS) - 1)
#define US_PER_S 1000000

struct header {
    uint64_t magic;                 /* written last */
    unsigned char key[crypto_shorthash_KEYBYTES];   /* keeps slots unguessable */
    unsigned char unused[64 - sizeof(uint64_t) - crypto_shorthash_KEYBYTES];
};

struct table {
    struct header header;
    _Atomic uint64_t slots[GROUPS][GROUP_SLOTS];
};

struct ratelimit {
    struct table *table;
};

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "buckets are shared between processes");
_Static_assert(sizeof(struct header) == 64, "groups begin on cache lines");

/* Makes fd a valid table unless it is one. Under the file's lock, so that exactly one process does;
 * one that dies halfway leaves no magic, and the next begins again. */
static bool
prepare(int fd)
{
    struct header header;
    struct stat st;
    int fault;

    if (fstat(fd, &st) != 0)
        return false;
    if (!S_ISREG(st.st_mode)) {
        errno = EINVAL;
        return false;
    }
    if (st.st_size == sizeof(struct table)
        && pread(fd, &header, sizeof header, 0) == sizeof header && header.magic == MAGIC)
        return true;
    if (ftruncate(fd, 0) != 0)
        return false;
    /* Really allocated: a full disk must show here, not as SIGBUS later. */
    fault = posix_fallocate(fd, 0, sizeof(struct table));
    if (fault != 0) {
        errno = fault;
        return false;
    }
    memset(&header, 0, sizeof header);
    randombytes_buf(header.key, sizeof header.key);
    if (pwrite(fd, &header, sizeof header, 0) != sizeof header)
        return false;
    header.magic = MAGIC;
    return pwrite(fd, &header.magic, sizeof header.magic, 0) == sizeof header.magic;
}

static struct table *
map(int fd)
{
    void *p;

    while (flock(fd, LOCK_EX) != 0)
        if (errno != EINTR)
            return NULL;
    if (!prepare(fd))
        return NULL;
    p = mmap(NULL, sizeof(struct table), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

struct ratelimit *
ratelimit_open(const char *path)
{
    struct ratelimit *r;
    int fd, saved;

    if (sodium_init() < 0) {
        errno = ENOSYS;
        return NULL;
    }
    fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return NULL;
    r = malloc(sizeof *r);
    if (r != NULL && (r->table = map(fd)) == NULL) {
        saved = errno;
        free(r);
        r = NULL;
        errno = saved;
    }
    saved = errno;
    flock(fd, LOCK_UN);     /* the mapping holds the file open, and with it the lock */
    close(fd);
    errno = saved;
    return r;
}

void
ratelimit_close(struct ratelimit *r)
{
    if (r == NULL)
        return;
    munmap(r->table, sizeof *r->table);
    free(r);
}

/* The slot to use for tag at now, and what it holds. */
static _Atomic uint64_t *
find_slot(_Atomic uint64_t *group, uint64_t tag, uint64_t now, uint64_t *held_r)
{
    _Atomic uint64_t *full = NULL;
    uint64_t word, held = 0;
    int i;

    for (i = 0; i < GROUP_SLOTS; i++) {
        word = atomic_load(&group[i]);
        if (word >> TIME_BITS == tag) {
            *held_r = word;
            return &group[i];
        }
        if (full == NULL && (word & TIME_MASK) <= now) {
            full = &group[i];
            held = word;
        }
    }
    if (full == NULL) {                 /* crowded: share */
        full = &group[tag % GROUP_SLOTS];
        held = atomic_load(full);
    }
    *held_r = held;
    return full;
}

/* GCRA: `full` is when the bucket is full again. A token costs `cost` and may be taken while that
 * keeps full within `depth` of now. Returns how long to wait in microseconds, 0 when taken. */
static uint64_t
take(_Atomic uint64_t *group, uint64_t tag, uint64_t now, uint64_t cost, uint64_t depth)
{
    _Atomic uint64_t *slot;
    uint64_t held, full, owner, wait;
    bool beyond;

    do {
        slot = find_slot(group, tag, now, &held);
        full = held & TIME_MASK;
        if (full < now)
            full = now;
        if ((beyond = full > now + depth))      /* the clock went back, or the limit was lowered */
            full = now + depth;
        wait = 0;
        if (full + cost <= now + depth) {
            full += cost;
        } else {
            wait = full + cost - now - depth;
            /* Noted, or it would be empty until the clock is where it was; but not in a bucket of another limit. */
            if (!beyond || held >> TIME_BITS != tag)
                return wait;
        }
        /* A shared slot keeps its owner, or the owner would get a second bucket. */
        owner = (held & TIME_MASK) <= now ? tag : held >> TIME_BITS;
    } while (!atomic_compare_exchange_weak(slot, &held, owner << TIME_BITS | (full & TIME_MASK)));
    return wait;
}

/* One token of a bucket that fills by `rate` in each period. */
static enum err
take_at(struct ratelimit *r, const char *key, int64_t rate, int64_t period_us, int64_t burst,
        int64_t now_ms, int64_t *wait_ms_r)
{
    unsigned char bytes[crypto_shorthash_BYTES];
    uint64_t hash, tag, cost, wait;

    crypto_shorthash(bytes, (const unsigned char *)key, strlen(key), r->table->header.key);
    memcpy(&hash, bytes, sizeof hash);
    tag = (hash >> TIME_BITS) | 1;      /* never 0: that is an untouched slot */
    if (rate < 1)
        rate = 1;
    cost = rate < period_us ? (uint64_t)(period_us / rate) : 1;
    wait = take(r->table->slots[hash % GROUPS], tag, (uint64_t)now_ms * 1000, cost,
                cost * (uint64_t)(burst > 0 ? burst : 1));
    *wait_ms_r = (int64_t)((wait + 999) / 1000);
    return wait == 0 ? ERR_OK : ERR_RATE;
}

enum err
ratelimit_take(struct ratelimit *r, const char *key, int64_t rate_per_s, int64_t burst,
               int64_t now_ms, int64_t *wait_ms_r)
{
    return take_at(r, key, rate_per_s, US_PER_S, burst, now_ms, wait_ms_r);
}

enum err
ratelimit_take_slowly(struct ratelimit *r, const char *key, int64_t rate_per_min, int64_t burst,
                      int64_t now_ms, int64_t *wait_ms_r)
{
    return take_at(r, key, rate_per_min, 60 * (int64_t)US_PER_S, burst, now_ms, wait_ms_r);
}
