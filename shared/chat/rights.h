/* rights - what operations ask first: does it exist, may he
 *
 * Every function fills o->fail when it refuses.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_CHAT_RIGHTS_H
#define SHARED_CHAT_RIGHTS_H

#include "shared/chat/op.h"
#include "shared/store/store.h"

/* Where an operation's rows are. */
struct store op_store(const struct op *o);

/* The conversation, or missing (ERR_NO_CONVERSATION, ERR_NOT_MEMBER, ERR_NO_ENTRY: what
 * a caller is told when there is none). */
enum err rights_conversation(struct op *o, const struct id *uid, enum err missing,
                             struct conversation *c_r);

/* The user's own row, or ERR_NOT_MEMBER. */
enum err rights_member(struct op *o, const struct conversation *c, const char *user,
                       struct member_state *m_r);

/* An entry of the conversation, or missing. */
enum err rights_entry(struct op *o, const struct conversation *c, const struct id *uid,
                      enum err missing, struct entry *e_r);

#endif
