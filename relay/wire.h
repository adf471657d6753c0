/* wire - how one system speaks on sockets
 *
 * A system is a constant struct of functions: bytes in, verdicts and bytes out. None of them does
 * I/O or keeps state, so each can be tested and fuzzed with strings.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_WIRE_H
#define RELAY_WIRE_H

#include "relay/io.h"
#include "relay/wire_named.h"
#include "shared/arena.h"
#include "shared/chat/op_room.h"
#include "shared/config.h"
#include "shared/event.h"
#include "shared/sbuf.h"

#define CLOSE_GOING_AWAY 1001
#define CLOSE_BINARY 1003       /* a message of bytes where only text is understood */
#define CLOSE_POLICY 1008
#define CLOSE_RELOAD 1012       /* come again and load anew */
#define CLOSE_LATER 1013        /* come again in a while */
#define CLOSE_CREDENTIAL 4401   /* named events: no credential in time, a bad one, or its end */

#define STATUS_UPGRADE_REQUIRED 426     /* a request for a WebSocket that is none */

#define WIRE_SINCE_NONE (-1)
#define WIRE_SINCE_UNUSABLE INT64_MAX   /* given, but no seq: answered like one from the future */

/* What a handshake settled. Texts belong to its arena, but the reason, which is a literal. */
struct wire_hello {
    const char *user;           /* "": nobody, or not known yet (fixed) */
    int64_t since;              /* a seq, WIRE_SINCE_NONE or WIRE_SINCE_UNUSABLE */
    int64_t expires_ms;         /* when the credential ends; 0: never */
    bool stranger;              /* named: no credential was shown, it is to come in the first frame */
    const char *name, *picture; /* named: what the credential says of the user; NULL */
    int64_t room;               /* fixed: the one in the path; 0: none, or malformed */
    const char *key;            /* fixed: of a runner; NULL */
    const char *counted;        /* fixed: those with the same are counted together; NULL: it is not */
    int close_code;             /* fixed: accepted, and closed with it at once; 0: goes on */
    const char *close_reason;
};

/* What a session begins with. */
struct wire_welcome {
    const char *user;
    int64_t room;           /* fixed: which; 0: all */
    int64_t seq;
    bool asked;             /* since was given ... */
    bool resumed;           /* ... and can be honoured */
    size_t missed;          /* frames that follow, when resumed */
    const char *id;         /* of the session */
    const char *first;      /* what the system tells first, JSON; NULL */
};

/* What a client's message was. */
enum wire_heard {
    WIRE_NOTHING,           /* fine, and nothing to do */
    WIRE_PING,              /* answer with pong */
    WIRE_BAD,               /* answer with bad; too many end the session */
};

/* What bounds its sessions. */
struct wire_bounds {
    int64_t sockets;            /* counted together, see wire_hello */
    int64_t message_max;        /* bytes of a client's message */
    int64_t messages_per_s;
    int64_t message_unit;       /* a longer message counts once more for each so many bytes; 0: once */
    int64_t bad_max;            /* bad messages before it is closed; 0: any */
    int64_t bad_window_ms;      /* ... within so long; 0: ever */
    int64_t queue_frames, queue_bytes;
    int64_t silence_ms;
    int64_t ping_ms, answer_ms; /* see io_rules; ping_ms 0: as ws_ping_s says */
};

/* ---- systems that speak in named events ---- */

/* What a client shows to say who it is. */
struct wire_credential {
    const char *auth;           /* a JSON object: what it joined with, or its first frame's data; NULL */
    const char *authorization;  /* the header; NULL */
    const char *query;          /* raw; "" */
};

/* Why a client's event does nothing. */
enum wire_bad {
    WIRE_BAD_FRAME,             /* not understood; text says why */
    WIRE_BAD_EVENT,             /* no such event */
    WIRE_BAD_CREDENTIAL,        /* the first frame of a stranger; it is closed behind the answer */
};

struct wire_named {
    /* Who shows that. ERR_NOT_FOUND: nothing was shown; ERR_UNAUTHORIZED. */
    enum err (*identify)(struct arena *a, const struct config *config,
                         const struct wire_credential *c, int64_t now_ms,
                         struct wire_hello *hello_r);
    const char *unauthorized, *too_many;    /* data of a CONNECT_ERROR, JSON */

    /* The event that answers a bad one, and its payload. name: the client's event; NULL: none was understood.
     * false: there is no answer. */
    const char *bad_event;
    bool (*write_bad)(struct sbuf *payload, enum wire_bad why, const char *name, const char *text);
    bool counts_unknown;        /* unknown events count as bad frames */
    /* What who asked for an acknowledgement of it is told there; NULL: nothing. */
    void (*write_nack)(struct sbuf *json, enum wire_bad why, const char *name);

    /* Is that a command, for session->command? NULL: there are none. */
    bool (*is_command)(const char *name);
};

struct wire {
    const char *system;
    const char *path;           /* decoded request path, matched exactly; "{id}" is any text. With namespace: that
                                   of Socket.IO, without its final slash */
    const char *namespace;      /* Socket.IO's; NULL: WebSockets */
    bool root;                  /* only where socketio_root_system names the system */
    const struct wire_named *named;     /* NULL: not by named events. Then pong, bad and message are not needed */
    enum room_socket fixed;     /* 0: a session follows its user and is refused in the handshake. Else it
                                   is fixed to the channels of such a socket of a room, and accepted
                                   before it is judged */
    int expired_code;           /* closed with at the end of the credential */
    int bare_close_code;        /* see io_rules */
    const char *pong, *bad;     /* ready payloads */

    /* Decides by request and settings alone. true: *hello_r is filled. false: *answer is. */
    bool (*handshake)(struct arena *a, const struct config *config, const struct io_request *r,
                      int64_t now_ms, struct wire_hello *hello_r, struct io_answer *answer);

    /* Fills the answer that refuses with e, in the system's own words. */
    void (*refuse)(struct io_answer *answer, enum err e);

    void (*bounds)(const struct config *config, struct wire_bounds *bounds_r);

    /* Nothing appended: there is no such frame. */
    void (*write_welcome)(struct sbuf *out, const struct wire_welcome *w);
    /* Wires that share this function share frames, too. NULL: named. */
    void (*write_event)(struct sbuf *out, const struct event *e);

    enum wire_heard (*message)(struct arena *a, const char *p, size_t len, bool binary);

    /* The line to log for an event that no open session of this wire heard; NULL: none. The
     * function is NULL where nobody wants to know. */
    const char *(*unheard)(struct arena *a, const struct event *e);
};

/* An event as a frame's payload on that wire, and do two wires say it in the same bytes? */
void wire_put_event(struct sbuf *out, const struct wire *wire, const struct event *e);
bool wire_same_format(const struct wire *a, const struct wire *b);

/* The wires that config serves, one after the other; NULL behind the last. */
const struct wire *wire_served(const struct config *config, size_t i);

/* The wire of WebSockets at a raw request path among those config serves; NULL. */
const struct wire *wire_find(struct arena *a, const struct config *config, const char *path);

/* The one in whose words a path that is none is refused. */
const struct wire *wire_near(const struct config *config, const char *path);

/* Bytes of wire->path in front of what varies. */
size_t wire_path_fixed(const struct wire *wire);

extern const struct wire wire_mtchat, wire_rooms_chat, wire_rooms_graph, wire_rooms_runner;
extern const struct wire wire_eventchat, wire_eventchat_namespace, wire_eventchat_path, wire_eventchat_root;
extern const struct wire wire_conversations, wire_conversations_namespace, wire_conversations_path,
    wire_conversations_root;

/* ---- helpers for wires ---- */

/* What "{id}" stands for in a raw path that wire_find found to be the wire's. *len_r tells of NULs. */
const char *wire_path_id(struct arena *a, const struct wire *wire, const char *path, size_t *len_r);

/* The first pair of that name in a raw query, percent-decoded; a '+' stays. A malformed escape stays,
 * too. ERR_NOT_FOUND: no such pair. ERR_LIMIT: it holds NUL or no valid UTF-8. */
enum err wire_query(struct arena *a, const char *query, const char *name, const char **value_r);

/* Headers of a refusal whose status is set, whatever its words: what caches, browsers and clients that retry go by. */
void wire_refusal_headers(struct io_answer *answer);

/* A system of named events: who shows c. What stands first counts, good or bad: what he joined with, the header, the
 * query. vk: launch parameters are as good as a token; NULL: they are nothing. ERR_NOT_FOUND: nothing was shown;
 * ERR_UNAUTHORIZED. Texts of *hello_r belong to the arena. */
enum err wire_identify(struct arena *a, const struct wire_credential *c,
                       const struct token_rules *rules, const struct vk_rules *vk, int64_t now_ms,
                       struct wire_hello *hello_r);

/* The handshake of a bare WebSocket of a system of named events: origin, credential. */
bool wire_named_handshake(const struct wire *wire, struct arena *a, const struct config *config,
                          const struct io_request *r, int64_t now_ms, struct wire_hello *hello_r,
                          struct io_answer *answer);

/* What bounds the sessions of such systems. */
void wire_named_bounds(const struct config *config, struct wire_bounds *bounds_r);

/* since=N as wire_hello has it. */
int64_t wire_since(struct arena *a, const char *query);

#endif
