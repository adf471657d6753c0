/* op_message - sending, changing and removing messages, and moving the read position
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "shared/chat/op.h"
#include "shared/chat/rights.h"
#include "shared/chat/tx.h"
#include "shared/eventlog.h"

#define HASH_SIZE 32

/* ---- sending ---- */

/* A send in progress. */
struct sending {
    struct op *o;
    const char *user;
    const struct message_new *in;
    struct conversation c;
    struct member_state me;
    char *channel;
};

/* The first answer again: all of it follows from the request and from what the key recorded. */
static void
entry_of_repeat(const struct sending *s, const struct idempotency *i, struct entry *entry_r)
{
    *entry_r = (struct entry){
        .id = i->entry,
        .uid = i->uid,
        .conversation = s->c.uid,
        .n = i->n,
        .kind = ENTRY_SAID,
        .author = s->user,
        .content = s->in->content,
        .at_ms = i->at_ms,
        .reply_to = s->in->reply_to,
    };
}

/* *repeat_r: this key was used before, for the same request; entry_r is filled in. */
static enum err
look_up_key(struct sending *s, bool *repeat_r, struct entry *entry_r)
{
    struct store store = op_store(s->o);
    struct idempotency known;
    enum err e;

    *repeat_r = false;
    if (s->in->key == NULL)
        return ERR_OK;
    e = store_idempotency_find(&store, s->c.key, s->user, s->in->key, &known);
    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    if (e != ERR_OK)
        return e;
    if (memcmp(known.request, s->in->request_hash, HASH_SIZE) != 0)
        return err_fail(s->o->fail, ERR_KEY_REUSED, NULL, "%s", err_text(ERR_KEY_REUSED));
    entry_of_repeat(s, &known, entry_r);
    *repeat_r = true;
    return ERR_OK;
}

static enum err
remember_key(struct sending *s, const struct entry *entry)
{
    struct store store = op_store(s->o);
    struct idempotency i = {
        .request = s->in->request_hash,
        .entry = entry->id, .uid = entry->uid, .n = entry->n, .at_ms = entry->at_ms,
    };

    return s->in->key == NULL
               ? ERR_OK
               : store_idempotency_insert(&store, s->c.key, s->user, s->in->key, &i);
}

static enum err
insert_message(struct sending *s, struct entry *entry_r)
{
    struct store store = op_store(s->o);
    struct entry answered = { 0 };
    enum err e;

    if (s->in->reply_to.given
        && (e = rights_entry(s->o, &s->c, &s->in->reply_to, ERR_REFERENCE, &answered)) != ERR_OK)
        return e;
    *entry_r = (struct entry){
        .conversation = s->c.uid,
        .kind = ENTRY_SAID,
        .author = s->user,
        .content = s->in->content,
        .reply_to = s->in->reply_to,
    };
    return store_entry_insert(&store, s->c.key, answered.id, entry_r);
}

/* A new message brings the conversation back to whoever had archived it. */
static enum err
unarchive_all(struct sending *s)
{
    struct store store = op_store(s->o);
    struct notice n = { .kind = EVENT_UNARCHIVED, .conversation = s->c.uid };
    const char **users;
    size_t n_users;
    enum err e = store_member_unarchive_all(&store, s->c.key, &users, &n_users);

    for (size_t i = 0; e == ERR_OK && i < n_users; i++)
        users[i] = tx_user_channel(s->o, users[i]);
    if (e == ERR_OK && n_users > 0)
        tx_event(s->o, &n, users, n_users);
    return e;
}

/* Whoever writes has read. His other tabs learn it when there was something unread. */
static enum err
read_by_sending(struct sending *s, const struct entry *entry, bool *had_unread_r)
{
    struct store store = op_store(s->o);
    enum err e;

    *had_unread_r = false;
    e = store_member_unread(&store, s->c.key, s->user, s->me.unread_n, entry->n, had_unread_r);
    return e == ERR_OK ? store_member_set_read(&store, s->c.key, s->user, entry->n) : e;
}

static enum err
send_message(struct sending *s, struct entry *entry_r)
{
    struct notice said = { .kind = EVENT_ENTRY_NEW, .conversation = s->c.uid, .entry = entry_r,
                           .client_key = s->in->client_key };
    struct notice read = { .kind = EVENT_READ, .conversation = s->c.uid, .user = s->user };
    bool had_unread;
    enum err e;

    if ((e = insert_message(s, entry_r)) != ERR_OK
        || (e = unarchive_all(s)) != ERR_OK
        || (e = read_by_sending(s, entry_r, &had_unread)) != ERR_OK
        || (e = remember_key(s, entry_r)) != ERR_OK)
        return e;
    tx_event_on(s->o, &said, s->channel);
    read.read = entry_r->uid;
    if (had_unread)
        tx_event_on(s->o, &read, s->channel);
    return ERR_OK;
}

enum err
op_message_send(struct op *o, const char *user, const struct id *conversation,
                const struct message_new *in, enum err content_verdict, struct entry *entry_r)
{
    struct sending s = { .o = o, .user = user, .in = in };
    bool repeat;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = rights_conversation(o, conversation, ERR_NO_CONVERSATION, &s.c)) != ERR_OK
        || (e = look_up_key(&s, &repeat, entry_r)) != ERR_OK || repeat
        || (e = rights_member(o, &s.c, user, &s.me)) != ERR_OK
        || (e = content_verdict) != ERR_OK)
        goto out;
    s.channel = tx_channel(o, &s.c.uid);
    e = send_message(&s, entry_r);
out:
    return tx_end(o, e);
}

/* ---- changing ---- */

/* The entry, when user may change it. */
static enum err
own_entry(struct op *o, const char *user, const struct id *conversation, const struct id *entry,
          struct conversation *c_r, struct entry *e_r)
{
    struct member_state me;
    enum err e;

    if ((e = rights_conversation(o, conversation, ERR_NO_ENTRY, c_r)) != ERR_OK
        || (e = rights_entry(o, c_r, entry, ERR_NO_ENTRY, e_r)) != ERR_OK
        || (e = rights_member(o, c_r, user, &me)) != ERR_OK)
        return e;
    if (e_r->kind != ENTRY_SAID || strcmp(e_r->author, user) != 0)
        return err_fail(o->fail, ERR_NOT_AUTHOR, NULL, "%s", err_text(ERR_NOT_AUTHOR));
    return ERR_OK;
}

enum err
op_message_edit(struct op *o, const char *user, const struct id *conversation,
                const struct id *entry, const char *content, enum err content_verdict,
                struct entry *entry_r)
{
    struct store store = op_store(o);
    struct conversation c;
    struct notice n = { .kind = EVENT_ENTRY_EDITED, .conversation = *conversation,
                        .entry = entry_r };
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = own_entry(o, user, conversation, entry, &c, entry_r)) != ERR_OK
        || (e = content_verdict) != ERR_OK
        || (e = store_entry_edit(&store, entry_r->id, content)) != ERR_OK)
        goto out;
    entry_r->content = content;
    entry_r->edited_ms = o->now_ms;
    tx_event_on(o, &n, tx_channel(o, &c.uid));
out:
    return tx_end(o, e);
}

enum err
op_message_delete(struct op *o, const char *user, const struct id *conversation,
                  const struct id *entry)
{
    struct store store = op_store(o);
    struct conversation c;
    struct entry gone;
    struct notice n = { .kind = EVENT_ENTRY_DELETED, .conversation = *conversation, .entry = &gone };
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = own_entry(o, user, conversation, entry, &c, &gone)) != ERR_OK
        || (e = store_entry_delete(&store, gone.id)) != ERR_OK
        || (e = store_conversation_fall_back(&store, c.key)) != ERR_OK
        || (e = eventlog_erase(o->db, o->arena, gone.id)) != ERR_OK)
        goto out;
    tx_event_on(o, &n, tx_channel(o, &c.uid));
out:
    return tx_end(o, e);
}

/* ---- reading ---- */

/* Sets the position to n and tells everybody, unless that changes nothing anybody can see. */
static enum err
move_position(struct op *o, const struct conversation *c, const char *user,
              const struct member_state *me, int64_t n)
{
    struct store store = op_store(o);
    struct notice notice = { .kind = EVENT_READ, .conversation = c->uid, .user = user };
    bool forward = n > me->unread_n, count_moves = false;
    enum err e = store_member_unread(&store, c->key, user, forward ? me->unread_n : n,
                                     forward ? n : me->unread_n, &count_moves);

    if (e != ERR_OK)
        return e;
    if (me->has_read && me->read_n == n && !count_moves)
        return ERR_OK;
    if ((e = store_member_set_read(&store, c->key, user, n)) == ERR_OK
        && (e = store_entry_at(&store, c->key, n, &notice.read)) == ERR_OK)
        tx_event_on(o, &notice, tx_channel(o, &c->uid));
    return e;
}

enum err
op_read(struct op *o, const char *user, const struct id *conversation, const struct id *entry)
{
    struct conversation c;
    struct member_state me;
    struct entry read;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = rights_conversation(o, conversation, ERR_NO_CONVERSATION, &c)) != ERR_OK
        || (e = rights_member(o, &c, user, &me)) != ERR_OK
        || (e = rights_entry(o, &c, entry, ERR_REFERENCE, &read)) != ERR_OK)
        goto out;
    e = move_position(o, &c, user, &me,
                      me.has_read && me.read_n > read.n ? me.read_n : read.n);
out:
    return tx_end(o, e);
}
