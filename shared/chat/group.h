/* group - the conversations system: groups, who looks on at them, and the chat of all
 *
 * As op.h; op->system is &chat_conversations. A user is the decimal text of his id. Everything but
 * profiles wants the user to have a live socket of this system: ERR_NO_SOCKET, before anything else
 * of the database is looked at. A group that is missing, and the chat of all where a group is meant, is
 * ERR_NO_CONVERSATION. Inputs are checked structs; what needs rows is refused here.
 *
 * The chat of all knows no authors: its entries have a struct, a statement and a serializer of their
 * own, in none of which there is one.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_CHAT_GROUP_H
#define SHARED_CHAT_GROUP_H

#include "shared/chat/op.h"
#include "shared/chat/profile.h"

#define GROUP_GLOBAL INT64_C(0)         /* the id of the chat of all */
#define GROUP_ID_MAX INT64_C(99999999)
#define GROUP_PAGE 100                  /* messages or groups in one answer */
#define GROUP_VIEW_PAGE 50              /* what one who begins to look on is shown */
#define GROUP_TEXT_MAX 1000             /* code points */
#define GROUP_NAME_MIN 3
#define GROUP_NAME_MAX 50
#define GROUP_FIRST_WORDS "Создана беседа."

struct group_message {
    int64_t id;
    int64_t group;
    struct profile author;              /* as it is now */
    const char *text;
    int64_t at_ms;
};

/* What was said in the chat of all. */
struct global_message {
    int64_t id;
    const char *text;
    int64_t at_ms;
};

struct group {
    int64_t id;
    const char *name;
    const char *creator;
    int64_t n_members, n_viewers;
    /* only of one's own groups */
    bool mine;
    int64_t unread;                     /* messages of others above the read marker */
    const char *last_text;              /* of the newest message ... */
    const char *last_picture;           /* ... and of its author */
};

/* What an event of the log says of a group (struct notice). */
struct group_notice {
    int64_t group;
    const char *name;                       /* GROUP_NEW */
    const struct profile *who;              /* MEMBER_*, GROUP_NEW */
    const struct group_message *message;    /* ENTRY_NEW, of a group */
    const struct global_message *global;    /* ENTRY_NEW, of the chat of all */
    const char *message_event;              /* ENTRY_NEW: what clients know it by */
    int64_t viewers;                        /* VIEWERS */
};

/* "conversation:<id>". */
char *group_channel(struct op *o, int64_t group);

/* Has he a live socket of op->system? Else ERR_NO_SOCKET. */
enum err op_socket_needed(struct op *o, const char *user);

/* ---- messages (op_group_message.c) ---- */

struct group_page {
    struct group_message *messages;     /* oldest first */
    size_t n;
};

struct global_page {
    struct global_message *messages;    /* oldest first */
    size_t n;
};

/* By a member: at most GROUP_PAGE messages before the newest offset ones. ERR_NOT_MEMBER. */
enum err op_group_page(struct op *o, const char *user, int64_t group, int64_t offset,
                       struct group_page *page_r);

/* The same of the chat of all; from then on he hears what is said there, until his last socket closes. */
enum err op_global_page(struct op *o, const char *user, int64_t offset, struct global_page *page_r);

/* By a member. ERR_FORBIDDEN: he is none. */
enum err op_group_send(struct op *o, const char *user, int64_t group, const char *text, int64_t *id_r);

/* By anybody; subscribes him to nothing. */
enum err op_global_send(struct op *o, const char *user, const char *text, int64_t *id_r);

/* By a member: nothing so far is unread for him. ERR_NOT_MEMBER. */
enum err op_group_read(struct op *o, const char *user, int64_t group);

/* ---- groups and who is in them (op_group.c) ---- */

/* Those he is in, or those he is not in; at most GROUP_PAGE, by id. */
enum err op_group_list(struct op *o, const char *user, bool mine, int64_t offset,
                       struct group **groups_r, size_t *n_r);

/* He is its first member. ERR_EXISTS: he has made one of this name. */
enum err op_group_create(struct op *o, const char *user, const char *name, int64_t *id_r);

/* By its creator: everything of it goes. ERR_FORBIDDEN. */
enum err op_group_delete(struct op *o, const char *user, int64_t group);

/* The newest GROUP_PAGE messages; he looks on no longer. ERR_ALREADY_MEMBER, ERR_FULL. */
enum err op_group_join(struct op *o, const char *user, int64_t group, struct group_page *page_r);

/* With its last member a group goes. ERR_NOT_MEMBER. */
enum err op_group_leave(struct op *o, const char *user, int64_t group);

/* By a member, in order of joining. ERR_NOT_MEMBER. */
enum err op_group_members(struct op *o, const char *user, int64_t group, struct profile **members_r,
                          size_t *n_r);

/* ---- looking on (op_group_view.c) ---- */

/* The newest GROUP_VIEW_PAGE messages. Looking on already is fine. ERR_ALREADY_MEMBER. */
enum err op_group_view(struct op *o, const char *user, int64_t group, struct group_page *page_r);

/* Not looking on is fine. ERR_ALREADY_MEMBER. */
enum err op_group_stop_view(struct op *o, const char *user, int64_t group);

/* chat_conversations.offline: he looks on at nothing any longer, and hears nothing of the chat of all. */
enum err group_offline(struct op *o, const char *user);

#endif
