/* photo - what a file is by its first bytes, and what that is called
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/chat/photo.h"

#include <string.h>
#include <strings.h>

static const struct {
    enum photo_type type;
    const char *media_type;
    const char *head;
    size_t len;
} types[] = {
    { PHOTO_PNG, "image/png", "\x89PNG\r\n\x1a\n", 8 },
    { PHOTO_JPEG, "image/jpeg", "\xff\xd8\xff", 3 },
    { PHOTO_GIF, "image/gif", "GIF87a", 6 },
    { PHOTO_GIF, "image/gif", "GIF89a", 6 },
    { PHOTO_WEBP, "image/webp", "RIFF", 4 },
};

#define N_TYPES (sizeof types / sizeof *types)
#define WEBP_AT 8               /* behind "RIFF" and a length: which kind of RIFF */

bool
photo_sniff(const void *head, size_t len, enum photo_type *type_r)
{
    const char *bytes = head;

    for (size_t i = 0; i < N_TYPES; i++) {
        if (len < types[i].len || memcmp(bytes, types[i].head, types[i].len) != 0)
            continue;
        if (types[i].type == PHOTO_WEBP
            && (len < PHOTO_HEAD || memcmp(bytes + WEBP_AT, "WEBP", PHOTO_HEAD - WEBP_AT) != 0))
            continue;
        *type_r = types[i].type;
        return true;
    }
    return false;
}

const char *
photo_media_type(enum photo_type type)
{
    for (size_t i = 0; i < N_TYPES; i++)
        if (types[i].type == type)
            return types[i].media_type;
    return "application/octet-stream";
}

bool
photo_type_named(const char *media_type, enum photo_type *type_r)
{
    size_t len = media_type != NULL ? strcspn(media_type, "; \t") : 0;

    for (size_t i = 0; i < N_TYPES; i++) {
        if (strlen(types[i].media_type) == len
            && strncasecmp(types[i].media_type, media_type, len) == 0) {
            *type_r = types[i].type;
            return true;
        }
    }
    return false;
}
