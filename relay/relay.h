/* relay - what one relay process is: inbox, hub, sessions, presence and workers around one loop
 *
 * Everything here runs on the I/O loop. What touches the database is handed to a worker and
 * comes back as a completed job.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "shared/bus.h"
#include "shared/config.h"
#include "shared/event.h"

struct relay;

/* What must be settled before there can be a relay. */
struct relay_start {
    const struct config *config;
    struct bus_receiver *bus;               /* bound; stays the caller's */
    uint8_t key[EVENT_KEY_SIZE];            /* of the bus */
    const char *run;                        /* id of this run, registered in the database */
    const char *endpoint;                   /* of the bus */
};

/* Opens the database, reads where the log stands, starts the threads. Nothing is accepted yet.
 * NULL on failure, logged. */
struct relay *relay_new(const struct relay_start *start);
void relay_free(struct relay *r);

/* Begins to accept. */
enum err relay_listen(struct relay *r);

/* Runs until every socket is closed after a signal came by signal_fd, a signalfd. SIGUSR1 does not
 * end it but has its counters logged. */
void relay_run(struct relay *r, int signal_fd);

#endif
