/* group_private - what the operations of groups share: rights, and telling
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_CHAT_GROUP_PRIVATE_H
#define SHARED_CHAT_GROUP_PRIVATE_H

#include "shared/chat/group.h"
#include "shared/chat/rights.h"
#include "shared/chat/tx.h"
#include "shared/store/store_group.h"

/* Inside a transaction (op_group.c): he has a socket, and the group is there. */
enum err group_enter(struct op *o, const char *user, int64_t group, struct group_place *place_r);

/* e with its own sentence. */
enum err group_refuse(struct op *o, enum err e);

/* Inside a write transaction, to its members and viewers: how many look on now (op_group_view.c). */
enum err group_tell_viewers(struct op *o, int64_t group);

#endif
