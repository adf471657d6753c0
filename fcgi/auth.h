/* auth - who is calling
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FCGI_AUTH_H
#define FCGI_AUTH_H

#include "fcgi/http.h"
#include "fcgi/req.h"
#include "fcgi/router.h"
#include "shared/token.h"

/* struct edge's authenticate, by the settings: users, the operator, anybody. */
enum err auth_by_settings(struct request *q, const struct route *route, const struct target *target);

/* A chat user into q->user: the claim of a signed token, or, with auth = trusted, the first query
 * pair named user_id or sender_id. A user_id beside a token never says who calls. */
enum err auth_user(struct request *q, const struct token_rules *rules,
                   const struct target *target);

/* The operator: ERR_UNAUTHORIZED without a bearer token, ERR_FORBIDDEN for a wrong one, and
 * for everybody while no token is configured, unless that was allowed expressly. */
enum err auth_admin(struct request *q);

#endif
