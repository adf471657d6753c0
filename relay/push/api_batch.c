/* api_batch - several calls of the server API in one
 *
 * All commands are read before the first is run. They run one after the other, each when the one before it was
 * answered, or, when asked, without waiting; answers come in the order of the commands.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/api.h"

#include <string.h>

struct batch_in {
    const char *commands;           /* raw: an array */
    bool parallel;
    struct api_call *calls;
    size_t n, next;                 /* of them; the first not yet run */
    bool running;                   /* the loop of go() is below us on the stack */
};

static const struct field fields[] = {
    { "commands", F_RAW, API_AT(batch_in, commands) },
    { "parallel", F_BOOL, API_AT(batch_in, parallel) },
    { 0 }
};

static void
finish(struct api_call *c)
{
    struct batch_in *in = c->in;

    json_open(&c->out, '{');
    json_key(&c->out, "replies");
    json_open(&c->out, '[');
    for (size_t i = 0; i < in->n; i++) {
        struct api_call *one = &in->calls[i];

        json_open(&c->out, '{');
        if (one->error) {
            json_key(&c->out, "error");
            api_write_error(&c->out, one->error);
        } else {
            json_key(&c->out, one->method->name);
            json_put_raw(&c->out, sbuf_str(&one->out));
        }
        json_close(&c->out, '}');
        api_call_fini(one);
    }
    json_close(&c->out, ']');
    json_close(&c->out, '}');
    api_done(c, PUSH_OK);
}

/* Runs what may be run now. A call that is answered at once comes back here while we loop: then the loop goes on by
 * itself, so that a long batch does not need a deep stack. */
static void
go(struct api_call *c)
{
    struct batch_in *in = c->in;

    if (in->running)
        return;
    in->running = true;
    while (in->next < in->n && (in->parallel || c->waiting == 0)) {
        c->waiting++;
        api_call_run(&in->calls[in->next++]);
    }
    in->running = false;
    if (c->waiting == 0)
        finish(c);
}

static void
one_done(struct api_call *one)
{
    struct api_call *c = one->owner;

    c->waiting--;
    go(c);
}

static void
run(struct api_call *c)
{
    go(c);
}

/* {"<method>": params}; an unknown method, or another batch, is that command's error. */
static enum err
read_command(struct api_call *c, struct api_call *one, const struct json *command, const char *text,
             size_t len)
{
    const struct json *member = json_first(command);
    const struct api_method *m;
    const char *params;

    one->push = c->push;
    one->arena = c->arena;
    one->done = one_done;
    one->owner = c;
    if (json_type(command) != JSON_OBJECT && !(json_type(command) == JSON_ARRAY && !member))
        return ERR_FIELD;
    for (; member; member = json_next(member))
        if ((m = api_method_find(json_name(member))) && m != &api_batch)
            break;
    if (!member) {
        one->error = PUSH_NO_METHOD;
        return ERR_OK;
    }
    params = json_raw(c->arena, text, len, m->name);
    return api_call_read(one, m, member, params, strlen(params));
}

static enum err
check(struct api_call *c, const struct json *object, const char *text, size_t len)
{
    const struct json *commands = json_get(object, "commands"), *command;
    struct batch_in *in = c->in;
    const char *at = in->commands, *element;
    size_t element_len;
    enum err e;

    (void)text, (void)len;
    if (json_type(commands) != JSON_ARRAY)
        return ERR_FIELD;
    in->n = json_count(commands);
    if (in->n > (size_t)c->push->config->push_batch_max)
        return ERR_LIMIT;
    in->calls = arena_array(c->arena, in->n, sizeof *in->calls);
    command = json_first(commands);
    for (size_t i = 0; i < in->n; i++, command = json_next(command)) {
        element = json_element(&at, &element_len);
        e = read_command(c, &in->calls[i], command, element, element_len);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

const struct api_method api_batch = {
    "batch", fields, sizeof(struct batch_in), { "commands" }, check, run,
};
