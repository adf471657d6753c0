/* eventchat - the REST side of event chat, as docs/api/eventchat.md says it
 *
 * One file for each group of endpoints, all listed in routes.c. A handler finds what the path names in
 * EVENTCHAT_PATH(q), who calls in q->user and EVENTCHAT_CALLER(q), and its input in q->in.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FCGI_EVENTCHAT_EVENTCHAT_H
#define FCGI_EVENTCHAT_EVENTCHAT_H

#include "fcgi/req.h"
#include "fcgi/router.h"
#include "shared/field.h"
#include "shared/token.h"

extern const struct edge eventchat_edge;

/* What the path of a route may name, as it stands there; NULL: the route has none. */
struct eventchat_path {
    const char *event, *chat, *photo;
};

#define EVENTCHAT_PATH(q) ((const struct eventchat_path *)(q)->path)

/* What the credential claims of who calls. */
#define EVENTCHAT_CALLER(q) ((const struct token *)(q)->caller)

/* Limits, in code points unless said otherwise; those of messages are in shared/chat/pair.h. */
enum {
    EVENTCHAT_NAME_MAX = 120,
    EVENTCHAT_LOCATION_MAX = 100,
    EVENTCHAT_PAGE_MAX = 100,           /* events */
    EVENTCHAT_PAGE_DEFAULT = 50,
};

/* ---- envelope.c ---- */

/* Error e in event chat's words. */
void eventchat_write_error(struct request *q, struct reply *r, const struct route *route, enum err e);

/* ---- auth.c ---- */

enum err eventchat_authenticate(struct request *q, const struct route *route,
                                const struct target *target);
/* Requests of one user, together with his commands over sockets. */
enum err eventchat_limit(struct request *q, struct reply *r, const struct route *route);

/* ---- input.c ---- */

struct eventchat_in_profile {
    const char *name;           /* NULL: not given */
    const char *image;          /* the same; "": none from now on */
};
extern const struct field eventchat_profile_fields[];

struct eventchat_in_event {
    const char *name, *location;
    struct list icons;
    int64_t from_s, to_s;
};
extern const struct field eventchat_event_fields[];

struct eventchat_in_page {
    int64_t offset, limit;
};
extern const struct field eventchat_page_fields[];

struct eventchat_in_open {
    const char *text;           /* NULL: nothing is said */
};
extern const struct field eventchat_open_fields[];

/* Is every one of the list a reference? */
bool eventchat_references(const struct list *list);

/* Id of the event that the path names; 0: none can be called so. */
int64_t eventchat_event_id(const struct request *q);

/* ---- handlers, by file ---- */

/* profile.c */
route_handler eventchat_get_profile, eventchat_put_profile;
/* events.c */
route_handler eventchat_create_event, eventchat_list_events, eventchat_get_event;
/* chats.c */
route_handler eventchat_open_chat, eventchat_request, eventchat_grant, eventchat_revoke,
    eventchat_list_chats;
/* photos.c */
route_handler eventchat_put_photo, eventchat_get_photo;

#endif
