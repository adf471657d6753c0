/* rights - existence and membership, asked the same way everywhere
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/chat/rights.h"

struct store
op_store(const struct op *o)
{
    return (struct store){
        .db = o->db, .arena = o->arena, .system = o->system->name, .now_ms = o->now_ms,
    };
}

static enum err
missing_as(struct op *o, enum err e, enum err missing)
{
    return e == ERR_NOT_FOUND ? err_fail(o->fail, missing, NULL, "%s", err_text(missing)) : e;
}

enum err
rights_conversation(struct op *o, const struct id *uid, enum err missing,
                    struct conversation *c_r)
{
    struct store s = op_store(o);

    return missing_as(o, store_conversation_find(&s, uid, c_r), missing);
}

enum err
rights_member(struct op *o, const struct conversation *c, const char *user,
              struct member_state *m_r)
{
    struct store s = op_store(o);

    return missing_as(o, store_member_state(&s, c->key, user, m_r), ERR_NOT_MEMBER);
}

enum err
rights_entry(struct op *o, const struct conversation *c, const struct id *uid,
             enum err missing, struct entry *e_r)
{
    struct store s = op_store(o);

    return missing_as(o, store_entry_find(&s, c->key, &c->uid, uid, e_r), missing);
}
