/* vk - launch parameters of a VK mini-app: who opened it, signed by VK
 *
 * A query string whose vk_* pairs, in the order of their names, are under an HMAC-SHA256 with the
 * app's secure key; the signature stands in sign. Everything wrong with it is ERR_UNAUTHORIZED.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_VK_H
#define SHARED_VK_H

#include <stddef.h>
#include <stdint.h>

#include "shared/arena.h"
#include "shared/err.h"

#define VK_MAX 8192                 /* longer texts are refused unread, bytes */

struct vk_rules {
    const char *secret;             /* the app's secure key; NULL: nothing is accepted */
    const char *app_id;             /* what vk_app_id must be; NULL: anything */
    int64_t ttl_s;                  /* how old vk_ts may be; 0: it is not looked at */
};

/* Verifies a query string, with or without its '?'. *user_r: decimal text of vk_user_id. */
enum err vk_verify(struct arena *a, const char *text, const struct vk_rules *rules, int64_t now_ms,
                   const char **user_r);

#endif
