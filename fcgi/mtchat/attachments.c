/* attachments - which files may stand in a message
 *
 * This release stores no files: whatever a message names does not exist. The rules on keys, types
 * and sizes are checked all the same, in the contract's order, so that a client hears the first
 * thing that is wrong.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE                     /* strcasestr */
#include <string.h>
#include <strings.h>

#include "fcgi/mtchat/input.h"
#include "fcgi/mtchat/mtchat.h"
#include "shared/utf8.h"

static const char *const types[] = {
    "",
    "image/jpeg", "image/png", "image/gif", "image/webp", "image/svg+xml", "image/bmp",
    "image/tiff",
    "application/pdf", "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.presentation",
    "application/rtf", "application/json", "application/zip", "application/x-rar-compressed",
    "application/vnd.rar", "application/x-7z-compressed", "application/gzip",
    "application/x-tar",
    "text/plain", "text/csv", "text/markdown", "text/html", "text/xml",
    "audio/mpeg", "audio/wav", "audio/ogg", "audio/mp4",
    "video/mp4", "video/webm", "video/ogg", "video/quicktime",
};

static enum err
judge_file(struct fail *fail, const char *content_type, int64_t size)
{
    size_t i, n = sizeof types / sizeof types[0];

    for (i = 0; i < n && strcmp(types[i], content_type) != 0; i++)
        continue;
    if (i == n)
        return err_fail(fail, ERR_MEDIA_TYPE, "content_type", "this type of file is not accepted");
    if (size < 1 || size > FILE_SIZE_MAX)
        return err_fail(fail, ERR_FILE_SIZE, "size", "a file has 1 to %d bytes", FILE_SIZE_MAX);
    return ERR_OK;
}

/* A key stays inside its dialog's folder, however it is decoded later. */
static bool
key_is_safe(const char *key, const struct id *dialog)
{
    char prefix[sizeof("dialogs//") + ID_TEXT_SIZE], id[ID_TEXT_SIZE];
    size_t len = utf8_length(key, strlen(key));

    strcpy(prefix, "dialogs/");
    strcat(prefix, id_text(dialog, id));
    strcat(prefix, "/");
    return len >= 1 && len <= FILE_KEY_MAX && strncmp(key, prefix, strlen(prefix)) == 0
           && !strstr(key, "..") && !strcasestr(key, "%2e") && !strchr(key, '\\');
}

static enum err
judge_one(struct fail *fail, const struct id *dialog, const struct in_attachment *a)
{
    size_t name_len = utf8_length(a->filename, strlen(a->filename));
    enum err e;

    if (!key_is_safe(a->key, dialog))
        return err_fail(fail, ERR_LIMIT, "s3_key", "s3_key does not belong to this dialog");
    if (name_len < 1 || name_len > FILENAME_MAX_LENGTH)
        return err_fail(fail, ERR_LIMIT, "filename", "a filename has 1 to %d characters",
                        FILENAME_MAX_LENGTH);
    if ((e = judge_file(fail, a->content_type, a->size)) != ERR_OK)
        return e;
    return err_fail(fail, ERR_LIMIT, "s3_key", "no file was uploaded under s3_key");
}

enum err
mtchat_judge_attachments(struct fail *fail, const struct id *dialog,
                         const struct list *attachments)
{
    const struct in_attachment *items = attachments->items;
    enum err e;
    size_t i;

    if (attachments->n > ATTACHMENTS_MAX)
        return err_fail(fail, ERR_TOO_MANY, "attachments", "a message has at most %d attachments",
                        ATTACHMENTS_MAX);
    for (i = 0; i < attachments->n; i++) {
        if ((e = judge_one(fail, dialog, &items[i])) != ERR_OK)
            return e;
    }
    return ERR_OK;
}
