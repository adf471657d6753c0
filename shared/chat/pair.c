/* pair - the rules of messages between two, without rows
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/chat/pair.h"

#include <string.h>

#include "shared/utf8.h"

#define REFERENCE "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

bool
pair_photo_named(const char *reference)
{
    size_t len = strspn(reference, REFERENCE);

    return len >= 1 && len <= PAIR_PHOTO_MAX && reference[len] == '\0';
}

static enum err
check_photos(const struct list *photos, const char *field, struct fail *fail)
{
    const char *const *texts = photos->items;

    for (size_t i = 0; i < photos->n; i++) {
        if (!pair_photo_named(texts[i]))
            return err_fail(fail, ERR_FIELD, field, "%s holds what is no reference to a photo", field);
    }
    return ERR_OK;
}

static bool
listed(const struct list *list, const char *text)
{
    const char *const *texts = list->items;

    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(texts[i], text) == 0)
            return true;
    }
    return false;
}

/* Adds those that are not there yet; false: there are too many. all has room for PAIR_PHOTOS_MAX. */
static bool
unite(struct list *all, const struct list *more)
{
    const char *const *texts = more->items;
    const char **to = all->items;

    for (size_t i = 0; i < more->n; i++) {
        if (listed(all, texts[i]))
            continue;
        if (all->n == PAIR_PHOTOS_MAX)
            return false;
        to[all->n++] = texts[i];
    }
    return true;
}

enum err
pair_message_check(struct arena *a, struct pair_message_new *m, struct fail *fail)
{
    size_t len;
    enum err e;

    if (m->text == NULL)
        m->text = "";
    len = strlen(m->text);
    if (utf8_length(m->text, len) > PAIR_TEXT_MAX)
        return err_fail(fail, ERR_TEXT_LENGTH, "text", "a text has at most %d characters", PAIR_TEXT_MAX);
    if ((e = check_photos(&m->photos, "photos", fail)) != ERR_OK
        || (e = check_photos(&m->attached, "attachedPhotos", fail)) != ERR_OK)
        return e;
    m->all = (struct list){ .items = arena_array(a, PAIR_PHOTOS_MAX, sizeof(const char *)) };
    if (!unite(&m->all, &m->photos) || !unite(&m->all, &m->attached))
        return err_fail(fail, ERR_TOO_MANY, "photos", "a message has at most %d photos", PAIR_PHOTOS_MAX);
    utf8_trim(m->text, len, &len);
    if (len == 0 && m->all.n == 0)
        return err_fail(fail, ERR_EMPTY, NULL, "a message needs text or a photo");
    return ERR_OK;
}
