/* admission - who is let in, and who has to go when memory runs out
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_ADMISSION_H
#define RELAY_PUSH_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

struct push;
struct push_limits;

enum admission {
    ADMISSION_OPEN,
    ADMISSION_DRAINING,     /* the relay ends */
    ADMISSION_STORM,        /* more than push_connects_per_s */
    ADMISSION_ADDRESS,      /* more than push_clients_per_address */
    ADMISSION_MEMORY,       /* push_memory_max is reached */
};

struct push_limits *admission_new(void);
void admission_free(struct push_limits *l);

/* May one more come in from address? ADMISSION_OPEN: it counts from now on, until admission_leave of *address_r. Else
 * it is counted by reason. */
enum admission admission_enter(struct push *p, const char *address, int64_t now_ms,
                               const char **address_r);
void admission_leave(struct push *p, const char *address);

/* Seconds after which the next one refused should come again: spread, so that they do not all come at once. */
int64_t admission_again_s(struct push *p);

/* Bytes that push_memory_max bounds: frames waiting anywhere, histories. */
int64_t admission_memory(const struct push *p);
bool admission_memory_full(const struct push *p);

/* Beyond push_memory_max: closes the connection for which most is waiting. At the end of each turn. */
void admission_shed(struct push *p);

#endif
