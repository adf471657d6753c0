/* client_user - clients by id and by user, and what others are told of them
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/client_private.h"

#include "relay/mem.h"
#include "relay/push/subscription.h"

#define INFO_MAX (64u << 20)

bool
client_register(struct push_client *c, const char *user)
{
    struct push *p = c->push;
    int64_t most = p->config->push_clients_per_user;
    struct strmap_node *node = strmap_find(&p->users, user);
    struct client_user *u = node ? STRMAP_OF(node, struct client_user, node) : NULL;

    if (u && *user && most && u->n >= most)
        return false;
    if (!u) {
        u = mem_new(sizeof *u);
        u->node.key = mem_string(user);
        strmap_add(&p->users, &u->node);
    }
    u->n++;
    c->user = u;
    c->next = u->clients;
    if (c->next)
        c->next->prev = c;
    u->clients = c;
    c->by_id.key = c->id;
    strmap_add(&p->clients, &c->by_id);
    p->n_clients++;
    return true;
}

void
client_unregister(struct push_client *c)
{
    struct client_user *u = c->user;
    struct push *p = c->push;

    if (!u)
        return;
    strmap_remove(&p->clients, &c->by_id);
    p->n_clients--;
    if (c->prev)
        c->prev->next = c->next;
    else
        u->clients = c->next;
    if (c->next)
        c->next->prev = c->prev;
    if (--u->n == 0) {
        strmap_remove(&p->users, &u->node);
        free((char *)u->node.key);
        free(u);
    }
    c->user = NULL;
}

void
client_set_info(struct push_client *c, const char *info)
{
    char *before = c->client_info;
    struct sbuf b;

    sbuf_init(&b, INFO_MAX);
    reply_client_info(&b, client_user_id(c), c->id, info, NULL);
    c->client_info = mem_string(sbuf_str(&b));
    sbuf_fini(&b);
    for (struct subscription *s = c->subscriptions; s; s = s->next)
        if (s->presence && s->presence->info == before)
            s->presence->info = c->client_info;
    free(before);
    if (info == c->info)
        return;
    free(c->info);
    c->info = info ? mem_string(info) : NULL;
}
