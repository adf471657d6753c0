/* channel_frames - the forms in which what a channel publishes in one turn leaves
 *
 * One piece of bytes per form, whatever the number of subscribers. With deltas all but the first publication
 * of a batch are the same for everybody; the first depends on what a subscriber had before, which is
 * nearly always the same publication, or none: these two answers are kept.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/channel.h"
#include <string.h>

#include "relay/push/fossil.h"
#include "relay/mem.h"

enum { AROUND_BYTES = 128 };        /* of a publication's frame beside what it carries and its channel's name */

/* A list of frames as one. */
static struct frame *
join(struct frame *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!list[i])
            return NULL;
    return n == 1 ? frame_ref(list[0]) : frame_join(list, n);
}

static void
drop(struct frame **list, size_t n)
{
    for (size_t i = 0; list && i < n; i++)
        frame_unref(list[i]);
    free(list);
}

static struct frame *
write_one(struct channel_batch *b, const struct publication *p, bool bare, enum reply_form form,
          const char *patch, size_t patch_len)
{
    struct sbuf *line = &b->channels->line;

    sbuf_reset(line);
    reply_publication(line, bare, b->name, p, form, patch, patch_len);
    return line->failed ? NULL : frame_text(line->data, line->len);
}

/* p for one who has base: a patch where that is shorter. */
static struct frame *
write_delta(struct channel_batch *b, const struct publication *p, const struct publication *base,
            bool bare)
{
    struct sbuf patch;
    struct frame *f;

    if (!base)
        return write_one(b, p, bare, FORM_STRING, NULL, 0);
    sbuf_init(&patch, p->data_len);
    if (fossil_delta(publication_data(base), base->data_len, publication_data(p), p->data_len,
                     &patch))
        f = write_one(b, p, bare, FORM_PATCH, patch.data, patch.len);
    else
        f = write_one(b, p, bare, FORM_STRING, NULL, 0);
    sbuf_fini(&patch);
    return f;
}

void
channel_batch_init(struct channel_batch *b, struct channels *channels, const char *name,
                   struct publication **list, size_t n)
{
    size_t around = strlen(name) + AROUND_BYTES;

    *b = (struct channel_batch){ .channels = channels, .name = name, .list = list, .n = n };
    for (size_t i = 0; i < n; i++) {
        const struct publication *p = list[i];
        uint64_t offset = p->offset;

        b->bytes += p->data_len + p->info_len + p->tags_len + around;
        if (!offset)
            continue;
        b->holed |= b->first && offset != b->last + 1;
        if (!b->first)
            b->first = offset;
        b->last = offset;
    }
}

void
channel_batch_fini(struct channel_batch *b)
{
    for (int bare = 0; bare < 2; bare++) {
        frame_unref(b->plain[bare]);
        frame_unref(b->fresh[bare]);
        frame_unref(b->patched[bare]);
        drop(b->rest[bare], b->n);
    }
}

struct frame *
channel_batch_plain(struct channel_batch *b, bool bare)
{
    struct frame **list;

    if (b->plain[bare])
        return b->plain[bare];
    if (b->n == 1)
        return b->plain[bare] = write_one(b, b->list[0], bare, FORM_PLAIN, NULL, 0);
    list = mem_new(b->n * sizeof *list);
    for (size_t i = 0; i < b->n; i++)
        list[i] = write_one(b, b->list[i], bare, FORM_PLAIN, NULL, 0);
    b->plain[bare] = join(list, b->n);
    drop(list, b->n);
    return b->plain[bare];
}

static struct frame **
rest(struct channel_batch *b, bool bare)
{
    struct frame **list = b->rest[bare];

    if (list)
        return list;
    b->rest[bare] = list = mem_new(b->n * sizeof *list);
    for (size_t i = 1; i < b->n; i++)
        list[i] = write_delta(b, b->list[i], b->list[i - 1], bare);
    return list;
}

struct frame *
channel_batch_delta(struct channel_batch *b, struct publication *base, bool bare)
{
    struct frame **made = base ? &b->patched[bare] : &b->fresh[bare], **list;

    if (*made && (!base || b->base[bare] == base))
        return *made;
    frame_unref(*made);
    list = rest(b, bare);
    list[0] = write_delta(b, b->list[0], base, bare);
    *made = join(list, b->n);
    frame_unref(list[0]);
    list[0] = NULL;
    if (base)
        b->base[bare] = base;
    return *made;
}
