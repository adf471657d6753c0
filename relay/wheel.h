/* wheel - very many deadlines on one timer
 *
 * A hashed timing wheel: setting and clearing cost the same however many there are. Deadlines are kept to
 * about an eighth of a second, never early. Entries are embedded.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_WHEEL_H
#define RELAY_WHEEL_H

#include <stdint.h>

struct io;
struct wheel;

struct wheel_entry {                /* zeroed before its first use */
    struct wheel_entry *next, **at; /* at: what points at this one; NULL: not set */
    int64_t due_ms;                 /* monotonic */
    void (*due)(struct wheel_entry *e);
};

struct wheel *wheel_new(struct io *io);
void wheel_free(struct wheel *w);

/* e->due runs once, after_ms from now; an earlier setting is forgotten. It may set or clear any entry. */
void wheel_set(struct wheel *w, struct wheel_entry *e, int64_t after_ms, void (*due)(struct wheel_entry *e));
void wheel_clear(struct wheel *w, struct wheel_entry *e);

#endif
