/* profile - how a user of a system wants to be shown
 *
 * Of the systems conversations and eventchat; op->system says which. What a credential claims wins
 * over what is stored, and is stored.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_CHAT_PROFILE_H
#define SHARED_CHAT_PROFILE_H

#include "shared/chat/op.h"

struct profile {
    const char *user;
    const char *name;               /* "": not known */
    const char *picture;            /* "": none */
};

/* As it is stored; both "" for somebody nobody heard of. May stand inside a transaction. */
enum err op_profile_get(struct op *o, const char *user, struct profile *profile_r);

/* Stores what is not NULL. *profile_r is what then stands there. */
enum err op_profile_set(struct op *o, const char *user, const char *name, const char *picture,
                        struct profile *profile_r);

/* Stores what a credential says (NULL: nothing), when that is something new: takes a writer's turn only then. */
enum err op_profile_note(struct op *o, const char *user, const char *name, const char *picture);

#endif
