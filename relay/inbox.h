/* inbox - events in any order, given out strictly in the order of their numbers
 *
 * Numbers have no holes. What the bus brings too early is held, at most a bounded window
 * of it; what is missing is read from the log after a short wait, since it may still be under way.
 * Pure: timers and reads are asked for by callback, their results come in by function.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_INBOX_H
#define RELAY_INBOX_H

#include "relay/held.h"

struct inbox;

struct inbox_calls {
    /* The next event, exactly once each. The inbox keeps its reference until deliver returns. */
    void (*deliver)(void *arg, struct held *h);
    /* Call inbox_timer in a moment. */
    void (*want_timer)(void *arg);
    /* Read the log after that seq and call inbox_read. Never two at a time. */
    void (*want_read)(void *arg, int64_t after);
    /* What was missed is gone for good; everything up to head was skipped. */
    void (*lost)(void *arg, int64_t head);
};

struct inbox_stats {
    int64_t repeated;       /* had been delivered or held already */
    int64_t beyond;         /* too far ahead to hold: left to the log */
    int64_t alien;          /* above the log's head: not of this database */
    int64_t reads;          /* of the log */
};

/* What a read of the log found. head was read before the events, so all up to it are there unless
 * they were pruned. */
struct inbox_page {
    bool failed;            /* nothing was found out; try again */
    int64_t head;
    struct held **events;   /* in order, beginning after the seq asked for */
    size_t n;
    bool full;              /* the page ended at its limit: there may be more */
};

/* Everything up to last counts as delivered. window: how far ahead events are held;
 * max_bytes bounds what they take. */
struct inbox *inbox_new(int64_t last, size_t window, size_t max_bytes,
                        const struct inbox_calls *calls, void *arg);
void inbox_free(struct inbox *b);

/* An event from the bus. Takes its own reference where it needs one. */
void inbox_push(struct inbox *b, struct held *h);

/* The log was seen to reach up to head. May come late: only ever a reason to look. */
void inbox_head(struct inbox *b, int64_t head);

/* The wanted timer is due. */
void inbox_timer(struct inbox *b);

/* The wanted read is done. The events stay the caller's. */
void inbox_read(struct inbox *b, const struct inbox_page *page);

int64_t inbox_last(const struct inbox *b);
const struct inbox_stats *inbox_stats(const struct inbox *b);

#endif
