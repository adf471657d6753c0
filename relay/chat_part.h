/* chat_part - the chat within a relay process: its name's lock, its bus, its run in the database
 *
 * The relay's name is locked and its bus bound before the database learns of this run, so that pushes
 * queue from the first moment; what was committed before that is behind `head` when the tail
 * reads it. Only then may sockets be let in.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_CHAT_PART_H
#define RELAY_CHAT_PART_H

#include "relay/io.h"
#include "shared/config.h"

struct chat_part;
struct socketio;

#ifndef CONFAB_WITHOUT_SQLITE

/* Starts what config->systems name; config must outlive it. NULL on failure, logged. */
struct chat_part *chat_part_new(struct io *io, const struct config *config);

/* See relay_serve_links. */
void chat_part_serve_links(struct chat_part *p, struct socketio *o);

/* Returns the lease. Its connections must be gone (io_drop_all). NULL is fine. */
void chat_part_free(struct chat_part *p);

/* See relay_services, relay_service_unknown, relay_shut and relay_log_counters. */
const struct io_service *chat_part_services(struct chat_part *p, size_t *n_r);
struct io_service chat_part_unknown(struct chat_part *p);
void chat_part_shut(struct chat_part *p, void (*done)(void *arg), void *arg);
void chat_part_log_counters(const struct chat_part *p);

#else

/* A build without a database refuses `systems` (config_check), so none of these is ever called; they spare
 * main.c the distinction. */
static inline struct chat_part *
chat_part_new(struct io *io, const struct config *config)
{
    (void)io, (void)config;
    return NULL;
}

static inline void
chat_part_serve_links(struct chat_part *p, struct socketio *o)
{
    (void)p, (void)o;
}

static inline void
chat_part_free(struct chat_part *p)
{
    (void)p;
}

static inline const struct io_service *
chat_part_services(struct chat_part *p, size_t *n_r)
{
    (void)p;
    *n_r = 0;
    return NULL;
}

static inline struct io_service
chat_part_unknown(struct chat_part *p)
{
    (void)p;
    return (struct io_service){ 0 };
}

static inline void
chat_part_shut(struct chat_part *p, void (*done)(void *arg), void *arg)
{
    (void)p;
    done(arg);
}

static inline void
chat_part_log_counters(const struct chat_part *p)
{
    (void)p;
}

#endif

#endif
