/* push - the push server: a part of the relay
 *
 * Clients speak the protocol of docs/push/protocol.md at /connection/...; servers publish by HTTP or ZeroMQ. It
 * knows nothing of the chat, the database or the event log.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_PUSH_H
#define RELAY_PUSH_PUSH_H

#include "relay/io.h"
#include "relay/push/settings.h"

struct push;

/* Opens the store, binds the ZeroMQ endpoints, starts threads. Takes the settings (its reference). NULL on failure,
 * logged. */
struct push *push_new(struct io *io, struct push_settings *settings);
void push_free(struct push *p);

/* What it serves to clients, and to servers and operators; arrays that live as long as p. */
const struct io_service *push_client_services(struct push *p, size_t *n_r);
const struct io_service *push_server_services(struct push *p, size_t *n_r);

/* New settings (its reference): what is open stays open and goes by them from now on. Settings that only a
 * restart can change are left and logged by name. */
void push_reload(struct push *p, struct push_settings *settings);

/* Lets nobody in any more and closes everybody with 3001, spread over push_drain_s; done is
 * called when the last has gone. */
void push_drain(struct push *p, void (*done)(void *arg), void *arg);

struct metrics;
void push_metrics(struct push *p, struct metrics *m);

#endif
