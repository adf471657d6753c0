/* profile - how a user is shown
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/conversations/conversations.h"
#include "fcgi/conversations/input.h"
#include "fcgi/service.h"
#include "shared/json.h"
#include "shared/token.h"
#include "shared/wire/conversations.h"

static enum err
answer(struct reply *r, const struct profile *profile, enum err e)
{
    if (e != ERR_OK)
        return e;
    conversations_open(r);
    json_key(&r->body, "profile");
    conversations_write_profile(&r->body, profile);
    conversations_close(r);
    return ERR_OK;
}

enum err
conversations_get_profile(struct request *q, struct reply *r)
{
    struct profile profile;
    struct op op;
    enum err e = service_op(q, &op);

    return answer(r, &profile, e != ERR_OK ? e : op_profile_get(&op, q->user, &profile));
}

/* What the credential says stays. */
enum err
conversations_set_profile(struct request *q, struct reply *r)
{
    const struct conversations_shown *in = q->in;
    const struct conversations_caller *caller = CONVERSATIONS_CALLER(q);
    struct profile profile;
    struct op op;
    enum err e;

    if (in->avatar && !token_picture_fits(in->avatar, true))
        return err_fail(&q->fail, ERR_LIMIT, "avatar", "avatar must be an http or https URL, or empty");
    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    e = op_profile_set(&op, q->user, caller->name ? NULL : in->name,
                       caller->picture ? NULL : in->avatar, &profile);
    return answer(r, &profile, e);
}
