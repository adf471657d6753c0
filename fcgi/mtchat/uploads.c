/* uploads - files: not configured in this release, and said so
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/mtchat/mtchat.h"

enum err
mtchat_presign(struct request *q, struct reply *r)
{
    (void)r;
    return err_fail(&q->fail, ERR_NOT_CONFIGURED, NULL, "uploads are not configured");
}

/* No message can carry a file, so no attachment has an address. */
enum err
mtchat_attachment_url(struct request *q, struct reply *r)
{
    (void)r;
    return err_fail(&q->fail, ERR_NO_ATTACHMENT, NULL, "no such attachment");
}
