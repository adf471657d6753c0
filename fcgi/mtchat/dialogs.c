/* dialogs - finding and reading dialogs
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "fcgi/mtchat/input.h"
#include "fcgi/mtchat/mtchat.h"
#include "fcgi/service.h"
#include "shared/chat/op.h"
#include "shared/json.h"

#define ALL INT64_C(1000000000)         /* a by-object list has no pages */

static enum err
bad_value(struct request *q, const char *field, const char *allowed)
{
    return err_fail(&q->fail, ERR_FIELD, field, "%s must be %s", field, allowed);
}

static enum err
read_archived(struct request *q, const char *text, int *archived_r)
{
    *archived_r = -1;
    if (!text)
        return ERR_OK;
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return bad_value(q, "archived", "true or false");
    *archived_r = strcmp(text, "true") == 0;
    return ERR_OK;
}

/* type and archived into filter; absent: what the endpoint does by default. */
static enum err
read_which(struct request *q, const struct in_list *in, enum conversation_which absent,
           struct conversation_filter *filter)
{
    filter->archived = -1;
    if (!in->type)
        filter->which = absent;
    else if (strcmp(in->type, "participating") == 0)
        filter->which = WHICH_PARTICIPATING;
    else if (strcmp(in->type, "available") == 0)
        filter->which = WHICH_AVAILABLE;
    else
        return bad_value(q, "type", "participating or available");
    if (filter->which == WHICH_AVAILABLE)
        return ERR_OK;
    return read_archived(q, in->archived, &filter->archived);
}

static struct viewer
viewer_of(const struct request *q)
{
    return (struct viewer){ q->user, q->scopes };
}

static enum err
write_list(struct request *q, struct reply *r, const struct conversation_filter *filter)
{
    struct viewer viewer = viewer_of(q);
    struct conversation_view *views;
    struct op op;
    size_t n, i;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    if ((e = op_conversation_list(&op, &viewer, filter, &views, &n)) != ERR_OK)
        return e;
    mtchat_data_open(r);
    json_open(&r->body, '[');
    for (i = 0; i < n; i++)
        mtchat_write_item(&r->body, &views[i], false);
    json_close(&r->body, ']');
    mtchat_data_close(r);
    return ERR_OK;
}

enum err
mtchat_list_dialogs(struct request *q, struct reply *r)
{
    const struct in_list *in = q->in;
    struct conversation_filter filter = {
        .search = in->search,
        .order = ORDER_ACTIVITY,
        .limit = in->limit ? in->limit : PAGE_DEFAULT,
        .offset = in->offset,
    };
    enum err e;

    if ((e = read_which(q, in, WHICH_PARTICIPATING, &filter)) != ERR_OK)
        return e;
    if (filter.which == WHICH_AVAILABLE && !q->scopes)
        return err_fail(&q->fail, ERR_MALFORMED, NULL, "the scope header is required");
    return write_list(q, r, &filter);
}

enum err
mtchat_get_dialog(struct request *q, struct reply *r)
{
    struct viewer viewer = viewer_of(q);
    struct conversation_view view;
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    if ((e = op_conversation_get(&op, &viewer, &MTCHAT_PATH(q)->id, &view)) != ERR_OK)
        return e;
    mtchat_data_open(r);
    mtchat_write_item(&r->body, &view, true);
    mtchat_data_close(r);
    return ERR_OK;
}

enum err
mtchat_find_by_object(struct request *q, struct reply *r)
{
    const struct conversation_filter filter = {
        .which = WHICH_BOTH,
        .object_type = MTCHAT_PATH(q)->object_type,
        .object_id = MTCHAT_PATH(q)->object_id,
        .archived = -1,
        .order = ORDER_CREATION,
        .limit = 1,
    };
    struct viewer viewer = viewer_of(q);
    struct conversation_view *views;
    struct op op;
    size_t n;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK)
        return e;
    if ((e = op_conversation_list(&op, &viewer, &filter, &views, &n)) != ERR_OK)
        return e;
    mtchat_data_open(r);
    if (n > 0)
        mtchat_write_item(&r->body, &views[0], false);
    else
        json_null(&r->body);
    mtchat_data_close(r);
    return ERR_OK;
}

enum err
mtchat_list_by_object(struct request *q, struct reply *r)
{
    const struct in_list *in = q->in;
    struct conversation_filter filter = {
        .object_type = MTCHAT_PATH(q)->object_type,
        .object_id = MTCHAT_PATH(q)->object_id,
        .search = in->search,
        .order = ORDER_CREATION,
        .limit = ALL,
    };
    enum err e = read_which(q, in, WHICH_BOTH, &filter);

    return e != ERR_OK ? e : write_list(q, r, &filter);
}
