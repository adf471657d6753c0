/* bus - pushes between processes, over ZeroMQ PUSH and PULL
 *
 * The bus is speed, never truth: it may lose, repeat or reorder anything, and a relay reads
 * from the log what it misses. Sending never blocks. A context is made when the first push is sent,
 * after any fork, so that a request which says nothing pays nothing. Not thread-safe:
 * each thread owns its own.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_BUS_H
#define SHARED_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/err.h"

struct bus_sender;
struct bus_receiver;

/* A sender; nothing is opened yet. queue: pushes waiting per relay (high-water mark). Never NULL. */
struct bus_sender *bus_sender_new(int queue);

/* Waits at most linger_ms for what is queued, then drops it. NULL is fine. */
void bus_sender_free(struct bus_sender *s, int linger_ms);

/* Queues one message for each endpoint. One socket per endpoint, kept while
 * it stays in the list; sockets of endpoints not in the list are dropped. A full queue, a
 * bad endpoint: not sent there, counted and logged at debug. */
void bus_send(struct bus_sender *s, const char *const *endpoints, size_t n,
              const void *message, size_t len);

/* Does anybody listen at endpoint? Connects and hangs up, without ZeroMQ and without waiting. Only
 * ipc:// can be asked; any other endpoint counts as listening. */
bool bus_listening(const char *endpoint);

/* Binds endpoint ("ipc:///path", parent directory must exist; an old file is replaced; mode 0600).
 * NULL on failure, logged. */
struct bus_receiver *bus_receiver_new(const char *endpoint, int queue, size_t message_max);
void bus_receiver_free(struct bus_receiver *r);

/* Readable descriptor, edge-like: after a wake call bus_receive until ERR_NOT_FOUND. */
int bus_receiver_fd(const struct bus_receiver *r);

/* The next message, valid until the next call. ERR_NOT_FOUND when there is none now. */
enum err bus_receive(struct bus_receiver *r, const void **p_r, size_t *len_r);

#endif
