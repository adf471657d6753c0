/* fuzz_push_command - what a stranger may send to the push server: a message of commands, a bare connect
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "relay/push/command.h"
#include "shared/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool fine)
{
    if (!fine)
        abort();
}

static void
check_text(const char *s)
{
    check(s && utf8_valid(s, strlen(s)));
}

/* Absent, or in one line. */
static void
check_raw(const char *s)
{
    check(!s || (*s && utf8_valid(s, strlen(s)) && !strpbrk(s, "\r\n")));
}

static void
check_connect(const struct command_connect *c)
{
    check_text(c->token);
    check_text(c->name);
    check_text(c->version);
    check_raw(c->data);
    for (size_t i = 0; i < c->n_subs; i++) {
        check_text(c->subs[i].channel);
        check(*c->subs[i].channel != '\0');
        check_text(c->subs[i].epoch);
        check(c->subs[i].offset < (uint64_t)1 << 53);
    }
}

static bool
names_channel(enum command_method m)
{
    return (m >= COMMAND_SUBSCRIBE && m <= COMMAND_HISTORY) || m == COMMAND_SUB_REFRESH;
}

static void
check_command(const struct command *c)
{
    check(c->method <= COMMAND_UNKNOWN);
    check(c->id || c->method == COMMAND_PONG || c->method == COMMAND_SEND);
    check_connect(&c->connect);
    check_text(c->channel);
    check(!names_channel(c->method) || *c->channel);
    check_text(c->token);
    check_text(c->rpc_method);
    check_text(c->recover.epoch);
    check_text(c->recover.channel);
    check_text(c->delta);
    check_text(c->since_epoch);
    check_raw(c->data);
    check(c->method != COMMAND_PUBLISH || c->data);
    check(c->recover.offset < (uint64_t)1 << 53 && c->since_offset < (uint64_t)1 << 53);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct command_reader r = { .at = text, .end = text + size };
    struct arena *a = arena_new();
    struct command_connect connect;
    struct command c;
    size_t n = 0;
    enum err e;

    while ((e = command_next(a, &r, &c)) == ERR_OK) {
        check_command(&c);
        n++;
    }
    check(e == ERR_MALFORMED || (e == ERR_NOT_FOUND && n > 0));
    if (command_connect_read(a, text, size, &connect) == ERR_OK)
        check_connect(&connect);
    arena_free(a);
    return 0;
}
