/* channel_presence - who is in a channel: told to the store, to those inside, and to the application
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/mem.h"
#include "relay/push/channel.h"
#include "relay/push/subscription_private.h"
#include "relay/push/tail.h"

#define LINE_MAX_BYTES (1u << 20)

/* How often one user is in a channel. */
struct channel_user {
    struct strmap_node node;        /* key: its id */
    size_t n;
};

/* ---- hooks ---- */

static void
tell(struct channel *ch, enum hook_kind kind, const struct subscription *s)
{
    bool of_user = kind == HOOK_FIRST_JOIN || kind == HOOK_LAST_LEAVE;

    hook_tell(ch->push->hook, &(struct hook_event){ .kind = kind, .channel = hub_name(ch->hub),
                                                    .user = of_user ? client_user_id(s->client) : NULL,
                                                    .client = of_user ? s->client->id : NULL });
}

static struct strmap *
users(struct channel *ch)
{
    if (!ch->users) {
        ch->users = mem_new(sizeof *ch->users);
        strmap_init(ch->users);
    }
    return ch->users;
}

static void
hook_in(struct channel *ch, struct subscription *s)
{
    const char *user = client_user_id(s->client);
    struct strmap_node *node = strmap_find(users(ch), user);
    struct channel_user *u;

    s->hooked = true;
    if (ch->n_hooked++ == 0)
        tell(ch, HOOK_OCCUPIED, s);
    if (node) {
        STRMAP_OF(node, struct channel_user, node)->n++;
        return;
    }
    u = mem_new(sizeof *u);
    u->node.key = mem_string(user);
    u->n = 1;
    strmap_add(ch->users, &u->node);
    tell(ch, HOOK_FIRST_JOIN, s);
}

static void
hook_out(struct channel *ch, const struct subscription *s)
{
    struct strmap_node *node = strmap_find(ch->users, client_user_id(s->client));
    struct channel_user *u = STRMAP_OF(node, struct channel_user, node);

    if (--u->n == 0) {
        strmap_remove(ch->users, node);
        free((char *)u->node.key);
        free(u);
        tell(ch, HOOK_LAST_LEAVE, s);
    }
    if (--ch->n_hooked == 0)
        tell(ch, HOOK_VACATED, s);
}

/* ---- join and leave ---- */

/* Best effort: one who is behind is spared. */
static bool
hears(const struct subscription *s, int slow)
{
    return s->joins && s->announced && s->client->conn
           && (slow == SLOW_CLOSE || !conn_behind(s->client->conn));
}

static struct frame *
write_frame(const struct channel *ch, const struct subscription *s, bool bare, bool leave)
{
    struct sbuf b;
    struct frame *f;

    sbuf_init(&b, LINE_MAX_BYTES);
    reply_join(&b, bare, hub_name(ch->hub), subscription_info(s), leave);
    f = b.failed ? NULL : frame_text(b.data, b.len);
    sbuf_fini(&b);
    return f;
}

static void
emit(struct channel *ch, const struct subscription *s, const struct channel_options *o, bool leave)
{
    struct frame *forms[2] = { NULL, NULL };
    int slow = o ? o->slow : SLOW_CLOSE;

    for (size_t i = 0; ch->n_hearers > 0 && i < hub_count(ch->hub); i++) {
        const struct subscription *t = subscription_of(hub_at(ch->hub, i));
        bool bare = t->client->bare;

        if (!hears(t, slow))
            continue;
        if (!forms[bare])
            forms[bare] = write_frame(ch, s, bare, leave);
        if (forms[bare])
            client_send_frame(t->client, forms[bare]);
    }
    frame_unref(forms[0]);
    frame_unref(forms[1]);
}

static void
show(const struct channel *ch, const struct subscription *s, enum tail_kind kind)
{
    struct push *p = ch->push;

    if (tail_watched(p))
        tail_tell(p, &(struct tail_event){ .kind = kind, .channel = hub_name(ch->hub),
                                           .user = client_user_id(s->client),
                                           .client = s->client->id, .info = subscription_info(s) });
}

void
channel_join(struct subscription *s)
{
    struct channel *ch = channel_of(s);
    struct push *p = ch->push;
    const char *name = hub_name(ch->hub);
    const struct channel_options *o = channel_options(p, name);

    if (s->presence) {
        s->presence->client = s->client->id;
        s->presence->user = client_user_id(s->client);
        s->presence->info = subscription_info(s);
        p->store->calls->join(p->store, name, s->presence);
    }
    if (o && o->hooks)
        hook_in(ch, s);
    s->announced = true;
    ch->n_hearers += s->joins;
    if (s->emits) {
        emit(ch, s, o, false);
        show(ch, s, TAIL_JOIN);
    }
}

void
channel_leave(struct channel *ch, struct subscription *s)
{
    struct push *p = ch->push;

    if (s->presence)
        p->store->calls->leave(p->store, s->presence);
    if (s->hooked)
        hook_out(ch, s);
    ch->n_hearers -= s->joins;
    if (s->emits) {
        emit(ch, s, channel_options(p, hub_name(ch->hub)), true);
        show(ch, s, TAIL_LEAVE);
    }
}
