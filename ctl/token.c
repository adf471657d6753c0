/* token - mints a token for one user, as a host application would
 *
 * SPDX-License-Identifier: MIT
 */
#include "ctl/ctl.h"

#include <getopt.h>
#include <stdio.h>

#include "shared/sbuf.h"
#include "shared/token.h"
#include "shared/when.h"

#define EXPIRES_DEFAULT_S (12 * 60 * 60)

static int
mint(const struct config *c, const char *user, int64_t expires_s)
{
    const char *audience = c->jwt_audience[0] != '\0' ? c->jwt_audience : NULL;
    int64_t now_s = when_now_ms() / 1000;
    struct sbuf out;

    if (c->jwt_keys == NULL || c->jwt_keys[0] == NULL)
        return ctl_fail("neither jwt_secret nor jwt_secrets is set");
    sbuf_init(&out, TOKEN_MAX);
    token_mint(&out, c->jwt_keys[0], c->jwt_user_id_claim, user, now_s, now_s + expires_s,
               audience);
    if (out.failed) {
        sbuf_fini(&out);
        return ctl_fail("that token would be too long");
    }
    puts(sbuf_str(&out));
    sbuf_fini(&out);
    return 0;
}

int
ctl_token(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {
        { "user", required_argument, NULL, 'u' },
        { "expires", required_argument, NULL, 'e' },
        { 0 }
    };
    const char *user = NULL;
    int64_t expires_s = EXPIRES_DEFAULT_S;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'u')
            user = optarg;
        else if (c != 'e' || !ctl_seconds(optarg, &expires_s))
            return CTL_USAGE;
    }
    if (optind != argc || user == NULL || user[0] == '\0')
        return CTL_USAGE;
    return mint(ctl->config, user, expires_s);
}
