/* push_token - tokens and keys for the push server, as an application would make them
 *
 * SPDX-License-Identifier: MIT
 */
#include "ctl/ctl.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "shared/json.h"
#include "shared/jws.h"
#include "shared/sbuf.h"
#include "shared/when.h"

#define EXPIRES_DEFAULT_S (12 * 60 * 60)
#define KEY_BYTES  32
#define INFO_DEPTH 32

struct wish {
    const char *user;
    const char *channel;        /* NULL: a connection token */
    const char *info;           /* raw JSON or NULL */
    int64_t expires_s;
};

static void
put_claims(const struct config *c, const struct wish *w, struct sbuf *out)
{
    int64_t now_s = when_now_ms() / 1000;

    json_open(out, '{');
    json_kv(out, "sub", w->user);
    if (w->channel != NULL)
        json_kv(out, "channel", w->channel);
    if (w->info != NULL) {
        json_key(out, "info");
        json_put_raw(out, w->info);
    }
    json_kv_int(out, "iat", now_s);
    json_kv_int(out, "exp", now_s + w->expires_s);
    if (c->push_token_audience[0] != '\0')
        json_kv(out, "aud", c->push_token_audience);
    if (c->push_token_issuer[0] != '\0')
        json_kv(out, "iss", c->push_token_issuer);
    json_close(out, '}');
}

static int
mint(const struct config *c, const struct wish *w)
{
    struct sbuf claims, out;
    bool failed;

    if (c->push_token_secret[0] == '\0')
        return ctl_fail("push_token_secret is not set");
    sbuf_init(&claims, (size_t)c->push_token_max);
    sbuf_init(&out, (size_t)c->push_token_max);
    put_claims(c, w, &claims);
    jws_mint(&out, c->push_token_secret, sbuf_str(&claims), claims.len);
    failed = claims.failed || out.failed;
    if (!failed)
        puts(sbuf_str(&out));
    sbuf_fini(&claims);
    sbuf_fini(&out);
    return failed ? ctl_fail("that token would be longer than push_token_max") : 0;
}

int
ctl_push_token(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {
        { "user", required_argument, NULL, 'u' },
        { "expires", required_argument, NULL, 'e' },
        { "channel", required_argument, NULL, 'c' },
        { "info", required_argument, NULL, 'i' },
        { 0 }
    };
    struct wish w = { .expires_s = EXPIRES_DEFAULT_S };
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'u') {
            w.user = optarg;
        } else if (c == 'c' && optarg[0] != '\0') {
            w.channel = optarg;
        } else if (c == 'i') {
            w.info = json_compact(ctl->arena, optarg, strlen(optarg), INFO_DEPTH);
            if (w.info == NULL)
                return ctl_fail("--info must be JSON");
        } else if (c != 'e' || !ctl_seconds(optarg, &w.expires_s)) {
            return CTL_USAGE;
        }
    }
    if (optind != argc || w.user == NULL)
        return CTL_USAGE;
    return mint(ctl->config, &w);
}

int
ctl_push_key(struct ctl *ctl, int argc, char **argv)
{
    unsigned char key[KEY_BYTES];
    size_t i;

    (void)ctl;
    (void)argv;
    if (argc != 1)
        return CTL_USAGE;
    if (getrandom(key, sizeof key, 0) != sizeof key)
        return ctl_fail("the system has no random bytes");
    for (i = 0; i < sizeof key; i++)
        printf("%02x", key[i]);
    putchar('\n');
    return 0;
}
