/* op_profile - how users want to be shown
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "shared/chat/profile.h"
#include "shared/chat/tx.h"

static struct db_row *
query_of(struct op *o, enum query q, const char *user)
{
    struct db_row *r = db_query(o->db, q, o->arena);

    db_bind_text(r, ":system", o->system->name);
    db_bind_text(r, ":user", user);
    return r;
}

static enum err
read_profile(struct db_row *r, const char *user, struct profile *profile_r)
{
    *profile_r = (struct profile){ user, "", "" };
    if (db_step(r)) {
        profile_r->name = db_text(r, 0);
        profile_r->picture = db_text(r, 1);
    }
    return db_done(r);
}

enum err
op_profile_get(struct op *o, const char *user, struct profile *profile_r)
{
    return read_profile(query_of(o, Q_PROFILE_GET, user), user, profile_r);
}

enum err
op_profile_set(struct op *o, const char *user, const char *name, const char *picture,
               struct profile *profile_r)
{
    struct db_row *r;
    enum err e;

    if ((e = tx_begin(o)) != ERR_OK)
        return e;
    r = query_of(o, Q_PROFILE_SET, user);
    db_bind_text(r, ":name", name);
    db_bind_text(r, ":picture", picture);
    return tx_end(o, read_profile(r, user, profile_r));
}

static bool
says_something_new(const char *claim, const char *stored)
{
    return claim != NULL && strcmp(claim, stored) != 0;
}

enum err
op_profile_note(struct op *o, const char *user, const char *name, const char *picture)
{
    struct profile p;
    enum err e;

    if (name == NULL && picture == NULL)
        return ERR_OK;
    if ((e = op_profile_get(o, user, &p)) != ERR_OK)
        return e;
    if (!says_something_new(name, p.name) && !says_something_new(picture, p.picture))
        return ERR_OK;
    return op_profile_set(o, user, name, picture, &p);
}
