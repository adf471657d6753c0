/* stream_durable_none - in place of stream_durable.c where the program is built without SQLite
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/stream_durable.h"

#include "shared/log.h"

enum err
durable_open(const char *file, int64_t keep_keys_ms, void (*wake)(void *arg), void *wake_arg, struct durable **d_r)
{
    (void)keep_keys_ms;
    (void)wake;
    (void)wake_arg;
    *d_r = NULL;
    log_event(LOG_LEVEL_ERROR, "history", "file", file, "why",
              "this program is built without SQLite: push_history must be empty", NULL);
    return ERR_NOT_CONFIGURED;
}

/* Without a file nobody gets here. */

enum err
durable_read(struct durable *d, const struct durable_reader *r, void *arg, int64_t since_ms)
{
    (void)d;
    (void)r;
    (void)arg;
    (void)since_ms;
    return ERR_NOT_CONFIGURED;
}

const char *
durable_epoch(const struct durable *d)
{
    (void)d;
    return "";
}

int64_t
durable_next_id(const struct durable *d)
{
    (void)d;
    return 1;
}

enum err
durable_start(struct durable *d)
{
    (void)d;
    return ERR_NOT_CONFIGURED;
}

void
durable_post(struct durable *d, struct durable_change *c)
{
    (void)d;
    (void)c;
}

struct durable_change *
durable_take(struct durable *d)
{
    (void)d;
    return NULL;
}

void
durable_stop(struct durable *d)
{
    (void)d;
}

void
durable_free(struct durable *d)
{
    (void)d;
}

void
durable_metrics(struct durable *d, struct metrics *m)
{
    (void)d;
    (void)m;
}
