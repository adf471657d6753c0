/* profile - how the caller is shown to others
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "fcgi/eventchat/eventchat.h"
#include "fcgi/service.h"
#include "shared/chat/pair.h"
#include "shared/chat/profile.h"
#include "shared/json.h"
#include "shared/wire/eventchat.h"

static void
write_profile(struct sbuf *out, const struct profile *p)
{
    const struct party party = {
        p->user, p->name[0] ? p->name : NULL, p->picture[0] ? p->picture : NULL,
    };

    eventchat_write_user(out, &party);
}

enum err
eventchat_get_profile(struct request *q, struct reply *r)
{
    struct profile profile;
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK || (e = op_profile_get(&op, q->user, &profile)) != ERR_OK)
        return e;
    write_profile(&r->body, &profile);
    return ERR_OK;
}

/* null is a value of imageUUID: none. */
static enum err
wanted_image(struct request *q, const char **image_r)
{
    const struct eventchat_in_profile *in = q->in;
    const char *raw = json_raw(q->arena, q->body, q->body_len, "imageUUID");

    *image_r = raw && strcmp(raw, "null") == 0 ? "" : in->image;
    if (in->image && in->image[0] && !pair_photo_named(in->image))
        return err_fail(&q->fail, ERR_FIELD, "imageUUID", "imageUUID is no reference to a photo");
    return ERR_OK;
}

/* What the credential claims was stored when it was looked at, and stays. */
enum err
eventchat_put_profile(struct request *q, struct reply *r)
{
    const struct token *claims = EVENTCHAT_CALLER(q);
    const struct eventchat_in_profile *in = q->in;
    struct profile profile;
    const char *image;
    struct op op;
    enum err e;

    if ((e = wanted_image(q, &image)) != ERR_OK || (e = service_op(q, &op)) != ERR_OK)
        return e;
    e = op_profile_set(&op, q->user, claims->name ? NULL : in->name, claims->picture ? NULL : image,
                       &profile);
    if (e != ERR_OK)
        return e;
    write_profile(&r->body, &profile);
    return ERR_OK;
}
