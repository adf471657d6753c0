/* sync - what the caller missed, for pages that have no socket
 *
 * The answer's ETag is its seq, so that a poll that finds nothing new costs no body.
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/http.h"
#include "fcgi/mtchat/input.h"
#include "fcgi/mtchat/mtchat.h"
#include "fcgi/service.h"
#include "shared/chat/op.h"
#include "shared/json.h"
#include "shared/wire/mtchat.h"

#define LIMIT_DEFAULT 100
#define SINCE_MAX (INT64_C(1) << 53)     /* what a number in JSON can carry */

static void
write_page(struct sbuf *out, const struct sync_page *page)
{
    size_t i;

    json_open(out, '{');
    json_key(out, "events");
    json_open(out, '[');
    for (i = 0; i < page->n; i++) {
        if (i > 0)
            sbuf_putc(out, ',');
        mtchat_write_frame(out, &page->events[i]);
    }
    json_close(out, ']');
    json_kv_int(out, "seq", page->seq);
    json_kv_bool(out, "more", page->more);
    json_kv_bool(out, "reload", page->reload);
    json_close(out, '}');
}

enum err
mtchat_sync(struct request *q, struct reply *r)
{
    const struct in_sync *in = q->in;
    int64_t max = q->config->sync_limit_max;
    int64_t limit = max < LIMIT_DEFAULT ? max : LIMIT_DEFAULT;
    struct sync_page page;
    struct op op;
    enum err e;

    if (in->has_limit)
        limit = in->limit;
    if (limit < 1 || limit > max)
        return err_fail(&q->fail, ERR_FIELD, "limit", "limit is 1 to %lld", (long long)max);
    if (in->since < 0 || in->since > SINCE_MAX)
        return err_fail(&q->fail, ERR_FIELD, "since", "since is the seq of an event");
    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    e = op_sync(&op, q->user, in->has_since ? in->since : -1, limit, &page);
    if (e != ERR_OK)
        return e;
    r->etag = arena_printf(q->arena, "\"%lld\"", (long long)page.seq);
    /* "Reload" must never hide behind a cursor that happens to be the same. */
    if (!page.reload && http_etag_listed(q->if_none_match, r->etag)) {
        r->status = 304;
        return ERR_OK;
    }
    mtchat_data_open(r);
    write_page(&r->body, &page);
    mtchat_data_close(r);
    return ERR_OK;
}
