/* conversations - its JSON, written from the core's structs
 *
 * Objects as docs/api/conversations.md names them. Bodies of events: {"event":NAME,"data":PAYLOAD}, with
 * exactly the keys of that document. What is said in the chat of all has a writer of its own, which is
 * given no author.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_WIRE_CONVERSATIONS_H
#define SHARED_WIRE_CONVERSATIONS_H

#include "shared/chat/group.h"
#include "shared/sbuf.h"

/* Message of a group: id, name, avatar, user_id, message, time. */
void conversations_write_message(struct sbuf *out, const struct group_message *m);

/* Message of the chat of all: id, message, time. */
void conversations_write_global(struct sbuf *out, const struct global_message *m);

/* Conversation of a list. */
void conversations_write_group(struct sbuf *out, const struct group *g);

/* {"user_id","name","avatar"}: a member, a profile. */
void conversations_write_profile(struct sbuf *out, const struct profile *p);

#endif
