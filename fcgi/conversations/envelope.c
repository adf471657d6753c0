/* envelope - conversations' shape of answers, and the numbers of their refusals
 *
 * {"response":true, ...} and {"response":false,"error":{"code","message"}}. Codes below 100 belong to a
 * method: the same number means different things in two of them. Those from 100 on mean the same
 * everywhere.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>
#include <strings.h>

#include "fcgi/conversations/conversations.h"
#include "shared/json.h"
#include "shared/wire/conversations.h"

#define CODES_MAX 4

/* What each method refuses, in the order of its codes, which begin with 1. ERR_RULE: which chat? */
static const struct {
    route_handler *run;
    enum err codes[CODES_MAX];
} methods[] = {
    { conversations_messages, { ERR_RULE, ERR_NO_CONVERSATION, ERR_NOT_MEMBER, ERR_NO_SOCKET } },
    { conversations_send, { ERR_NO_CONVERSATION, ERR_FORBIDDEN, ERR_NO_SOCKET } },
    { conversations_list, { ERR_NO_SOCKET } },
    { conversations_join, { ERR_NO_CONVERSATION, ERR_ALREADY_MEMBER, ERR_FULL, ERR_NO_SOCKET } },
    { conversations_leave, { ERR_NO_CONVERSATION, ERR_NOT_MEMBER, ERR_NO_SOCKET } },
    { conversations_new, { ERR_EXISTS, ERR_NO_SOCKET } },
    { conversations_delete, { ERR_NO_CONVERSATION, ERR_FORBIDDEN, ERR_NO_SOCKET } },
    { conversations_view, { ERR_NO_CONVERSATION, ERR_ALREADY_MEMBER, ERR_NO_SOCKET } },
    { conversations_stop_view, { ERR_NO_CONVERSATION, ERR_ALREADY_MEMBER, ERR_NO_SOCKET } },
    { conversations_read, { ERR_NO_CONVERSATION, ERR_NOT_MEMBER, ERR_NO_SOCKET } },
    { conversations_members, { ERR_NO_CONVERSATION, ERR_NOT_MEMBER, ERR_NO_SOCKET } },
};

/* The words of those refusals. ERR_FORBIDDEN has two meanings: may_not_write is the other. */
struct words {
    enum err e;
    const char *english, *russian;
};

static const struct words words[] = {
    { ERR_RULE, "Pass the id of the chat (?chat=0)", "Прокиньте айдишник чата (?chat=0)" },
    { ERR_NO_CONVERSATION, "There is no such conversation", "Такой беседы нет" },
    { ERR_NOT_MEMBER, "You are not a member of this conversation", "Вы не участник этой беседы" },
    { ERR_NO_SOCKET, "Create a web-socket connection first",
      "Сперва создайте вебсокет-подключение" },
    { ERR_ALREADY_MEMBER, "You are already a member of this conversation",
      "Вы уже участник этой беседы" },
    { ERR_FULL, "Too many members", "Слишком много участников" },
    { ERR_EXISTS, "A conversation with this name and user_id already exists",
      "Беседа с таким name и user_id уже создана" },
    { ERR_FORBIDDEN, "No rights", "Нет прав" },
};

static const struct words may_not_write = {
    ERR_FORBIDDEN, "You are not allowed to write in this conversation",
    "Нет прав писать в этой беседе",
};

/* Is Russian the first language that the client names? */
static bool
wants_russian(const struct request *q)
{
    return q->language && strncasecmp(q->language, "ru", 2) == 0
           && (q->language[2] == '\0' || strchr("-,; \t", q->language[2]));
}

/* The method's code for e; 0: it has none. */
static int
code_of(const struct route *route, enum err e)
{
    for (size_t i = 0; route && i < sizeof methods / sizeof methods[0]; i++) {
        for (int j = 0; methods[i].run == route->run && j < CODES_MAX; j++) {
            if (methods[i].codes[j] == e)
                return j + 1;
        }
    }
    return 0;
}

static const struct words *
words_of(const struct route *route, enum err e)
{
    size_t i;

    if (e == ERR_FORBIDDEN && route->run == conversations_send)
        return &may_not_write;
    for (i = 0; words[i].e != e; i++)       /* every code above has its words */
        ;
    return &words[i];
}

/* A code of all methods, and its status. */
static int
general_code(enum err e, int *status_r)
{
    *status_r = err_status(e);
    switch (e) {
    case ERR_UNAUTHORIZED:
        return 101;
    case ERR_NOT_FOUND:
        return 102;
    case ERR_METHOD:
        return 103;
    case ERR_TOO_LARGE:
        return 104;
    case ERR_MEDIA_TYPE:
        return 105;
    case ERR_RATE:
        return 106;
    default:
        break;
    }
    *status_r = *status_r < 500 ? 400 : 500;
    return *status_r == 400 ? 100 : 107;
}

static void
write_refusal(struct reply *r, int code, const char *message, const char *field)
{
    json_open(&r->body, '{');
    json_kv_bool(&r->body, "response", false);
    json_key(&r->body, "error");
    json_open(&r->body, '{');
    json_kv_int(&r->body, "code", code);
    json_kv(&r->body, "message", message);
    if (field)
        json_kv(&r->body, "field", field);
    json_close(&r->body, '}');
    json_close(&r->body, '}');
}

/* An id that cannot be decoded is one more that nobody has. */
static enum err
of_the_path(const struct request *q, enum err e)
{
    return q->part && strcmp(q->part, "path") == 0 && (e == ERR_MALFORMED || e == ERR_LIMIT)
               ? ERR_NO_CONVERSATION
               : e;
}

void
conversations_write_error(struct request *q, struct reply *r, const struct route *route, enum err e)
{
    const struct words *w;
    bool told;
    int code;

    if (route && code_of(route, ERR_NO_CONVERSATION))
        e = of_the_path(q, e);
    if ((code = code_of(route, e))) {
        w = words_of(route, e);
        r->status = err_status(e);
        write_refusal(r, code, wants_russian(q) ? w->russian : w->english, NULL);
        return;
    }
    code = general_code(e, &r->status);
    /* What happened on our side is nobody's business. */
    told = q->fail.code == e && q->fail.why[0] && r->status < 500;
    write_refusal(r, code, told ? q->fail.why : err_text(e), code == 100 && told ? q->fail.field : NULL);
}

/* ---- answers ---- */

void
conversations_open(struct reply *r)
{
    json_open(&r->body, '{');
    json_kv_bool(&r->body, "response", true);
}

void
conversations_close(struct reply *r)
{
    json_close(&r->body, '}');
}

enum err
conversations_done(struct reply *r, enum err e)
{
    if (e != ERR_OK)
        return e;
    conversations_open(r);
    conversations_close(r);
    return ERR_OK;
}

void
conversations_put_page(struct reply *r, const struct group_page *page)
{
    json_key(&r->body, "messages");
    json_open(&r->body, '[');
    for (size_t i = 0; i < page->n; i++)
        conversations_write_message(&r->body, &page->messages[i]);
    json_close(&r->body, ']');
}
