/* op - the operations: rules, one transaction each, events
 *
 * Everything a chat can do, one function per verb. An operation checks rights,
 * changes rows, appends its events to the log and commits; then it pushes them to the relays
 * that are alive (the write protocol of ARCHITECTURE.md). It knows neither HTTP nor sockets nor
 * any system's JSON: inputs are checked structs, results are structs, and the words of
 * events come from op->system.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_CHAT_OP_H
#define SHARED_CHAT_OP_H

#include "shared/arena.h"
#include "shared/bus.h"
#include "shared/chat/chat.h"
#include "shared/config.h"
#include "shared/db/db.h"
#include "shared/err.h"

/* What an operation works with. The caller fills it once per request or job. */
struct op {
    struct db *db;
    struct arena *arena;                /* results and scratch */
    struct bus_sender *bus;             /* NULL: nothing is pushed, the log has it */
    const struct config *config;
    const struct chat_system *system;
    int64_t now_ms;
    const char *request;                /* request id; NULL */
    struct fail *fail;                  /* where a refusal is explained; NULL is fine */
    struct outbox *outbox;              /* private to op.c; leave NULL */
    int64_t seq;                        /* set when an operation has told something: the newest event of it */
};

/* ---- conversations ---- */

struct conversation_new {
    const char *object_type, *object_id, *object_url, *title, *meta;
    const struct member_new *members;
    size_t n_members;
    const struct scope_lists *scopes;
    size_t n_scopes;
};

/* ERR_LIMIT when a user is named twice. */
enum err op_conversation_create(struct op *o, const struct conversation_new *in,
                                struct conversation *c_r);

/* Newest conversation of that object whose scopes equal the given ones as sets; *found_r false: none. */
enum err op_conversation_search(struct op *o, const char *object_type, const char *object_id,
                                const struct scope_lists *scopes, size_t n_scopes,
                                struct conversation *c_r, bool *found_r);

struct conversation_full {
    struct conversation c;
    struct member *members;
    size_t n_members;
    struct scope *scopes;
    size_t n_scopes;
};

/* For managers. ERR_NO_CONVERSATION. */
enum err op_conversation_inspect(struct op *o, const struct id *conversation,
                                 struct conversation_full *full_r);

/* Everything of it goes; each participant hears of his own leaving. ERR_OK also when it is gone. */
enum err op_conversation_delete(struct op *o, const struct id *conversation);

/* Replaces all scopes. ERR_NO_CONVERSATION. */
enum err op_scopes_replace(struct op *o, const struct id *conversation,
                           const struct scope_lists *scopes, size_t n_scopes,
                           struct scope **scopes_r);

/* ---- as a caller sees conversations ---- */

enum err op_conversation_list(struct op *o, const struct viewer *viewer,
                              const struct conversation_filter *filter,
                              struct conversation_view **views_r, size_t *n_r);

/* Any caller who is a member or whose scopes match; ERR_NO_CONVERSATION, ERR_OUT_OF_SCOPE. */
enum err op_conversation_get(struct op *o, const struct viewer *viewer,
                             const struct id *conversation, struct conversation_view *view_r);

/* ---- participants ---- */

/* By a manager. *added_r false: was one already, profile unchanged, no event. ERR_NO_CONVERSATION. */
enum err op_member_add(struct op *o, const struct id *conversation, const struct member_new *in,
                       struct member *member_r, bool *added_r);

/* By a manager. ERR_OK also when there is nobody to remove. */
enum err op_member_remove(struct op *o, const struct id *conversation, const char *user);

/* By himself; scopes must match. ERR_NO_CONVERSATION, ERR_ALREADY_MEMBER, ERR_FORBIDDEN. */
enum err op_join(struct op *o, const struct viewer *viewer, const struct id *conversation,
                 const struct member_new *in);

/* By himself. ERR_NO_CONVERSATION; no effect for one who is no participant. */
enum err op_leave(struct op *o, const char *user, const struct id *conversation);

/* Members see everybody; one whose scopes match sees them without contacts and read state;
 * otherwise, and for an unknown conversation, ERR_NOT_MEMBER. Rows of others carry neutral unread,
 * archived and pinned. */
enum err op_member_list(struct op *o, const struct viewer *viewer, const struct id *conversation,
                        struct member **members_r, size_t *n_r);

/* The caller's own flags. ERR_NOT_MEMBER (unknown conversations too). */
enum err op_member_switch(struct op *o, const char *user, const struct id *conversation,
                          enum member_switch which, bool on);

/* Moves the read position forward to entry. ERR_NO_CONVERSATION, ERR_NOT_MEMBER, ERR_REFERENCE. */
enum err op_read(struct op *o, const char *user, const struct id *conversation,
                 const struct id *entry);

/* Archives at most limit rows of participants for whom nothing happened (no entry, no joining, no
 * unarchiving by hand) in the last config->archive_after_secs and who did not pin the conversation;
 * tells each. *more_r: there may be more. */
enum err op_archive_idle(struct op *o, int64_t limit, bool *more_r);

/* ---- messages ---- */

struct message_new {
    const char *content;            /* sanitised */
    struct id reply_to;
    const char *key;                /* idempotency key; NULL */
    const char *client_key;         /* client_message_id as it goes into answer and event; NULL */
    const uint8_t *request_hash;    /* 32 bytes over what makes two requests the same; with key */
};

/* ERR_NO_CONVERSATION, ERR_NOT_MEMBER, ERR_REFERENCE (reply_to), ERR_KEY_REUSED. A repeat under
 * the same key gives the first entry again and causes nothing. Content checks are the caller's, but
 * their verdict counts only after existence and membership: pass it as content_verdict (ERR_OK, or
 * what to refuse with; its sentence already in o->fail). */
enum err op_message_send(struct op *o, const char *user, const struct id *conversation,
                         const struct message_new *in, enum err content_verdict,
                         struct entry *entry_r);

/* By its author. ERR_NO_ENTRY, ERR_NOT_MEMBER, ERR_NOT_AUTHOR, then content_verdict. */
enum err op_message_edit(struct op *o, const char *user, const struct id *conversation,
                         const struct id *entry, const char *content, enum err content_verdict,
                         struct entry *entry_r);

/* By its author; the same checks. */
enum err op_message_delete(struct op *o, const char *user, const struct id *conversation,
                           const struct id *entry);

/* ERR_NO_ENTRY (unknown conversations too), then ERR_NOT_MEMBER. */
enum err op_message_get(struct op *o, const char *user, const struct id *conversation,
                        const struct id *entry, struct entry *entry_r);

enum page_mode { PAGE_LATEST, PAGE_BEFORE, PAGE_AFTER, PAGE_AROUND };

struct message_page {
    struct entry *entries;          /* oldest first */
    size_t n;
    struct id first_unread;         /* not given: none on this page */
    bool more_before, more_after;
};

/* anchor is a position and need not exist, except for PAGE_AROUND (ERR_NO_ENTRY). ERR_NOT_MEMBER. */
enum err op_message_page(struct op *o, const char *user, const struct id *conversation,
                         enum page_mode mode, const struct id *anchor, int64_t limit,
                         struct message_page *page_r);

/* ---- the log ---- */

struct sync_page {
    const struct event *events;     /* kept, entitled, not erased, in order */
    size_t n;
    int64_t seq;
    bool more, reload;
};

/* What user would have heard after since (-1: only the present seq). */
enum err op_sync(struct op *o, const char *user, int64_t since, int64_t limit,
                 struct sync_page *page_r);

/* Is the store readable, and does a relay with a lease listen? ERR_OK, ERR_BUSY. */
enum err op_ready(struct op *o);

/* Removes a bounded bit of old log, keys and closed audience rows. *more_r: there is more. */
enum err op_prune(struct op *o, bool *more_r);

/* Raises head by 2^32 and sets floor there: after a backup was restored no old cursor fits. */
enum err op_log_restored(struct op *o);

/* ---- for relays ---- */

/* Registers this run of the relay for lease_ms. What an earlier run of that name held still counts
 * as online for presence_restart_grace_ms, so that nobody flickers while clients come back: in systems
 * that have restart_grace. */
enum err op_relay_start(struct op *o, const char *relay, const char *run, const char *endpoint);

/* Renews; *lost_r true: the lease was gone, so this run was registered anew and its live rows
 * must be written again. */
enum err op_relay_renew(struct op *o, const char *relay, const char *run, const char *endpoint,
                        bool *lost_r);

/* Ends the relay's run: it gets no more pushes; who it held stays online for
 * presence_restart_grace_ms, then op_presence_sweep of any relay tells that he is gone. */
enum err op_relay_stop(struct op *o, const char *relay, const char *run);

/* A user's first socket on this relay opened (online), or his last one closed. */
struct live_change {
    const char *system;
    const char *user;
    bool online;
};

/* Applies all changes in one transaction and tells of each user whose state over all relays really
 * changed: exactly once, whatever the number of relays. Telling is a presence event in systems that
 * say it, and their offline. Somebody who comes back before it was noticed that he was gone goes
 * offline first. */
enum err op_presence_apply(struct op *o, const char *run, const struct live_change *changes,
                           size_t n);

/* Users told to be online whom no live relay holds: tells that they are offline. At most limit
 * per call; *more_r. Dead relays' rows go. */
enum err op_presence_sweep(struct op *o, int64_t limit, bool *more_r);

/* What a connecting session needs, all from one state of the database. */
struct connect_state {
    int64_t head;
    const char **channels;          /* open audience of the user, without the implicit ones */
    size_t n_channels;
    bool resumed;                   /* since was given and the log reaches back */
    const struct event *missed;     /* kept, entitled, since < seq <= head, in order */
    size_t n_missed;
    const char *first;              /* JSON that the system tells before all else; NULL: nothing */
};

/* since -1: none given. */
enum err op_connect(struct op *o, const char *user, int64_t since, struct connect_state *state_r);

/* Head and floor of the log. */
enum err op_log_head(struct op *o, int64_t *head_r, int64_t *floor_r);

/* Events after seq, at most limit, of all systems, in order; fewer when they are large, but one at
 * least. The arena holds them. */
enum err op_log_read(struct op *o, int64_t after, int64_t limit, struct event **events_r,
                     size_t *n_r);

/* The bus key of this database, 32 bytes. */
enum err op_bus_key(struct op *o, uint8_t key_r[EVENT_KEY_SIZE]);

#endif
