/* room_private - what the operations of rooms share: rights, and telling
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_CHAT_ROOM_PRIVATE_H
#define SHARED_CHAT_ROOM_PRIVATE_H

#include "shared/chat/op_room.h"
#include "shared/chat/rights.h"
#include "shared/chat/tx.h"
#include "shared/store/store_room.h"

/* ---- rights (room_rights.c): each fills o->fail when it refuses ---- */

/* The room, if it is there and the actor may know it; else ERR_NOT_FOUND. */
enum err room_rights(struct op *o, const struct room_actor *who, int64_t id, struct room *room_r);

/* And an agent in it. */
enum err room_rights_agent(struct op *o, const struct room_actor *who, int64_t room, int64_t agent,
                           struct agent *agent_r);

/* ERR_RULE with a sentence. */
enum err room_rule(struct op *o, const char *why);

/* ---- keys of runners (op_runner.c) ---- */

/* Whose key that is, by one read; *k_r is filled in for ACTOR_RUNNER. ERR_UNAUTHORIZED. */
enum err room_key_find(struct op *o, const char *key, struct runner_key *k_r,
                       struct room_actor *who_r);

/* Notes, in a transaction of its own, that it was used, unless that was noted a moment ago.
 * Whether it can be noted concerns no caller. */
void room_key_used(struct op *o, const struct runner_key *k);

/* ---- inside a write transaction ---- */

/* Closes what op_room_delete says and removes the room with all in it (op_room.c). */
enum err room_remove(struct op *o, int64_t room);

/* Tells of a room's event on those of its channels (room_rights.c). */
void room_tell_entry(struct op *o, int64_t room, const struct room_entry *e);
void room_tell_edge(struct op *o, int64_t room, const struct room_edge *edge);
void room_tell_run(struct op *o, const struct room *room);

/* Writes down for each webhook of the room that it is to be told of a message of the user's; of others not
 * (op_webhook.c). */
enum err room_tell_webhooks(struct op *o, int64_t room, const struct room_entry *e);

#endif
