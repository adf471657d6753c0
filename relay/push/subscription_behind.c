/* subscription_behind - readers who do not take what they are sent as fast as it comes
 *
 * What happens to them is the channel's choice. "close" needs nothing here: their queue grows to its
 * bound and the connection ends. The others keep the queue short: the publisher never waits, and
 * nobody else notices.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/subscription_private.h"

static void
owe(struct subscription *s, struct publication *p)
{
    publication_unref(s->owed);
    s->owed = p ? publication_ref(p) : NULL;
}

bool
subscription_behind(struct subscription *s, const struct channel_batch *b)
{
    struct push *p = s->client->push;
    int64_t given_up = s->owed ? 1 : 0;
    bool behind = conn_crowded(s->client->conn, b->bytes);

    if (s->skipped || (b->slow == SLOW_RECOVER && behind)) {
        s->skipped = true;
        p->counters[PUSH_COUNT_SHED_SLOW_RECOVER] += (int64_t)b->n;
        return true;
    }
    if (behind)
        given_up += (int64_t)b->n - 1;
    p->counters[PUSH_COUNT_SHED_SLOW_LATEST] += given_up;
    owe(s, behind ? b->list[b->n - 1] : NULL);
    if (behind && b->first)
        s->offset = b->last;        /* what is left out on purpose is no hole */
    return behind;
}

void
subscription_insufficient(struct subscription *s)
{
    if (s->ending)
        return;
    if (!s->server_side) {
        subscription_end(s, UNSUBSCRIBE_INSUFFICIENT_STATE, NULL);
        return;
    }
    s->skipped = true;
    client_close(s->client, CLOSE_INSUFFICIENT_STATE, NULL);
}

static void
pay(struct subscription *s)
{
    struct publication *p = s->owed;
    struct channel_batch b;

    s->owed = NULL;
    channel_batch_init(&b, s->client->push->channels, subscription_channel(s), &p, 1);
    channel_batch_send(&b, s);
    channel_batch_fini(&b);
    publication_unref(p);
}

void
subscription_drained(struct push_client *c)
{
    struct subscription *s, *next;

    for (s = c->subscriptions; s && c->conn; s = next) {
        next = s->next;
        if (s->skipped)
            subscription_insufficient(s);
        else if (s->owed)
            pay(s);
    }
}
