/* messages - reading, sending, editing, deleting
 *
 * Everything slow or judging (measuring, sanitising, hashing) happens before the operation, which
 * holds the writer lock. But a fault of the content counts only after the dialog was found and the
 * caller is known to belong to it, so it is handed on as a verdict.
 *
 * SPDX-License-Identifier: MIT
 */
#include <sodium.h>
#include <string.h>

#include "fcgi/http.h"
#include "fcgi/mtchat/input.h"
#include "fcgi/mtchat/mtchat.h"
#include "fcgi/service.h"
#include "shared/chat/op.h"
#include "shared/html.h"
#include "shared/json.h"
#include "shared/utf8.h"
#include "shared/wire/mtchat.h"

#define HASH_SIZE 32
/* Bytes of content once it is clean. Spelling out links makes eleven of one; but formatting that is
 * left open is repeated in every paragraph, attributes and all, and makes a thousand. */
#define CLEAN_MAX (1024 * 1024)

enum err
mtchat_list_messages(struct request *q, struct reply *r)
{
    const struct in_page *in = q->in;
    enum page_mode mode = in->around.given   ? PAGE_AROUND
                          : in->after.given  ? PAGE_AFTER
                          : in->before.given ? PAGE_BEFORE
                                             : PAGE_LATEST;
    const struct id *anchor = mode == PAGE_AROUND  ? &in->around
                              : mode == PAGE_AFTER ? &in->after
                                                   : &in->before;
    int64_t limit = in->limit ? in->limit : PAGE_DEFAULT;
    struct message_page page;
    char id[ID_TEXT_SIZE];
    struct op op;
    size_t i;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    e = op_message_page(&op, q->user, &MTCHAT_PATH(q)->id, mode, anchor, limit, &page);
    if (e != ERR_OK)
        return e;
    mtchat_data_open(r);
    json_open(&r->body, '{');
    json_key(&r->body, "messages");
    json_open(&r->body, '[');
    for (i = 0; i < page.n; i++)
        mtchat_write_message(&r->body, &page.entries[i], NULL);
    json_close(&r->body, ']');
    if (page.first_unread.given)
        json_kv(&r->body, "first_unread_message_id", id_text(&page.first_unread, id));
    json_kv_bool(&r->body, "has_more_before", page.more_before);
    json_kv_bool(&r->body, "has_more_after", page.more_after);
    json_close(&r->body, '}');
    mtchat_data_close(r);
    return ERR_OK;
}

static enum err
write_message(struct reply *r, const struct entry *entry, const char *client_key)
{
    mtchat_data_open(r);
    mtchat_write_message(&r->body, entry, client_key);
    mtchat_data_close(r);
    return ERR_OK;
}

enum err
mtchat_get_message(struct request *q, struct reply *r)
{
    const struct mtchat_path *path = MTCHAT_PATH(q);
    struct entry entry;
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    if ((e = op_message_get(&op, q->user, &path->id, &path->mid, &entry)) != ERR_OK)
        return e;
    return write_message(r, &entry, NULL);
}

/* Measures and sanitises: *clean_r is what would be stored (NULL when refused). */
static enum err
judge_content(struct request *q, const char *content, bool may_be_blank, const char **clean_r)
{
    struct sbuf clean;
    bool visible = false, failed;

    *clean_r = "";
    if (utf8_length(content, strlen(content)) > CONTENT_MAX)
        return err_fail(&q->fail, ERR_LIMIT, "content", "a message has at most %d characters",
                        CONTENT_MAX);
    sbuf_init(&clean, CLEAN_MAX);
    html_sanitise(&clean, content, strlen(content), &visible);
    failed = clean.failed;
    *clean_r = arena_copy(q->arena, sbuf_str(&clean), clean.len);
    sbuf_fini(&clean);
    if (failed)
        return err_fail(&q->fail, ERR_LIMIT, "content", "the message's markup grows too long");
    if (!visible && !may_be_blank)
        return err_fail(&q->fail, ERR_LIMIT, "content", "a message must not be empty");
    return ERR_OK;
}

static void
hash_text(crypto_generichash_state *state, const char *text)
{
    uint64_t len = strlen(text);

    /* The length in front keeps neighbouring texts apart. */
    crypto_generichash_update(state, (const unsigned char *)&len, sizeof len);
    crypto_generichash_update(state, (const unsigned char *)text, len);
}

/* Over all that makes two sends the same request. */
static const uint8_t *
hash_request(struct request *q, const struct in_message *in)
{
    const struct in_attachment *files = in->attachments.items;
    uint8_t *hash = arena_alloc(q->arena, HASH_SIZE);
    crypto_generichash_state state;
    char id[ID_TEXT_SIZE];
    size_t i;

    crypto_generichash_init(&state, NULL, 0, HASH_SIZE);
    hash_text(&state, in->content ? in->content : "");
    hash_text(&state, id_text(&in->reply_to, id));
    for (i = 0; i < in->attachments.n; i++) {
        hash_text(&state, files[i].key);
        hash_text(&state, files[i].filename);
        hash_text(&state, files[i].content_type);
        hash_text(&state, arena_printf(q->arena, "%lld", (long long)files[i].size));
    }
    crypto_generichash_final(&state, hash, HASH_SIZE);
    return hash;
}

static enum err
read_key(struct request *q, const struct in_message *in, struct message_new *new)
{
    new->client_key = in->client_key;
    new->key = q->idempotency_key ? q->idempotency_key : in->client_key;
    if ((new->key && !http_visible(new->key, KEY_MAX))
        || (new->client_key && !http_visible(new->client_key, KEY_MAX)))
        return err_fail(&q->fail, ERR_LIMIT, "client_message_id",
                        "an idempotency key is 1 to %d visible ASCII characters", KEY_MAX);
    if (new->key)
        new->request_hash = hash_request(q, in);
    return ERR_OK;
}

enum err
mtchat_send(struct request *q, struct reply *r)
{
    const struct in_message *in = q->in;
    const struct id *dialog = &MTCHAT_PATH(q)->id;
    bool has_files = in->attachments.n > 0;
    struct message_new new = { .content = "", .reply_to = in->reply_to };
    struct entry entry;
    struct op op;
    enum err e, verdict;

    if (!in->content && !has_files)
        return err_fail(&q->fail, ERR_FIELD, "content", "content is required");
    if ((e = read_key(q, in, &new)) != ERR_OK)
        return e;
    verdict = mtchat_judge_attachments(&q->fail, dialog, &in->attachments);
    if (verdict == ERR_OK)
        verdict = judge_content(q, in->content ? in->content : "", has_files, &new.content);
    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    if ((e = op_message_send(&op, q->user, dialog, &new, verdict, &entry)) != ERR_OK)
        return e;
    return write_message(r, &entry, new.client_key);
}

enum err
mtchat_edit(struct request *q, struct reply *r)
{
    const struct in_message *in = q->in;
    const struct mtchat_path *path = MTCHAT_PATH(q);
    const char *content;
    struct entry entry;
    struct op op;
    enum err e, verdict;

    verdict = judge_content(q, in->content, false, &content);
    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    e = op_message_edit(&op, q->user, &path->id, &path->mid, content, verdict, &entry);
    return e != ERR_OK ? e : write_message(r, &entry, NULL);
}

enum err
mtchat_delete(struct request *q, struct reply *r)
{
    const struct mtchat_path *path = MTCHAT_PATH(q);
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    r->status = 204;
    return op_message_delete(&op, q->user, &path->id, &path->mid);
}
