/* conversations - the REST side of conversations, as docs/api/conversations.md says it
 *
 * A handler finds the caller in q->user, the group of the path by conversations_group and its input in
 * q->in. Codes of refusals are per method: envelope.c.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FCGI_CONVERSATIONS_CONVERSATIONS_H
#define FCGI_CONVERSATIONS_CONVERSATIONS_H

#include "fcgi/req.h"
#include "fcgi/router.h"
#include "shared/chat/group.h"

extern const struct edge conversations_edge;

struct conversations_path {
    const char *group;              /* as it was given */
};

/* The group that the path names; one that cannot be is one that nobody finds. */
int64_t conversations_group(const struct request *q);

/* Who calls: q->caller. */
struct conversations_caller {
    const char *name, *picture;     /* what his credential says; NULL: nothing */
};

#define CONVERSATIONS_CALLER(q) ((const struct conversations_caller *)(q)->caller)

/* ---- struct edge's (auth.c, envelope.c, input.c) ---- */

enum err conversations_authenticate(struct request *q, const struct route *route,
                                    const struct target *target);
enum err conversations_limit(struct request *q, struct reply *r, const struct route *route);

/* What his credential says of him is noted; then, where the route wants it, his socket is asked for. */
enum err conversations_admit(struct request *q);

void conversations_write_error(struct request *q, struct reply *r, const struct route *route,
                               enum err e);

/* ---- answers (envelope.c): {"response":true, ...} ---- */

void conversations_open(struct reply *r);
void conversations_close(struct reply *r);

/* The whole of an answer that says nothing more. */
enum err conversations_done(struct reply *r, enum err e);

/* "messages":[...] of a group. */
void conversations_put_page(struct reply *r, const struct group_page *page);

/* ---- handlers ---- */

route_handler conversations_messages, conversations_send, conversations_list, conversations_join,
    conversations_leave, conversations_new, conversations_delete, conversations_view,
    conversations_stop_view, conversations_read, conversations_members, conversations_get_profile,
    conversations_set_profile;

#endif
