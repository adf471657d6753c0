/* ring - the most recent events, for sockets that are just connecting
 *
 * Holds an unbroken run of events that ends with the newest applied one, at most a number of them
 * and of bytes.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_RING_H
#define RELAY_RING_H

#include "relay/held.h"

struct ring;

struct ring *ring_new(size_t max_events, size_t max_bytes);
void ring_free(struct ring *r);

/* Appends h, taking a reference; drops the oldest where a bound is passed. An event
 * that does not follow the last one begins a new run. */
void ring_add(struct ring *r, struct held *h);

/* Forgets everything. */
void ring_clear(struct ring *r);

/* Does it hold every event of after < seq <= upto? Yes when there is none to hold. */
bool ring_covers(const struct ring *r, int64_t after, int64_t upto);

/* The event with that seq, still the ring's; NULL when it is not there. */
const struct event *ring_get(const struct ring *r, int64_t seq);

#endif
