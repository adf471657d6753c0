/* op_pair_open - how chats come to be, become requests, and are granted
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "shared/chat/pair_private.h"
#include "shared/opaque.h"

/* Nothing that was said before they were in it can be unread or not: there is nothing yet. */
static enum err
insert_members(struct op *o, int64_t key, const char *applicant, const char *owner)
{
    const struct member_new members[] = { { .user = applicant }, { .user = owner } };
    struct store s = op_store(o);
    enum err e = ERR_OK;

    for (int i = 0; e == ERR_OK && i < 2; i++)
        e = store_member_insert(&s, key, &members[i], JOINED_ADDED, true);
    return e;
}

static enum err
make(struct op *o, const struct meeting *m, const char *applicant, bool request, int64_t *key_r)
{
    struct store s = op_store(o);
    struct conversation c = {
        .uid = id_new(o->now_ms), .created_by = applicant, .created_ms = o->now_ms,
    };
    enum err e;

    if ((e = store_conversation_insert(&s, &c)) != ERR_OK
        || (e = insert_members(o, c.key, applicant, m->owner)) != ERR_OK)
        return e;
    *key_r = c.key;
    return store_pair_insert(&s, c.key, opaque_new(o->arena, ""), m->id, applicant, request);
}

/* An existing chat becomes a request, unless it is one. */
static enum err
request_again(struct op *o, int64_t key, const char *user)
{
    struct store s = op_store(o);
    struct pair_view v;
    enum err e = store_pair_view(&s, key, user, &v);

    if (e != ERR_OK)
        return e;
    if (v.requested)
        return err_fail(o->fail, ERR_REQUESTED, NULL, "the request exists already");
    return store_pair_request(&s, key);
}

static enum err
find_meeting(struct op *o, const char *user, int64_t id, struct meeting *m_r)
{
    struct store s = op_store(o);
    enum err e = store_meeting_find(&s, id, m_r);

    if (e == ERR_NOT_FOUND)
        return err_fail(o->fail, ERR_NO_MEETING, NULL, "no such event");
    if (e == ERR_OK && strcmp(m_r->owner, user) == 0)
        return err_fail(o->fail, ERR_OWN_MEETING, NULL, "the event is your own");
    return e;
}

/* The chat's key; *what_r grows by what has to be told. */
static enum err
find_or_make(struct op *o, const struct meeting *m, const char *user, bool request, int64_t *key_r,
             unsigned *what_r, bool *made_r)
{
    struct store s = op_store(o);
    enum err e = store_pair_of_applicant(&s, m->id, user, key_r);

    if (e == ERR_NOT_FOUND) {
        *made_r = true;
        *what_r |= PAIR_TELL_CHANGE;
        return make(o, m, user, request, key_r);
    }
    if (e != ERR_OK || !request)
        return e;
    *what_r |= PAIR_TELL_CHANGE;
    return request_again(o, *key_r, user);
}

enum err
op_pair_open(struct op *o, const char *user, int64_t meeting, const struct pair_open *in,
             struct pair_view *view_r, bool *made_r)
{
    struct pair_message *said = arena_alloc(o->arena, sizeof *said);
    struct store s = op_store(o);
    unsigned what = 0;
    struct meeting m;
    int64_t key;
    enum err e;

    *made_r = false;
    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = find_meeting(o, user, meeting, &m)) != ERR_OK
        || (e = find_or_make(o, &m, user, in->request, &key, &what, made_r)) != ERR_OK)
        goto out;
    if (in->message != NULL) {
        what |= PAIR_TELL_CHANGE | PAIR_TELL_UNREAD;
        if ((e = pair_write(o, key, user, m.owner, in->message, said)) != ERR_OK)
            goto out;
    }
    if ((e = store_pair_view(&s, key, user, view_r)) != ERR_OK)
        goto out;
    view_r->messages = said;
    view_r->n_messages = in->message != NULL;
    e = pair_tell(o, view_r, what);
out:
    return tx_end(o, e);
}

/* ---- granting ---- */

static enum err
may_grant(struct op *o, const char *user, const struct pair_view *v)
{
    if (strcmp(v->meeting.owner, user) != 0)
        return err_fail(o->fail, ERR_FORBIDDEN, NULL, "only the owner of the event may do that");
    if (!v->requested)
        return err_fail(o->fail, ERR_NOT_REQUESTED, NULL, "the chat is not a request");
    return ERR_OK;
}

enum err
op_pair_grant(struct op *o, const char *user, const char *chat, bool granted,
              struct pair_view *view_r)
{
    struct store s = op_store(o);
    struct pair_state p;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = pair_state(o, chat, user, &p)) != ERR_OK
        || (e = store_pair_view(&s, p.key, user, view_r)) != ERR_OK
        || (e = may_grant(o, user, view_r)) != ERR_OK
        || view_r->granted == granted)
        goto out;
    view_r->granted = granted;
    if ((e = store_pair_grant(&s, p.key, granted)) == ERR_OK)
        e = pair_tell(o, view_r, PAIR_TELL_CHANGE);
out:
    return tx_end(o, e);
}
