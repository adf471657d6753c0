/* rooms - its JSON, written from the core's structs
 *
 * Objects as docs/api/rooms.md names them; all fields always, ids as decimal texts, times with
 * milliseconds and Z. Frames: {"type","payload"}.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_WIRE_ROOMS_H
#define SHARED_WIRE_ROOMS_H

#include "shared/chat/op_room.h"
#include "shared/event.h"
#include "shared/sbuf.h"

/* ---- objects of answers ---- */

void rooms_write_auth(struct sbuf *out, const struct auth *auth);     /* NULL texts are written as "" */
void rooms_write_room(struct sbuf *out, const struct room *room);
void rooms_write_mood(struct sbuf *out, enum mood mood, double level);
void rooms_write_agent(struct sbuf *out, const struct agent *agent);
/* Agent with its character: what runners get. */
void rooms_write_agent_for_runner(struct sbuf *out, const struct agent *agent);
void rooms_write_agent_full(struct sbuf *out, const struct agent_full *full);
void rooms_write_memory(struct sbuf *out, const struct memory *memory);
void rooms_write_plan(struct sbuf *out, const struct plan *plan);
/* Message: the answer of a POST and the payload of a frame. */
void rooms_write_message(struct sbuf *out, const struct room_entry *entry);
/* ListMsg, without agentResponse. */
void rooms_write_list_message(struct sbuf *out, const struct room_entry *entry);
/* Event of an answer. */
void rooms_write_event(struct sbuf *out, const struct room_entry *entry);
/* Message or event of the feed, with its "type". */
void rooms_write_feed_item(struct sbuf *out, const struct room_entry *entry);
/* {"from","to","sympathyLevel"}; with_name: and "agentName":null behind "to". */
void rooms_write_edge(struct sbuf *out, const struct room_edge *edge, bool with_name);
/* key and webhookSecret only when they were just made. */
void rooms_write_runner_key(struct sbuf *out, const struct runner_key *key);

/* An id as decimal text, as a value. 0 is null. */
void rooms_write_id(struct sbuf *out, int64_t id);
void rooms_kv_id(struct sbuf *out, const char *name, int64_t id);

/* ---- frames ---- */

/* The first frame of a socket. room 0: a runner of all rooms. */
void rooms_write_connected(struct sbuf *out, enum room_socket kind, int64_t room);

/* Ready payloads. */
#define ROOMS_PONG "{\"type\":\"pong\",\"payload\":{}}"

/* An event as chat and graph sockets get it is its body as it stands. As a runner gets it:
 * with roomId first in its payload. */
void rooms_write_runner_frame(struct sbuf *out, const struct event *e);

/* A message as that would be, of an entry rather than an event: what webhooks are told. */
void rooms_write_runner_message(struct sbuf *out, int64_t room, const struct room_entry *entry);

/* "message", "event", "edge_update", "orchestration": the type of an event's frame, for log
 * lines. */
const char *rooms_frame_type(const struct event *e);

#endif
