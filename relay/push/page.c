/* page - the operator's page at /admin, and the figures it draws
 *
 * The page itself is no secret: it asks for the key, keeps it in memory and sends it with every request for figures.
 * Its files lie in www/admin and are built in.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include "relay/push/page.h"

#include <stdlib.h>
#include <string.h>

#include "relay/push/api.h"

#define PLACE "/admin"

/* Everything from here and nothing else, no framing, no guessing of types. */
static const char headers[] =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cache-Control: no-cache\r\n";

static enum io_verdict
plain(struct io_answer *a, int status)
{
    a->status = status;
    a->content_type = NULL;
    return IO_ANSWER;
}

static const char *
type_of(const char *name)
{
    const char *dot = strrchr(name, '.');

    if (strcmp(dot, ".js") == 0)
        return "text/javascript; charset=utf-8";
    return strcmp(dot, ".css") == 0 ? "text/css; charset=utf-8" : "text/html; charset=utf-8";
}

static enum io_verdict
give_file(struct io_answer *a, const char *name)
{
    const struct page_file *f;

    for (f = page_files; f->name && strcmp(f->name, name) != 0; f++)
        ;
    if (!f->name)
        return plain(a, 404);
    a->status = 200;
    a->content_type = type_of(name);
    sbuf_puts(&a->headers, headers);
    a->body.max = strlen(f->text) + 1;
    sbuf_puts(&a->body, f->text);
    return IO_ANSWER;
}

/* One sample line, `name{labels} value`, as a member. Buckets of histograms are left out: there are many. */
static void
put_sample(struct sbuf *b, const char *line, size_t len)
{
    const char *value = memrchr(line, ' ', len);
    size_t name_len = value ? (size_t)(value - line) : 0;

    if (name_len == 0 || memmem(line, name_len, "_bucket{", strlen("_bucket{")))
        return;
    json_string_n(b, line, name_len);
    sbuf_putc(b, ':');
    sbuf_printf(b, "%.17g", strtod(value, NULL));
}

/* The same figures as /metrics. */
static void
write_figures(struct push *p, struct sbuf *b)
{
    struct sbuf text;
    const char *line, *end;

    sbuf_init(&text, 0);
    api_metrics(p, &text);
    json_open(b, '{');
    json_kv_int(b, "clients", p->n_clients);
    json_kv_int(b, "users", (int64_t)p->users.n);
    json_kv_int(b, "channels", (int64_t)hub_channels(p->hub));
    json_kv_int(b, "subscriptions", p->n_subscriptions);
    json_kv_int(b, "latency_p50_us", histogram_quantile(&p->latency, 0.5));
    json_kv_int(b, "latency_p99_us", histogram_quantile(&p->latency, 0.99));
    json_key(b, "metrics");
    json_open(b, '{');
    for (line = sbuf_str(&text); *line; line = end + (*end == '\n')) {
        end = strchrnul(line, '\n');
        if (*line != '#')
            put_sample(b, line, (size_t)(end - line));
    }
    json_close(b, '}');
    json_close(b, '}');
    sbuf_fini(&text);
}

static enum io_verdict
give_figures(struct push *p, const struct io_request *r, struct io_answer *a)
{
    if (!api_key_good(p, r))
        return plain(a, 401);
    a->status = 200;
    a->content_type = "application/json";
    sbuf_puts(&a->headers, "Cache-Control: no-store\r\n");
    a->body.max = API_ANSWER_MAX;
    write_figures(p, &a->body);
    return IO_ANSWER;
}

enum io_verdict
page_request(void *arg, const struct io_request *r, struct io_exchange *x, struct io_answer *a,
             struct io_client **client_r)
{
    const char *name = r->path + strlen(PLACE);

    (void)x, (void)client_r;
    if (strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0) {
        sbuf_puts(&a->headers, "Allow: GET, HEAD\r\n");
        return plain(a, 405);
    }
    if (!*name) {               /* so that the page's own links stay below */
        sbuf_puts(&a->headers, "Location: " PLACE "/\r\n");
        return plain(a, 302);
    }
    if (*name++ != '/')
        return plain(a, 404);
    if (strcmp(name, "figures") == 0)
        return give_figures(arg, r, a);
    return give_file(a, *name ? name : "index.html");
}
