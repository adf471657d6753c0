/* wire_named - named events as clients see them
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/wire_named.h"

#include <string.h>

#include "relay/socketio/packet.h"
#include "shared/json.h"

#define FRAME_DEPTH 32          /* nesting of a client's frame */

static const char body_begins[] = "{\"event\":";
static const char body_goes_on[] = ",\"data\":";

_Static_assert(NAMED_NO_ACK == SIO_NO_ACK, "they are handed on as they are");

const char *
named_read(struct arena *a, const char *p, size_t len, struct named_event *e_r)
{
    struct json *v;
    const char *name;

    if (json_parse(a, p, len, FRAME_DEPTH, &v, NULL) != ERR_OK)
        return "The frame is not valid JSON";
    if (json_type(v) != JSON_OBJECT)
        return "The frame is not a JSON object";
    if (!(name = json_text(json_get(v, "event"))) || json_nul_present(name))
        return "event is missing or not a text";
    *e_r = (struct named_event){
        .name = name, .data = json_raw(a, p, len, "data"), .size = len, .ack = NAMED_NO_ACK,
    };
    return NULL;
}

void
named_of_args(struct arena *a, const char *name, const char *args, int64_t ack,
              struct named_event *e_r)
{
    const char *at = args, *data;
    size_t len;

    *e_r = (struct named_event){ .name = name, .size = strlen(args), .ack = ack };
    if ((data = json_element(&at, &len)))
        e_r->data = arena_copy(a, data, len);
}

void
named_put(struct sbuf *out, const char *namespace, const char *name, const char *payload)
{
    if (namespace) {
        sio_put_event(out, namespace);
        sbuf_putc(out, '[');
        json_string(out, name);
        sbuf_putc(out, ',');
        sbuf_puts(out, payload);
        sbuf_putc(out, ']');
        return;
    }
    sbuf_puts(out, body_begins);
    json_string(out, name);
    sbuf_puts(out, body_goes_on);
    sbuf_puts(out, payload);
    sbuf_putc(out, '}');
}

/* Bytes of the JSON text that begins at p, with its quotes; 0: there is none. */
static size_t
text_length(const char *p, size_t len)
{
    if (len == 0 || p[0] != '"')
        return 0;
    for (size_t i = 1; i < len; i++) {
        if (p[i] == '"')
            return i + 1;
        i += p[i] == '\\';
    }
    return 0;
}

/* Steps over that text; false: it is not what comes. */
static bool
step_over(const char **p, size_t *len, const char *text)
{
    size_t n = strlen(text);

    if (*len < n || memcmp(*p, text, n) != 0)
        return false;
    *p += n;
    *len -= n;
    return true;
}

void
named_put_body(struct sbuf *out, const char *namespace, const char *body, size_t len)
{
    const char *p = body, *name;
    size_t rest = len, name_len;

    if (!step_over(&p, &rest, body_begins))
        return;
    name = p;
    name_len = text_length(name, rest);
    p += name_len;
    rest -= name_len;
    if (name_len == 0 || !step_over(&p, &rest, body_goes_on) || rest < 2 || p[rest - 1] != '}')
        return;
    if (!namespace) {
        sbuf_put(out, body, len);
        return;
    }
    sio_put_event(out, namespace);
    sbuf_putc(out, '[');
    sbuf_put(out, name, name_len);
    sbuf_putc(out, ',');
    sbuf_put(out, p, rest - 1);
    sbuf_putc(out, ']');
}
