/* pair - meetings, and the chats of two that people open with their owners
 *
 * A meeting (an "event" to its clients; here events are those of the log) belongs to a user. Who
 * writes to it opens a chat of exactly two, the applicant and the owner: one chat for each meeting and
 * applicant. A chat may also be a request to take part, which the owner grants or revokes.
 *
 * Everything of a chat is said as one of its two parties sees it: a pair_view. Users are decimal
 * texts. A NULL text is "none". Results belong to the arena of the operation.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_CHAT_PAIR_H
#define SHARED_CHAT_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/chat/op.h"
#include "shared/field.h"

#define PAIR_ID_MAX INT64_C(9007199254740991)
#define PAIR_CHAT_ID_MAX 64         /* characters of a chat's id */
#define PAIR_TEXT_MAX 4000          /* code points of a message */
#define PAIR_PHOTOS_MAX 10          /* of a message, and icons of a meeting */
#define PAIR_PHOTO_MAX 64           /* characters of a reference */
#define PAIR_PAGE 50                /* messages of a view, of a page of history */

struct meeting {
    int64_t id;                     /* 0 in a new one */
    const char *owner;
    const char *name;
    struct list icons;              /* of const char * */
    const char *location;
    int64_t from_s, to_s;           /* Unix seconds */
};

/* The other one of a chat. */
struct party {
    const char *user;
    const char *name;               /* NULL: never told */
    const char *picture;
};

struct pair_message {
    int64_t n;                      /* 1, 2, ... in its chat, without holes */
    const char *text;
    struct list photos;             /* of const char * */
    int64_t at_ms;
    const char *from, *to;
};

struct pair_counts {
    int64_t mine;                   /* messages to me that I have not read */
    int64_t theirs;                 /* messages of mine that the other has not read */
};

/* A chat as one party sees it. */
struct pair_view {
    int64_t key;                    /* row key, never shown */
    const char *chat;               /* its id: opaque, unguessable */
    struct meeting meeting;
    bool requested, granted;
    struct party other;
    struct pair_message *messages;  /* ascending; which, the operation says */
    size_t n_messages;
    struct pair_counts unread;
};

/* What an event of the log says of a chat (struct notice): EVENT_PAIR_CHANGED the view, EVENT_PAIR_UNREAD
 * its counts. */
struct pair_notice {
    const struct pair_view *view;
};

/* ---- messages ---- */

/* As somebody hands it in; checked by pair_message_check. */
struct pair_message_new {
    const char *text;               /* NULL is "" */
    struct list photos, attached;   /* of const char * */
    struct list all;                /* pair_message_check: photos, then attached, each once */
};

/* The rules of a message, for whichever way it came: ERR_FIELD for a reference that is none,
 * ERR_TEXT_LENGTH, ERR_TOO_MANY photos, ERR_EMPTY. Puts the photos together. The fields it blames are
 * "text", "photos", "attachedPhotos". */
enum err pair_message_check(struct arena *a, struct pair_message_new *m, struct fail *fail);

/* Is it a reference to a photo: 1 to PAIR_PHOTO_MAX of A-Za-z0-9_- ? */
bool pair_photo_named(const char *reference);

/* ERR_NO_CONVERSATION: no such chat, or the caller is no party of it. ERR_NO_ATTACHMENT: photos are
 * checked by the settings, and one was never stored here. Tells both: EVENT_PAIR_CHANGED with the message,
 * then EVENT_PAIR_UNREAD. */
enum err op_pair_send(struct op *o, const char *user, const char *chat,
                      const struct pair_message_new *in, struct pair_message *m_r);

/* What is addressed to user up to message n is read. *changed_r: something was not before, and
 * both are told by EVENT_PAIR_UNREAD; else nobody is. *counts_r is how it stands for user.
 * ERR_NO_CONVERSATION; ERR_NO_ENTRY when n is above the newest message. */
enum err op_pair_read(struct op *o, const char *user, const char *chat, int64_t n,
                      struct pair_counts *counts_r, bool *changed_r);

struct pair_history {
    struct pair_message *messages;  /* ascending */
    size_t n;
    bool more;                      /* there are older ones */
};

/* The PAIR_PAGE messages right below message before. ERR_NO_CONVERSATION. */
enum err op_pair_history(struct op *o, const char *user, const char *chat, int64_t before,
                         struct pair_history *h_r);

/* ---- chats ---- */

struct pair_open {
    bool request;                               /* it is, or becomes, a request */
    const struct pair_message_new *message;     /* checked; NULL: none */
};

/* The chat of user with the owner of that meeting, made if there is none (*made_r). Tells both what changed. The
 * view has the new message, if there is one. ERR_NO_MEETING, ERR_OWN_MEETING, ERR_REQUESTED, ERR_NO_ATTACHMENT. */
enum err op_pair_open(struct op *o, const char *user, int64_t meeting, const struct pair_open *in,
                      struct pair_view *view_r, bool *made_r);

/* The owner grants a request or takes that back; repeating changes nothing and is told nobody. The view is without
 * messages. ERR_NO_CONVERSATION, ERR_FORBIDDEN (the applicant), ERR_NOT_REQUESTED. */
enum err op_pair_grant(struct op *o, const char *user, const char *chat, bool granted,
                       struct pair_view *view_r);

/* All chats of user, by meeting, then in the order they were made, each with its newest PAIR_PAGE
 * messages. */
enum err op_pair_list(struct op *o, const char *user, struct pair_view **list_r, size_t *n_r);

/* The same inside a transaction of the caller's. */
enum err pair_list(struct op *o, const char *user, struct pair_view **list_r, size_t *n_r);

/* ---- meetings ---- */

/* Fills in m->id; the rest was checked. */
enum err op_meeting_create(struct op *o, struct meeting *m);

/* ERR_NO_MEETING. */
enum err op_meeting_get(struct op *o, int64_t id, struct meeting *m_r);

/* Newest first. */
enum err op_meeting_list(struct op *o, int64_t offset, int64_t limit, struct meeting **list_r,
                         size_t *n_r);

#endif
