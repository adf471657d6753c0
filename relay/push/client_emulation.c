/* client_emulation - clients whose connection goes one way, and who send by POST /emulation
 *
 * The session's secret is all that a request needs to speak for its client.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/client_private.h"

#include <string.h>

#include "relay/cors.h"
#include "relay/mem.h"
#include "shared/field.h"
#include "shared/id.h"
#include "shared/json.h"

#define DEPTH_MAX 4
#define SECRET_IDS 2                /* two ids of 122 random bits each */

struct emulation {
    const char *session, *node, *data;
};

static const struct field fields[] = {
    { "session", F_TEXT, offsetof(struct emulation, session), .flags = FIELD_REQUIRED },
    { "node", F_TEXT, offsetof(struct emulation, node), .flags = FIELD_REQUIRED },
    { "data", F_TEXT, offsetof(struct emulation, data), .flags = FIELD_REQUIRED },
    { 0 }
};

void
client_session_open(struct push_client *c)
{
    struct client_session *s
        = mem_new(sizeof *s + SECRET_IDS * (ID_TEXT_SIZE - 1) + 1);

    for (int i = 0; i < SECRET_IDS; i++) {
        struct id id = id_random();

        id_text(&id, s->secret + i * (ID_TEXT_SIZE - 1));
    }
    s->client = c;
    s->node.key = s->secret;
    strmap_add(&c->push->sessions, &s->node);
    c->session = s;
}

void
client_session_close(struct push_client *c)
{
    if (!c->session)
        return;
    strmap_remove(&c->push->sessions, &c->session->node);
    free(c->session);
    c->session = NULL;
}

const char *
client_session_id(const struct push_client *c)
{
    return c->session ? c->session->secret : "";
}

static bool
read_body(struct arena *a, const struct io_request *r, struct emulation *e_r)
{
    struct json *object;

    return json_parse(a, r->body, r->body_len, DEPTH_MAX, &object, NULL) == ERR_OK
        && json_type(object) == JSON_OBJECT
        && field_read_json(a, fields, object, r->body, r->body_len, e_r, NULL) == ERR_OK;
}

/* The client that is meant; NULL, also when it has been told its end. The map's hash is seeded and its keys are
 * random: how long the look-up takes tells nothing of them. */
static struct push_client *
find(const struct push *p, const struct emulation *e)
{
    struct strmap_node *node
        = strcmp(e->node, p->node) == 0 ? strmap_find(&p->sessions, e->session) : NULL;
    struct push_client *c = node ? STRMAP_OF(node, struct client_session, node)->client : NULL;

    return c && c->conn && c->state != CLIENT_CLOSING ? c : NULL;
}

static void
hear(struct push_client *c, const char *data)
{
    client_ref(c);
    conn_heard(c->conn);
    if (c->state == CLIENT_REFUSED)
        client_close(c, CLOSE_BAD_REQUEST_CLOSE, NULL);
    else
        client_input(c, data, strlen(data));
    client_unref(c);
}

static enum io_verdict
take(struct push *p, const struct io_request *r, struct io_answer *a)
{
    struct emulation e = { 0 };
    struct push_client *c;

    if (!read_body(p->scratch, r, &e))
        return client_answer(a, 400);
    if (!(c = find(p, &e)))
        return client_answer(a, 404);
    hear(c, e.data);
    return client_answer(a, 204);
}

enum io_verdict
emulation_request(void *arg, const struct io_request *r, struct io_exchange *x, struct io_answer *a,
                  struct io_client **client_r)
{
    struct push *p = arg;
    enum io_verdict v = IO_ANSWER;

    (void)x, (void)client_r;
    if (!client_origin(p, r, a))
        return v;
    if (strcmp(r->method, "OPTIONS") == 0) {
        cors_preflight(r, a, "POST, OPTIONS");
    } else if (strcmp(r->method, "POST") != 0) {
        sbuf_puts(&a->headers, "Allow: POST, OPTIONS\r\n");
        client_answer(a, 405);
    } else {
        v = take(p, r, a);
    }
    arena_reset(p->scratch);
    return v;
}
