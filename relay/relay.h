/* relay - the chat's part of a relay: inbox, audience, sessions, presence and workers on the loop
 *
 * Everything here runs on the I/O loop. What touches the database is handed to a worker and
 * comes back as a completed job.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "relay/io.h"
#include "shared/bus.h"
#include "shared/config.h"
#include "shared/event.h"

struct relay;

/* What must be settled before there can be a relay. */
struct relay_start {
    const struct config *config;
    struct io *io;                          /* stays the caller's */
    struct bus_receiver *bus;               /* bound; stays the caller's */
    uint8_t key[EVENT_KEY_SIZE];            /* of the bus */
    const char *run;                        /* id of this run, registered in the database */
    const char *endpoint;                   /* of the bus */
};

/* Opens the database, reads where the log stands, starts the threads. Only then may anything be
 * let in. NULL on failure, logged. */
struct relay *relay_new(const struct relay_start *start);

/* Its connections must be gone (io_drop_all). NULL is fine. */
void relay_free(struct relay *r);

/* The paths of the systems' sockets; the array lives as long as r. */
const struct io_service *relay_services(struct relay *r, size_t *n_r);

/* Serves the namespaces of those systems that offer Socket.IO. o goes before r does. */
struct socketio;
void relay_serve_links(struct relay *r, struct socketio *o);

/* Answers at every path in the words of a chat system: to be served behind all others. */
struct io_service relay_service_unknown(struct relay *r);

/* Lets nobody in any more and closes everybody; done is called, once, when the last has gone or takes
 * too long. */
void relay_shut(struct relay *r, void (*done)(void *arg), void *arg);

/* Logs what was counted since the start. */
void relay_log_counters(const struct relay *r);

#endif
