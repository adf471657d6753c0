/* stream_private - the store's inside, shared by the files of stream_*.c
 *
 *   stream_memory.c    streams, their windows, and how long they last
 *   stream_publish.c   one publication
 *   stream_tell.c      history
 *   stream_due.c       what has had its time goes
 *   stream_present.c   who is there
 *   stream_written.c   the loop's half of durable streams; the other is behind stream_durable.h
 *   stream_load.c      ... and how they begin
 *
 * A channel that was never published to needs no memory: all of these stand at offset 0 of the same epoch, which
 * their first publication takes over. Whenever a stream is forgotten another epoch is made for those to
 * come, so that none ever gives an offset twice.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_STREAM_PRIVATE_H
#define RELAY_PUSH_STREAM_PRIVATE_H

#include "relay/push/stream.h"
#include "relay/push/stream_durable.h"
#include "relay/push/stream_keys.h"
#include "relay/push/window.h"
#include "relay/strmap.h"

/* What a durable stream has beside: numbers are given out before they are committed. */
struct stream_file {
    int64_t id;
    uint64_t round;                     /* in which the next three hold; else they begin anew at what is committed */
    uint64_t top, first;                /* given out */
    uint64_t oldest;                    /* nothing before it is in the file */
    unsigned pending;                   /* changes handed in */
    bool written;                       /* something of it was committed */
    uint64_t version;                   /* committed */
    char *version_epoch;
};

struct stream {
    struct strmap_node node;            /* key: its channel */
    char epoch[STREAM_EPOCH_SIZE];      /* "": never published to */
    struct stream_rules rules;          /* as last seen */
    uint64_t top;
    uint64_t first;                     /* of the window; it may lie before the oldest in memory, see stream_load.c */
    uint64_t version;                   /* given out */
    char *version_epoch;
    struct window window;
    int64_t published_ms;               /* the newest */
    int64_t due_ms;                     /* something ends then, or later */
    size_t due_at;                      /* place in the heap, from 1; 0: not there */
    struct stream_presence *present;
    int64_t n_present;
    int64_t n_users, users_ms;          /* among them, when they were counted last; 0: never */
    bool users_changed;                 /* since */
    struct stream_file *file;           /* NULL: in memory only */
    char channel[];
};

struct memory {
    struct stream_store store;          /* first */
    struct stream_memory_options o;
    struct strmap streams;
    struct stream_keys keys;
    size_t bytes;                       /* of streams and their publications */
    int64_t n_publications;
    int64_t refused;
    char epoch[STREAM_EPOCH_SIZE];      /* of streams to come */
    struct stream **due;                /* heap, by due_ms */
    size_t n_due, due_size;
    struct io_timer *timer;             /* NULL: the caller sweeps */
    int64_t timer_ms;                   /* set for; 0: not */
    struct durable *file;               /* NULL: nothing is durable */
    char durable_epoch[STREAM_EPOCH_SIZE];
    int64_t next_id;
    uint64_t round;
    int64_t waiting;                    /* publications handed in */
    struct stream_change *failed;       /* forgotten streams that are still in the file */
    bool ending;                        /* answer, deliver nothing */
    struct stream *loading;
    bool loading_full;
    int64_t loaded, left;
};

/* One publish on its way through the store. */
struct stream_job {
    struct memory *m;
    const struct stream_publish *in;
    stream_published *done;
    void *arg;
    int64_t now_ms;
};

static inline const char *
stream_text(const char *s)
{
    return s ? s : "";
}

static inline uint64_t
stream_later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* ---- stream_memory.c ---- */

int64_t stream_now(const struct memory *m);
void stream_new_epoch(char epoch[STREAM_EPOCH_SIZE]);

struct stream *stream_find(struct memory *m, const char *channel);
struct stream *stream_get(struct memory *m, const char *channel);      /* made when missing */

/* The stream of a channel that has history, going by these rules, and refreshed; NULL. */
struct stream *stream_live(struct memory *m, const char *channel, const struct stream_rules *rules, int64_t now_ms);

/* What has had its time goes. NULL: s went, too. */
struct stream *stream_refresh(struct memory *m, struct stream *s, int64_t now_ms);

/* The oldest publications up to first leave the window. */
void stream_drop_until(struct memory *m, struct stream *s, uint64_t first);

/* Where a reader stands; s may be NULL. */
struct stream_position stream_at(const struct memory *m, const struct stream *s, const struct stream_rules *rules);

/* Keeps *to a copy of the text. */
void stream_set_text(char **to, const char *text);

/* What the newest and the time leave behind; when there is something to do again. */
void stream_trim(struct memory *m, struct stream *s, int64_t now_ms);
int64_t stream_next_due(const struct stream *s, int64_t now_ms);

/* Bytes of memory. */
size_t stream_cost(const struct publication *p);
size_t stream_size(const char *channel);
void stream_free(struct memory *m, struct stream *s);

/* ---- stream_publish.c ---- */

void stream_publish(struct stream_store *store, const struct stream_publish *in, stream_published *done, void *arg);

/* ---- stream_due.c ---- */

/* Looks at s again when its time comes; 0: never. */
void stream_due_set(struct memory *m, struct stream *s, int64_t due_ms);

/* A key was added. */
void stream_due_arm(struct memory *m, int64_t due_ms);
void stream_due_timer(void *arg);

/* ---- stream_tell.c ---- */

void stream_tell(struct stream_store *store, const char *channel, const struct stream_rules *rules,
                 const struct stream_query *q, stream_told *done, void *arg);

/* ---- stream_present.c ---- */

void stream_join(struct stream_store *store, const char *channel, struct stream_presence *who);
void stream_leave(struct stream_store *store, struct stream_presence *who);
void stream_presence_tell(struct stream_store *store, const char *channel,
                          void (*each)(void *arg, const struct stream_presence *who),
                          void (*done)(void *arg, enum err e, int64_t n_clients, int64_t n_users), void *arg);

/* ---- stream_written.c ---- */

/* The file was read: takes its epoch, or gives it one. */
void stream_written_begin(struct memory *m);

/* What s, as it is, has beside as a durable stream. */
struct stream_file *stream_written_file(const struct memory *m, const struct stream *s, int64_t id);

/* Changes of s wait to be committed. s may be NULL. */
static inline bool
stream_pends(const struct stream *s)
{
    return s && s->file && s->file->pending > 0;
}

/* Makes s a durable stream, or no longer one, as its rules say; not while it pends. */
void stream_written_follow(struct memory *m, struct stream *s);

/* The numbers given out begin anew when their round failed. */
void stream_written_settle(struct memory *m, struct stream *s);

void stream_written_publish(struct stream_job *j, struct stream *s);
void stream_written_remove(struct memory *m, struct stream *s, stream_published *done, void *arg);

/* In turn behind what pends: delivers j's publication as it is; or only answers, with the position or with that of
 * its key. */
enum stream_pass { PASS_DELIVER, PASS_POSITION, PASS_KEY };
void stream_written_pass(struct stream_job *j, struct stream *s, enum stream_pass what);

/* The window is empty; the stream is forgotten, or no longer durable: so in the file. */
void stream_written_trim(struct memory *m, struct stream *s);
void stream_written_forget(struct memory *m, struct stream *s);
void stream_written_free(struct memory *m);

/* ---- stream_load.c ---- */

/* Opens the file, reads it and starts its thread. */
enum err stream_load(struct memory *m);

#endif
