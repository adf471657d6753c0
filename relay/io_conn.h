/* io_conn - a connection as io_lws.c (libwebsockets) and io_life.c (pings, silence) share it
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

enum { SLOTS = 10 };                    /* of the wheel */

enum conn_state {
    CONN_OPEN,
    CONN_CLOSING,       /* conn_close was called: the queue leaves, then a Close frame */
    CONN_LEAVING,       /* Close frames are exchanged, or the socket is shut: nothing is written */
};

struct conn {
    struct io_links *links;
    struct lws *wsi;
    void *user;
    struct outq out;
    struct sbuf in;                     /* a message of which more is to come */
    LIST_ENTRY(conn) slot_entry;
    TAILQ_ENTRY(conn) dirty_entry;
    int64_t heard_ms;                   /* all times by the links' clock */
    int64_t ping_ms;                    /* next ping */
    int64_t gone_ms;                    /* closing: when patience ends */
    char *reason;
    uint16_t code;
    uint8_t state;
    bool dirty;
    bool peer_closed;
};

LIST_HEAD(conn_list, conn);

struct io_links {
    struct io *io;
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct conn *opening;               /* the one io_links_open is at work on */
    bool unframed;                      /* the pass-through works */
    bool probing;
    int64_t count;
    uint32_t opened;                    /* ever; spreads pings */
    TAILQ_HEAD(, conn) dirty;
    ev_prepare turn_end;
    /* the wheel: every connection is looked at once per turn of it */
    struct conn_list slots[SLOTS];
    unsigned slot;
    ev_timer tick;
    int64_t turn_ms, ping_ms, timeout_ms, patience_ms;
    int64_t clock_ms;                   /* time the loop has been running, see tick_due */
    int64_t ticked_ms;
    unsigned char gather[];             /* for one write */
};

/* It has something to write; done at the end of the turn. */
void conn_mark_dirty(struct conn *c);

/* Ends it at once. Never from within a callback of libwebsockets about c. */
void conn_kill(struct conn *c);

/* The wheel that pings every connection and drops the silent. */
void io_life_start(struct io_links *l);
void io_life_stop(struct io_links *l);

/* c was opened: on to the wheel. io_life_leave before it is freed. */
void io_life_join(struct io_links *l, struct conn *c);
void io_life_leave(struct conn *c);

/* The peer gave a sign of life. */
void io_life_heard(struct conn *c);

/* c is to be gone within the time a handshake may take. */
void io_life_ends(struct conn *c);

#endif
