/* input - parameters from wherever they stand, and what each method takes
 *
 * All of them become pairs of texts, which the tables judge as those of a query.
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/conversations/input.h"

#include <string.h>

#include "fcgi/http.h"
#include "fcgi/service.h"
#include "shared/chat/group.h"
#include "shared/json.h"
#include "shared/token.h"

#define AT(type, member) .offset = offsetof(struct type, member)
#define OFFSET(type) { "offset", F_INT, AT(type, offset), .max = INT64_MAX }

const struct field conversations_page_fields[] = {
    { CONVERSATIONS_CHAT, F_INT, AT(conversations_page, chat), .max = INT64_MAX,
      .flags = FIELD_REQUIRED },
    OFFSET(conversations_page),
    { 0 },
};

const struct field conversations_said_fields[] = {
    { "text", F_TEXT, AT(conversations_said, text), .min = 1, .max = GROUP_TEXT_MAX,
      .flags = FIELD_REQUIRED | FIELD_NOT_BLANK },
    { "conversation_id", F_INT, AT(conversations_said, group), .max = GROUP_ID_MAX },
    { 0 },
};

const struct field conversations_which_fields[] = {
    { "mode", F_TEXT, AT(conversations_which, mode) },
    OFFSET(conversations_which),
    { 0 },
};

const struct field conversations_made_fields[] = {
    { "name", F_TEXT, AT(conversations_made, name), .min = GROUP_NAME_MIN, .max = GROUP_NAME_MAX,
      .flags = FIELD_REQUIRED | FIELD_TRIM },
    { 0 },
};

const struct field conversations_shown_fields[] = {
    { "name", F_TEXT, AT(conversations_shown, name), .min = 1, .max = TOKEN_NAME_MAX },
    { "avatar", F_TEXT, AT(conversations_shown, avatar), .max = TOKEN_PICTURE_MAX },
    { 0 },
};

/* ---- bodies ---- */

enum content { CONTENT_NONE, CONTENT_JSON, CONTENT_FORM, CONTENT_OTHER };

/* A body of which nothing is said may be JSON. */
static enum content
content_of(const struct request *q)
{
    if (q->body_len == 0)
        return CONTENT_NONE;
    if (!q->content_type || !*q->content_type)
        return q->body[strspn(q->body, " \t\r\n")] == '{' ? CONTENT_JSON : CONTENT_OTHER;
    if (http_is_type(q->content_type, "application/json"))
        return CONTENT_JSON;
    return http_is_type(q->content_type, "application/x-www-form-urlencoded") ? CONTENT_FORM : CONTENT_OTHER;
}

/* What was sent, wherever it stood. */
struct sent {
    struct json *json;                  /* the body, one of the two */
    struct target form;
    const struct target *query;
};

/* A form is a query; broken pieces are left to refuse_broken(). */
static enum err
read_form(struct request *q, struct sent *sent)
{
    if (memchr(q->body, '\0', q->body_len))
        return err_fail(&q->fail, ERR_MALFORMED, NULL, "the body is no form");
    return http_target(q->arena, arena_printf(q->arena, "/?%s", q->body), &sent->form);
}

/* What is not UTF-8 or holds a NUL is told like any other bad parameter, where it is one. */
static enum err
refuse_broken(struct request *q, const struct route *route, const struct target *t, const char *text)
{
    const struct field *f = t->query_bad ? route->query : NULL;

    while (f && f->name && strcmp(f->name, t->query_bad) != 0)
        f++;
    if (!f || !f->name)
        return err_fail(&q->fail, t->query_err, NULL, "%s", text);
    if (strcmp(f->name, CONVERSATIONS_CHAT) == 0)
        return ERR_RULE;
    return err_fail(&q->fail, ERR_FIELD, f->name, "%s must be text without U+0000", f->name);
}

static enum err
read_sent(struct request *q, const struct target *target, struct sent *sent)
{
    sent->query = target;
    switch (content_of(q)) {
    case CONTENT_JSON:
        return service_json(q, &sent->json);
    case CONTENT_FORM:
        return read_form(q, sent);
    case CONTENT_OTHER:
        return ERR_MEDIA_TYPE;
    case CONTENT_NONE:
        break;
    }
    return ERR_OK;
}

/* ---- from there to pairs ---- */

static const char *
value_in(const struct target *t, const char *name)
{
    for (size_t i = 0; i < t->n_pairs; i++) {
        if (strcmp(t->pairs[i].name, name) == 0)
            return t->pairs[i].value;
    }
    return NULL;
}

/* The text of a JSON value that may stand for the field; NULL: it may not. */
static const char *
text_of(struct arena *a, const struct field *f, const struct json *v)
{
    int64_t n;

    if (f->kind == F_INT && json_integer(v, &n))
        return arena_printf(a, "%lld", (long long)n);
    return json_text(v);
}

/* *value_r NULL: it is not given. null in a body is nothing, and hides what the query says. */
static enum err
find_value(struct request *q, const struct sent *sent, const struct field *f, const char **value_r)
{
    const struct json *v = sent->json ? json_get(sent->json, f->name) : NULL;

    if (v && json_type(v) == JSON_NULL) {
        *value_r = NULL;
        return ERR_OK;
    }
    if (v) {
        *value_r = text_of(q->arena, f, v);
        return *value_r ? ERR_OK
                        : err_fail(&q->fail, ERR_FIELD, f->name, "%s must be %s", f->name,
                                   f->kind == F_INT ? "an integer" : "a string");
    }
    *value_r = value_in(&sent->form, f->name);
    if (!*value_r)
        *value_r = value_in(sent->query, f->name);
    return ERR_OK;
}

/* One field, by its row alone. */
static enum err
read_field(struct request *q, const struct sent *sent, const struct field *f, void *in)
{
    const struct field row[] = { *f, { 0 } };
    struct pair pair = { .name = f->name };
    enum err e = find_value(q, sent, f, &pair.value);

    if (e == ERR_OK)
        e = field_read_query(q->arena, row, &pair, pair.value != NULL, in, &q->fail);
    /* which chat is meant has to be said */
    if (e != ERR_OK && strcmp(f->name, CONVERSATIONS_CHAT) == 0)
        return ERR_RULE;
    return e;
}

enum err
conversations_read_input(struct request *q, const struct route *route, const struct target *target,
                         void *in)
{
    struct sent sent = { 0 };
    const struct field *f;
    enum err e = read_sent(q, target, &sent);

    if (e == ERR_OK && sent.form.query_err)
        e = refuse_broken(q, route, &sent.form, "the body is no form");
    if (e == ERR_OK && target->query_err)
        e = refuse_broken(q, route, target, "the query is not well formed");
    for (f = route->query; e == ERR_OK && f && f->name; f++)
        e = read_field(q, &sent, f, in);
    return e;
}
