/* held - copies of events in one block
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/held.h"

#include "relay/mem.h"

/* Hands out the block from front to back. */
struct block {
    char *at;
};

static size_t
text_size(const char *s)
{
    return s ? strlen(s) + 1 : 0;
}

static const char *
take(struct block *b, const char *s)
{
    size_t len = text_size(s);
    char *p = b->at;

    if (!s)
        return NULL;
    memcpy(p, s, len);
    b->at += len;
    return p;
}

static size_t
size_of(const struct event *e)
{
    size_t n = sizeof(struct held) + e->n_operations * sizeof *e->operations +
        e->n_channels * sizeof *e->channels + e->body_len;

    n += text_size(e->system) + text_size(e->except) + text_size(e->request);
    for (size_t i = 0; i < e->n_channels; i++)
        n += text_size(e->channels[i]);
    for (size_t i = 0; i < e->n_operations; i++)
        n += text_size(e->operations[i].channel) + text_size(e->operations[i].user) +
            text_size(e->operations[i].reason);
    return n;
}

struct held *
held_new(const struct event *e)
{
    size_t size = size_of(e);
    struct held *h = mem_new(size);
    struct event *mine = &h->event;
    struct block b;

    h->refs = 1;
    h->size = size;
    *mine = *e;
    mine->operations = (struct event_operation *)(h + 1);
    mine->channels = (const char **)(mine->operations + e->n_operations);
    b.at = (char *)(mine->channels + e->n_channels);
    mine->system = take(&b, e->system);
    mine->except = take(&b, e->except);
    mine->request = take(&b, e->request);
    for (size_t i = 0; i < e->n_channels; i++)
        mine->channels[i] = take(&b, e->channels[i]);
    for (size_t i = 0; i < e->n_operations; i++) {
        mine->operations[i] = e->operations[i];
        mine->operations[i].channel = take(&b, e->operations[i].channel);
        mine->operations[i].user = take(&b, e->operations[i].user);
        mine->operations[i].reason = take(&b, e->operations[i].reason);
    }
    mine->body = b.at;
    if (e->body_len)
        memcpy(b.at, e->body, e->body_len);
    return h;
}

struct held *
held_ref(struct held *h)
{
    h->refs++;
    return h;
}

void
held_unref(struct held *h)
{
    if (h && --h->refs == 0)
        free(h);
}
