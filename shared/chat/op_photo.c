/* op_photo - rows of photos: announced, stored, found, forgotten
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/chat/photo.h"
#include "shared/chat/pair_private.h"
#include "shared/opaque.h"

/* How long after it was announced a photo that is not stored is given up: much longer than a request may
 * take. */
#define GIVEN_UP_MS (60 * 60 * 1000)
#define GIVEN_UP_AT_ONCE 8

static enum err
room_for(struct op *o, const char *user, int64_t bytes)
{
    struct store s = op_store(o);
    int64_t sum;
    enum err e = store_photo_sum(&s, user, &sum);

    if (e == ERR_OK && sum + bytes > o->config->eventchat_photos_max_bytes)
        return err_fail(o->fail, ERR_TOO_LARGE, NULL, "the photos of one user have at most %lld bytes",
                        (long long)o->config->eventchat_photos_max_bytes);
    return e;
}

enum err
op_photo_announce(struct op *o, const char *user, struct photo *p)
{
    struct store s = op_store(o);
    enum err e;

    p->name = opaque_new(o->arena, "");
    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    if ((e = room_for(o, user, p->bytes)) == ERR_OK)
        e = store_photo_insert(&s, p, user);
    return tx_end(o, e);
}

enum err
op_photo_stored(struct op *o, const struct photo *p)
{
    struct store s = op_store(o);
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    e = store_photo_stored(&s, p);
    return tx_end(o, e == ERR_NOT_FOUND ? ERR_INTERNAL : e);
}

enum err
op_photo_forget(struct op *o, const char *name)
{
    struct store s = op_store(o);
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    return tx_end(o, store_photo_delete(&s, name));
}

enum err
op_photo_find(struct op *o, const char *name, struct photo *p_r)
{
    struct store s = op_store(o);
    enum err e = store_photo_find(&s, name, p_r);

    return e == ERR_NOT_FOUND ? err_fail(o->fail, ERR_NO_ATTACHMENT, NULL, "no such photo") : e;
}

enum err
op_photo_left(struct op *o, const char ***names_r, size_t *n_r)
{
    struct store s = op_store(o);

    return store_photo_left(&s, o->now_ms - GIVEN_UP_MS, GIVEN_UP_AT_ONCE, names_r, n_r);
}
