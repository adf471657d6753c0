/* photo - pictures that users give us to keep, as the database knows them
 *
 * The bytes are files of whoever calls these; what makes a photo is its row. One is announced before its
 * first byte is written and stored after its last one is safe, so whatever is killed in between leaves an
 * announced row, by which the file is found and removed.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_CHAT_PHOTO_H
#define SHARED_CHAT_PHOTO_H

#include <stddef.h>
#include <stdint.h>

#include "shared/chat/op.h"

#define PHOTO_NAME_LENGTH 43    /* characters of a name: A-Za-z0-9_- */

/* Numbers are those of the database. */
enum photo_type { PHOTO_PNG = 1, PHOTO_JPEG, PHOTO_GIF, PHOTO_WEBP };

/* Bytes that photo_sniff looks at. */
#define PHOTO_HEAD 12

struct photo {
    const char *name;           /* what it is fetched by: unguessable */
    enum photo_type type;
    int64_t bytes;
};

/* What the first bytes of a file say it is; false: none of these. */
bool photo_sniff(const void *head, size_t len, enum photo_type *type_r);

/* "image/png" */
const char *photo_media_type(enum photo_type type);

/* Of a Content-Type, which may have parameters; false: none of these. NULL is fine. */
bool photo_type_named(const char *media_type, enum photo_type *type_r);

/* Fills in p->name. ERR_TOO_LARGE: with it user would have more than eventchat_photos_max_bytes. */
enum err op_photo_announce(struct op *o, const char *user, struct photo *p);

/* From now on it can be fetched; p->bytes are those it really has. ERR_INTERNAL when it was given up meanwhile. */
enum err op_photo_stored(struct op *o, const struct photo *p);

/* Its row goes; its file should have gone before. */
enum err op_photo_forget(struct op *o, const char *name);

/* ERR_NO_ATTACHMENT. */
enum err op_photo_find(struct op *o, const char *name, struct photo *p_r);

/* A few that were announced long ago and are not stored: whoever was at it is dead. */
enum err op_photo_left(struct op *o, const char ***names_r, size_t *n_r);

#endif
