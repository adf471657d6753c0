/* accounts - registering, logging in, staying logged in
 *
 * What guesses or fills the database is slowed by address, and guessing at one account also by its e-mail.
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/rooms/input.h"
#include "fcgi/rooms/rooms.h"
#include "fcgi/service.h"
#include "shared/wire/rooms.h"

static enum err
slow_down(struct request *q, struct reply *r, const char *what, const char *name, int64_t per_minute)
{
    return service_limit(q, r, what, name, &(struct limit){ per_minute, per_minute, true });
}

static enum err
read_email(struct request *q, const char *given, const char **email_r)
{
    if (!rooms_email_valid(given))
        return err_fail(&q->fail, ERR_FIELD, "email", "email is not an e-mail address");
    *email_r = account_email(q->arena, given);
    return ERR_OK;
}

enum err
rooms_register(struct request *q, struct reply *r)
{
    const struct rooms_in_account *in = q->in;
    struct account_new new = { .username = in->username, .password = in->password };
    struct auth auth;
    struct op op;
    enum err e;

    if ((e = read_email(q, in->email, &new.email)) != ERR_OK)
        return e;
    e = slow_down(q, r, "register", q->address, q->config->rooms_register_per_minute);
    if (e != ERR_OK || (e = service_op(q, &op)) != ERR_OK)
        return e;
    if ((e = op_account_register(&op, &new, &auth)) != ERR_OK)
        return e;
    r->status = 201;
    rooms_write_auth(&r->body, &auth);
    return ERR_OK;
}

enum err
rooms_login(struct request *q, struct reply *r)
{
    const struct rooms_in_account *in = q->in;
    int64_t rate = q->config->rooms_login_per_minute;
    const char *email = NULL;
    struct auth auth;
    struct op op;
    enum err e;

    if ((e = read_email(q, in->email, &email)) != ERR_OK)
        return e;
    if ((e = slow_down(q, r, "login", q->address, rate)) != ERR_OK
        || (e = slow_down(q, r, "email", email, rate)) != ERR_OK)
        return e;
    if ((e = service_op(q, &op)) != ERR_OK
        || (e = op_account_login(&op, email, in->password, &auth)) != ERR_OK)
        return e;
    rooms_write_auth(&r->body, &auth);
    return ERR_OK;
}

enum err
rooms_refresh(struct request *q, struct reply *r)
{
    const struct rooms_in_refresh *in = q->in;
    struct auth auth;
    struct op op;
    enum err e = slow_down(q, r, "login", q->address, q->config->rooms_login_per_minute);

    if (e != ERR_OK || (e = service_op(q, &op)) != ERR_OK)
        return e;
    if ((e = op_account_refresh(&op, in->token, &auth)) != ERR_OK)
        return e;
    rooms_write_auth(&r->body, &auth);
    return ERR_OK;
}

enum err
rooms_me(struct request *q, struct reply *r)
{
    const struct auth auth = { .account = ROOMS_CALLER(q)->account };

    rooms_write_auth(&r->body, &auth);
    return ERR_OK;
}
