/* pair_private - what the operations of event chat share: rights, writing, telling
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_CHAT_PAIR_PRIVATE_H
#define SHARED_CHAT_PAIR_PRIVATE_H

#include "shared/chat/pair.h"
#include "shared/chat/rights.h"
#include "shared/chat/tx.h"
#include "shared/store/store_pair.h"

/* Where user stands in that chat; ERR_NO_CONVERSATION, as if there were none, when he is no party of it. */
enum err pair_state(struct op *o, const char *chat, const char *user, struct pair_state *p_r);

/* ---- inside a write transaction ---- */

/* Adds a message. ERR_NO_ATTACHMENT. */
enum err pair_write(struct op *o, int64_t key, const char *from, const char *to,
                    const struct pair_message_new *in, struct pair_message *m_r);

/* Tells both parties, each as he sees it; mine is one of the two views, with the new messages. The change
 * is told before the counts. */
enum { PAIR_TELL_CHANGE = 1, PAIR_TELL_UNREAD = 2 };
enum err pair_tell(struct op *o, const struct pair_view *mine, unsigned what);

#endif
