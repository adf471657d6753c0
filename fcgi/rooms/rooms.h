/* rooms - the REST side of rooms, as docs/api/rooms.md says it
 *
 * One file for each group of endpoints, all listed in routes.c. A handler finds the caller in
 * ROOMS_ACTOR(q), the ids of the path in ROOMS_PATH(q) and its input in q->in. An id that no row can
 * have is FIELD_NO_ROW, which no operation finds.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FCGI_ROOMS_ROOMS_H
#define FCGI_ROOMS_ROOMS_H

#include "fcgi/req.h"
#include "fcgi/router.h"
#include "shared/chat/op_room.h"
#include "shared/field.h"

extern const struct edge rooms_edge;

/* What the path of a route may name; its table stands in routes.c. 0: the route has none. */
struct rooms_path {
    int64_t room, agent, plan;
    int64_t key;                    /* of a runner */
    int64_t template;               /* a default agent */
};

#define ROOMS_PATH(q) ((const struct rooms_path *)(q)->path)

/* Who calls: q->caller, NULL for nobody. */
struct rooms_caller {
    struct room_actor actor;
    struct account account;         /* of a user */
};

#define ROOMS_CALLER(q) ((const struct rooms_caller *)(q)->caller)
#define ROOMS_ACTOR(q) (&ROOMS_CALLER(q)->actor)

/* Limits of the contract, in code points unless said otherwise. */
enum {
    ROOMS_EMAIL_MIN = 3,
    ROOMS_EMAIL_MAX = 254,
    ROOMS_PASSWORD_MIN = 8,
    ROOMS_PASSWORD_MAX = 256,
    ROOMS_USERNAME_MAX = 64,
    ROOMS_NAME_MAX = 120,
    ROOMS_DESCRIPTION_MAX = 2000,
    ROOMS_AGENT_NAME_MAX = 80,
    ROOMS_CHARACTER_MAX = 8000,
    ROOMS_AVATAR_MAX = 2048,
    ROOMS_TEXT_MAX = 10000,
    ROOMS_EVENT_MAX = 4000,
    ROOMS_EVENT_TYPE_MAX = 64,
    ROOMS_EVENT_AGENTS_MAX = 1000,  /* ids in one request */
    ROOMS_MEMORY_MAX = 2000,
    ROOMS_PLAN_MAX = 1000,
    ROOMS_KEY_NAME_MAX = 80,
    ROOMS_WEBHOOK_URL_MAX = 2048,
    ROOMS_IDEMPOTENCY_KEY_MAX = 128,
    ROOMS_PAGE_MAX = 100,
    ROOMS_PAGE_DEFAULT = 20,
    ROOMS_RUNNER_PAGE_DEFAULT = 50,
    ROOMS_PREVIEW_MAX = 80,         /* of a default agent's character */
};

/* ---- envelope.c ---- */

/* Error e in rooms' words. */
void rooms_write_error(struct request *q, struct reply *r, const struct route *route, enum err e);

/* ---- auth.c ---- */

enum err rooms_authenticate(struct request *q, const struct route *route,
                            const struct target *target);
/* Is the room of the path one that the caller may know, its agent in it, its plan one of his? */
enum err rooms_admit(struct request *q);
/* Reads of one user. */
enum err rooms_limit(struct request *q, struct reply *r, const struct route *route);
/* Idempotency-Key into *key_r, NULL when there is none. */
enum err rooms_idempotency_key(struct request *q, const char **key_r);

/* ---- entries.c ---- */

/* {"messages":[...],"hasMore":...} */
void rooms_write_page(struct sbuf *out, const struct room_page *page);

/* ---- handlers, by file ---- */

/* accounts.c */
route_handler rooms_register, rooms_login, rooms_refresh, rooms_me;
/* spaces.c */
route_handler rooms_list, rooms_create, rooms_get, rooms_change, rooms_set_speed, rooms_delete,
    rooms_start, rooms_stop;
/* agents.c */
route_handler rooms_list_agents, rooms_add_agent, rooms_get_agent, rooms_remove_agent,
    rooms_list_memories, rooms_list_plans, rooms_list_own_agents;
/* entries.c */
route_handler rooms_say, rooms_list_messages, rooms_feed, rooms_happen, rooms_broadcast;
/* relations.c */
route_handler rooms_get_graph, rooms_relate, rooms_model, rooms_emotions, rooms_context;
/* templates.c */
route_handler rooms_list_templates, rooms_get_template;
/* keys.c */
route_handler rooms_create_key, rooms_list_keys, rooms_delete_key;
/* runner.c */
route_handler rooms_runner_get, rooms_runner_messages, rooms_runner_say, rooms_runner_remember,
    rooms_runner_plan, rooms_runner_change_plan, rooms_runner_mood;
/* about.c */
route_handler rooms_about, rooms_test_database, rooms_usage;

#endif
