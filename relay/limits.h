/* limits - how many sockets a user has here
 *
 * Counted from the handshake on, so that a burst of handshakes cannot pass the limit.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_LIMITS_H
#define RELAY_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct limits;

struct limits *limits_new(int64_t per_user);
void limits_free(struct limits *l);

/* One more for key; false when he has as many as he may. */
bool limits_take(struct limits *l, const char *key);

/* One that was taken is gone. */
void limits_give(struct limits *l, const char *key);

size_t limits_users(const struct limits *l);

#endif
