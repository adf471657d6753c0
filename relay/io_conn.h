/* io_conn - a connection as the files share it that write it and keep it alive
 *
 * There are two kinds: WebSockets (io_lws.c) and streams (io_stream.c). What differs is how bytes leave and
 * how it ends; queue, bounds and life are the same (io_conn.c, io_life.c).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_IO_CONN_H
#define RELAY_IO_CONN_H

#include "relay/io_private.h"
#include "relay/outq.h"

struct lws;
struct lws_context;
struct lws_vhost;

enum { IO_WRITE_MAX = 256 * 1024 };     /* bytes gathered for one write */
enum { IO_SLOTS = 64 };                 /* of the wheel */

enum conn_state {
    CONN_OPEN,
    CONN_CLOSING,       /* conn_close was called: the queue leaves, then a Close frame or the last chunk */
    CONN_LEAVING,       /* the ends are exchanged, or the socket is shut: nothing is written */
};

/* A message of a WebSocket of which more is to come. */
struct unfinished {
    TAILQ_ENTRY(unfinished) entry;
    struct conn *conn;
    struct sbuf text;
};

struct conn {                           /* what every write reads stands in front */
    struct io_links *links;
    struct lws *wsi;                    /* NULL: a stream */
    struct io_client *client;           /* NULL: our own probe */
    TAILQ_ENTRY(conn) dirty_entry;
    uint32_t owed;                      /* bytes written that the socket did not take; set by conn_owe */
    uint16_t code;
    uint8_t state;
    bool dirty : 1;
    bool behind : 1;
    bool broken : 1;                    /* to be killed at the end of the turn */
    bool peer_closed : 1;
    bool deaf : 1;                      /* not read from while it is owed something; see io_lws.c */
    struct outq out;
    struct unfinished *in;              /* NULL: no message has begun */
    LIST_ENTRY(conn) slot_entry;
    /* all times by the links' clock, see io_life.c */
    int64_t heard_ms;
    int64_t ping_ms;                    /* next ping */
    int64_t asked_ms;                   /* the first ping since it was heard; 0: none */
    union {
        int64_t moved_ms;               /* behind: when the peer last took something */
        int64_t gone_ms;                /* closing: when patience ends */
    };
    uint64_t taken;                     /* behind: a figure that moves when the peer takes something */
    char *reason;
};

LIST_HEAD(conn_list, conn);

struct io_links {
    struct io *io;
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct conn *opening;               /* the one io_links_open is at work on */
    const struct sbuf *opening_headers;
    bool unframed;                      /* the pass-through works */
    bool probing;
    int64_t count;
    int64_t owed;                       /* bytes, by all connections */
    TAILQ_HEAD(, unfinished) unfinished;    /* the oldest first */
    size_t unfinished_size;             /* bytes they take */
    uint32_t opened;                    /* ever; spreads pings */
    TAILQ_HEAD(, conn) dirty;
    TAILQ_HEAD(, stream) streams;
    struct sbuf lines;                  /* for one write of a stream */
    /* the wheel, see io_life.c */
    struct conn_list slots[IO_SLOTS];
    ev_timer tick;
    int64_t patience_ms;
    int64_t clock_ms;                   /* time the loop has been running */
    int64_t ticked_ms;
    unsigned char gather[];             /* for one write of a WebSocket */
};

/* ---- io_conn.c ---- */

void conn_init(struct conn *c, struct io_links *l, struct io_client *client);

/* Takes it out of everything and frees what it holds, not itself. */
void conn_fini(struct conn *c);

/* It lives: tells the layer above. */
void conn_opened(struct conn *c);

/* Its socket is gone: the opposite. conn_fini is next. */
void conn_closed(struct conn *c);

/* So much of what was written lies here in a copy. */
void conn_owe(struct conn *c, size_t bytes);

/* It has something to write; done at the end of the turn. */
void conn_mark_dirty(struct conn *c);

/* Writes what can be written and looks how the peer keeps up. -1: the connection is broken. */
int conn_flush(struct conn *c);

/* Ends it at once; it is freed. Never from within a callback of libwebsockets about c, or of the
 * layer above. */
void conn_kill(struct conn *c);

/* Closes a peer that is too slow, by its rules. */
void conn_give_up(struct conn *c);

/* Closes a peer that broke the rules of the protocol. */
void conn_refuse(struct conn *c, int code, const char *reason);

/* ---- io_lws.c ---- */

enum err io_lws_start(struct io_links *l);
void io_lws_stop(struct io_links *l);

/* Writes once what is queued, unless something is owed, and asks to be called when more can be done. Sets owed.
 * -1: broken. */
int io_lws_flush(struct conn *c);
void io_lws_kill(struct conn *c);

/* Drops what has come of a message. */
void io_lws_forget(struct conn *c);
int io_lws_fd(const struct conn *c);

/* ---- io_stream.c ---- */

int io_stream_flush(struct conn *c);
void io_stream_kill(struct conn *c);
int io_stream_fd(const struct conn *c);
void io_streams_free(struct io_links *l);

/* ---- io_life.c ---- */

/* The wheel that pings every connection and drops the silent. */
void io_life_start(struct io_links *l);
void io_life_stop(struct io_links *l);

/* c was opened: on to the wheel. io_life_leave before it is freed. */
void io_life_join(struct conn *c);
void io_life_leave(struct conn *c);

/* The peer gave a sign of life. */
void io_life_heard(struct conn *c);

/* The peer does not take what is written, from now on. */
void io_life_behind(struct conn *c);

/* c is to be gone within the time a handshake may take. */
void io_life_ends(struct conn *c);

#endif
