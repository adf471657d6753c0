/* admission - a token bucket, counts of addresses, and the memory cap
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/admission.h"

#include "relay/mem.h"
#include "relay/push/client.h"

#define SECOND_US 1000000
#define AGAIN_S 5               /* refused ones are spread over so many seconds */

struct address {
    struct strmap_node node;    /* key: the address, behind the struct */
    int64_t n;
    char text[];
};

struct push_limits {
    struct strmap addresses;
    int64_t full_us;            /* when the bucket of connects is full again; monotonic */
    int64_t n_again;            /* told to come again */
};

static struct address *
address_get(struct push_limits *l, const char *text)
{
    struct strmap_node *node = strmap_find(&l->addresses, text);
    struct address *a;
    size_t size = strlen(text) + 1;

    if (node)
        return STRMAP_OF(node, struct address, node);
    a = mem_new(sizeof *a + size);
    memcpy(a->text, text, size);
    a->node.key = a->text;
    strmap_add(&l->addresses, &a->node);
    return a;
}

static void
address_drop(void *arg, struct strmap_node *node)
{
    strmap_remove(arg, node);
    free(STRMAP_OF(node, struct address, node));
}

/* The bucket holds one second's worth. */
static bool
bucket_take(struct push_limits *l, int64_t per_s, int64_t now_us)
{
    int64_t full = l->full_us > now_us ? l->full_us : now_us;

    if (full + SECOND_US / per_s > now_us + SECOND_US)
        return false;
    l->full_us = full + SECOND_US / per_s;
    return true;
}

static enum admission
refuse(struct push *p, enum admission why, enum push_counter counter)
{
    push_count(p, counter);
    return why;
}

struct push_limits *
admission_new(void)
{
    struct push_limits *l = mem_new(sizeof *l);

    strmap_init(&l->addresses);
    return l;
}

void
admission_free(struct push_limits *l)
{
    if (!l)
        return;
    strmap_each(&l->addresses, address_drop, &l->addresses);
    strmap_fini(&l->addresses);
    free(l);
}

enum admission
admission_enter(struct push *p, const char *address, int64_t now_ms, const char **address_r)
{
    int64_t per_address = p->config->push_clients_per_address;
    struct strmap_node *known = strmap_find(&p->limits->addresses, address);
    struct address *a;

    if (p->draining)
        return ADMISSION_DRAINING;
    if (admission_memory_full(p))
        return refuse(p, ADMISSION_MEMORY, PUSH_COUNT_SHED_MEMORY);
    if (per_address && known && STRMAP_OF(known, struct address, node)->n >= per_address)
        return refuse(p, ADMISSION_ADDRESS, PUSH_COUNT_SHED_ADDRESS);
    if (!bucket_take(p->limits, p->config->push_connects_per_s, now_ms * 1000))
        return refuse(p, ADMISSION_STORM, PUSH_COUNT_SHED_ADMISSION);
    a = address_get(p->limits, address);
    a->n++;
    *address_r = a->text;
    return ADMISSION_OPEN;
}

void
admission_leave(struct push *p, const char *address)
{
    struct address *a = address_get(p->limits, address);

    if (--a->n <= 0)
        address_drop(&p->limits->addresses, &a->node);
}

int64_t
admission_again_s(struct push *p)
{
    return 1 + p->limits->n_again++ % AGAIN_S;
}

int64_t
admission_memory(const struct push *p)
{
    return (int64_t)frame_bytes() + io_owed(p->io) + stream_memory_bytes(p->store);
}

bool
admission_memory_full(const struct push *p)
{
    return admission_memory(p) >= p->config->push_memory_max;
}

static struct push_client *
slowest_of(const struct client_list *list, struct push_client *slowest)
{
    size_t most = slowest ? conn_queued(slowest->conn) : 0, queued;
    struct push_client *c;

    LIST_FOREACH(c, list, entry)
        if (c->conn && (queued = conn_queued(c->conn)) > most) {
            most = queued;
            slowest = c;
        }
    return slowest;
}

/* What its socket has not taken is not to be had back by closing in good order: that waits for the peer. So one that is
 * being closed may be the slowest, too. */
void
admission_shed(struct push *p)
{
    struct push_client *slowest;

    if (!admission_memory_full(p) || !(slowest = slowest_of(&p->open, slowest_of(&p->closing, NULL))))
        return;
    push_count(p, PUSH_COUNT_SHED_MEMORY);
    client_close(slowest, CLOSE_SLOW, NULL);
    if (conn_owed(slowest->conn) > 0)
        conn_drop(slowest->conn);
}
