/* op_pair - what the two of a chat do: write, read, look back
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/chat/pair_private.h"

enum err
pair_state(struct op *o, const char *chat, const char *user, struct pair_state *p_r)
{
    struct store s = op_store(o);
    enum err e = store_pair_state(&s, chat, user, p_r);

    /* that there is one, for others, is not told */
    return e == ERR_NOT_FOUND ? err_fail(o->fail, ERR_NO_CONVERSATION, "chatId", "no such chat") : e;
}

/* ---- telling ---- */

/* One event for each, since each has a view of his own. */
static void
tell_both(struct op *o, enum event_kind kind, const struct pair_view views[2])
{
    for (int i = 0; i < 2; i++) {
        struct pair_notice said = { &views[i] };
        struct notice n = { .kind = kind, .pair = &said };

        tx_event_on(o, &n, tx_user_channel(o, views[1 - i].other.user));
    }
}

enum err
pair_tell(struct op *o, const struct pair_view *mine, unsigned what)
{
    struct store s = op_store(o);
    struct pair_view views[2] = { *mine };
    enum err e;

    if (what == 0)
        return ERR_OK;
    if ((e = store_pair_view(&s, mine->key, mine->other.user, &views[1])) != ERR_OK)
        return e;
    views[1].messages = mine->messages;
    views[1].n_messages = mine->n_messages;
    if (what & PAIR_TELL_CHANGE)
        tell_both(o, EVENT_PAIR_CHANGED, views);
    if (what & PAIR_TELL_UNREAD)
        tell_both(o, EVENT_PAIR_UNREAD, views);
    return ERR_OK;
}

/* ---- writing ---- */

/* Only photos that were given to us to keep, where the settings ask for that. */
static enum err
check_photos(struct op *o, const struct list *photos)
{
    const char *const *names = photos->items;
    struct store s = op_store(o);
    struct photo found;
    enum err e = ERR_OK;

    if (!o->config->eventchat_check_photos)
        return ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < photos->n; i++)
        e = store_photo_find(&s, names[i], &found);
    return e == ERR_NOT_FOUND ? err_fail(o->fail, ERR_NO_ATTACHMENT, NULL, "no such photo") : e;
}

enum err
pair_write(struct op *o, int64_t key, const char *from, const char *to,
           const struct pair_message_new *in, struct pair_message *m_r)
{
    struct store s = op_store(o);
    enum err e;

    *m_r = (struct pair_message){ .text = in->text, .photos = in->all, .from = from, .to = to };
    if ((e = check_photos(o, &in->all)) != ERR_OK)
        return e;
    return store_pair_message_insert(&s, key, m_r);
}

enum err
op_pair_send(struct op *o, const char *user, const char *chat, const struct pair_message_new *in,
             struct pair_message *m_r)
{
    struct store s = op_store(o);
    struct pair_state p;
    struct pair_view v;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = pair_state(o, chat, user, &p)) != ERR_OK
        || (e = pair_write(o, p.key, user, p.other, in, m_r)) != ERR_OK
        || (e = store_pair_view(&s, p.key, user, &v)) != ERR_OK)
        goto out;
    v.messages = m_r;
    v.n_messages = 1;
    e = pair_tell(o, &v, PAIR_TELL_CHANGE | PAIR_TELL_UNREAD);
out:
    return tx_end(o, e);
}

/* ---- reading ---- */

/* Would reading up to n change anything? v_r: the chat as it is. */
static enum err
look(struct op *o, const char *user, const char *chat, int64_t n, struct pair_view *v_r,
     bool *change_r)
{
    struct store s = op_store(o);
    struct pair_state p;
    enum err e;

    *change_r = false;
    if ((e = pair_state(o, chat, user, &p)) != ERR_OK)
        return e;
    if (n > p.last_n)
        return err_fail(o->fail, ERR_NO_ENTRY, "lastReadedMessageId",
                        "the newest message is number %lld", (long long)p.last_n);
    if (n > p.read_n
        && (e = store_member_unread(&s, p.key, user, p.read_n, n, change_r)) != ERR_OK)
        return e;
    return store_pair_view(&s, p.key, user, v_r);
}

static enum err
advance(struct op *o, const char *user, int64_t n, struct pair_view *v)
{
    struct store s = op_store(o);
    enum err e;

    if ((e = store_member_set_read(&s, v->key, user, n)) != ERR_OK
        || (e = store_pair_view(&s, v->key, user, v)) != ERR_OK)
        return e;
    return pair_tell(o, v, PAIR_TELL_UNREAD);
}

/* Each of a user's windows says what it has read, so mostly there is nothing to change: that is found
 * out without taking the writers' turn. */
enum err
op_pair_read(struct op *o, const char *user, const char *chat, int64_t n,
             struct pair_counts *counts_r, bool *changed_r)
{
    struct pair_view v;
    enum err e;

    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    e = db_end(o->db, look(o, user, chat, n, &v, changed_r));
    if (e == ERR_OK && *changed_r) {
        if ((e = tx_begin(o)) != ERR_OK)
            return e;
        if ((e = look(o, user, chat, n, &v, changed_r)) == ERR_OK && *changed_r)
            e = advance(o, user, n, &v);
        e = tx_end(o, e);
    }
    if (e == ERR_OK)
        *counts_r = v.unread;
    return e;
}

/* One more than a page is read, to tell whether there is more. */
enum err
op_pair_history(struct op *o, const char *user, const char *chat, int64_t before,
                struct pair_history *h_r)
{
    struct store s = op_store(o);
    struct pair_state p;
    enum err e;

    *h_r = (struct pair_history){ 0 };
    if ((e = db_begin_read(o->db)) != ERR_OK)
        return e;
    if ((e = pair_state(o, chat, user, &p)) == ERR_OK) {
        const char *parties[2] = { user, p.other };

        e = store_pair_messages(&s, p.key, parties, before, PAIR_PAGE + 1, &h_r->messages, &h_r->n);
    }
    if (h_r->n > PAIR_PAGE) {
        h_r->more = true;
        h_r->messages++;
        h_r->n--;
    }
    return db_end(o->db, e);
}

/* ---- listing ---- */

enum err
pair_list(struct op *o, const char *user, struct pair_view **list_r, size_t *n_r)
{
    struct store s = op_store(o);
    enum err e = store_pair_list(&s, user, list_r, n_r);

    for (size_t i = 0; e == ERR_OK && i < *n_r; i++) {
        struct pair_view *v = &(*list_r)[i];
        const char *parties[2] = { user, v->other.user };

        e = store_pair_messages(&s, v->key, parties, INT64_MAX, PAIR_PAGE, &v->messages,
                                &v->n_messages);
    }
    return e;
}

enum err
op_pair_list(struct op *o, const char *user, struct pair_view **list_r, size_t *n_r)
{
    enum err e = db_begin_read(o->db);

    return e != ERR_OK ? e : db_end(o->db, pair_list(o, user, list_r, n_r));
}
