/* html - what may stay in a message
 *
 * Gumbo parses, a walk over its tree writes what the tables below allow. Taking tags away can
 * make the rest parse differently (a paragraph that stood in a table cell inside a paragraph), so the
 * result is parsed again until nothing changes any more; what does not settle, or is so
 * pathological that parsing passes its budget, is kept as text without any tags.
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/html.h"

#include <gumbo.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "shared/utf8.h"

/* What is parsed is a whole document, all of whose buffers begin so. (As a fragment, gumbo 0.10
 * aborts on some misplaced tags, which a body that is really there prevents.) */
#define PROLOGUE "<!DOCTYPE html><body>"
#define PROLOGUE_LEN (sizeof PROLOGUE - 1)

#define PASSES_MAX 6            /* real messages settle in one or two */
#define DEPTH_MAX 100           /* kept tags inside each other; deeper ones are unwrapped */
#define INPUT_MAX (64 * 1024 * 1024)    /* gumbo counts in unsigned int */
#define HEAP_BASE (1024 * 1024) /* memory of one parse: this, */
#define HEAP_PER_BYTE 300       /* and this for each byte (dense nesting of tags needs 150) */
#define CHUNK_FIRST 16384
#define CHUNK_LARGEST (1024 * 1024)

/* ---- the tables ---- */

#define ATTRIBUTES_MAX 6

struct kept_tag {
    GumboTag tag;
    const char *name;
    const char *attributes[ATTRIBUTES_MAX];     /* besides lang and title */
};

static const struct kept_tag kept_tags[] = {
    { GUMBO_TAG_P, "p", { NULL } },
    { GUMBO_TAG_BR, "br", { NULL } },
    { GUMBO_TAG_STRONG, "strong", { NULL } },
    { GUMBO_TAG_B, "b", { NULL } },
    { GUMBO_TAG_EM, "em", { NULL } },
    { GUMBO_TAG_I, "i", { NULL } },
    { GUMBO_TAG_U, "u", { NULL } },
    { GUMBO_TAG_S, "s", { NULL } },
    { GUMBO_TAG_STRIKE, "strike", { NULL } },
    { GUMBO_TAG_A, "a", { "href", "target" } },
    { GUMBO_TAG_UL, "ul", { NULL } },
    { GUMBO_TAG_OL, "ol", { NULL } },
    { GUMBO_TAG_LI, "li", { NULL } },
    { GUMBO_TAG_BLOCKQUOTE, "blockquote", { NULL } },
    { GUMBO_TAG_CODE, "code", { "class" } },
    { GUMBO_TAG_PRE, "pre", { "class" } },
    { GUMBO_TAG_SPAN, "span",
      { "data-type", "data-id", "data-label", "data-mention", "class" } },
};

static const GumboTag dropped_tags[] = {
    GUMBO_TAG_SCRIPT, GUMBO_TAG_STYLE, GUMBO_TAG_IFRAME, GUMBO_TAG_OBJECT, GUMBO_TAG_EMBED,
    GUMBO_TAG_TEMPLATE, GUMBO_TAG_NOSCRIPT, GUMBO_TAG_TITLE, GUMBO_TAG_TEXTAREA, GUMBO_TAG_SVG,
    GUMBO_TAG_MATH, GUMBO_TAG_SELECT, GUMBO_TAG_XMP,
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct kept_tag *
find_kept(GumboTag tag)
{
    size_t i;

    for (i = 0; i < COUNT(kept_tags); i++)
        if (kept_tags[i].tag == tag)
            return &kept_tags[i];
    return NULL;
}

/* Does this element go with everything in it? */
static bool
is_dropped(const GumboElement *e)
{
    size_t i;

    if (e->tag_namespace != GUMBO_NAMESPACE_HTML)
        return true;
    for (i = 0; i < COUNT(dropped_tags); i++)
        if (dropped_tags[i] == e->tag)
            return true;
    return false;
}

static bool
attribute_stays(const struct kept_tag *kept, const char *name)
{
    size_t i;

    for (i = 0; i < ATTRIBUTES_MAX && kept->attributes[i] != NULL; i++)
        if (strcmp(kept->attributes[i], name) == 0)
            return true;
    return strcmp(name, "lang") == 0 || strcmp(name, "title") == 0;
}

/* Bytes of the control character at p, 0 when there is none. Tab, line feed and form feed count as
 * white space; the others show nothing and the parser would make U+FFFD of them, so they are left
 * out everywhere. */
static size_t
control_len(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;

    if (*u == 0x7f || (*u < 0x20 && *u != '\0' && *u != '\t' && *u != '\n' && *u != '\f'))
        return 1;
    return u[0] == 0xc2 && u[1] >= 0x80 && u[1] <= 0x9f ? 2 : 0;
}

/* Bytes at p that a browser, or control_len() on writing, takes out of a URL. */
static size_t
url_noise_len(const char *p)
{
    return *p == '\t' || *p == '\n' || *p == '\f' ? 1 : control_len(p);
}

/* RFC 3986 section 3.1, in ASCII whatever the locale. */
static bool
is_scheme_char(char c, bool first)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return true;
    return !first && c != '\0' && strchr("0123456789+-.", c) != NULL;
}

/* Decides as a browser would read the URL: white space and controls in front do not count, tabs
 * and line ends nowhere. Without a scheme it is relative and may stay. */
static bool
url_stays(const char *url)
{
    char scheme[sizeof("https")];
    size_t noise, n = 0;

    while (*url != ':') {
        noise = n == 0 && *url == ' ' ? 1 : url_noise_len(url);
        if (noise > 0) {
            url += noise;
            continue;
        }
        if (!is_scheme_char(*url, n == 0))
            return true;        /* no scheme */
        if (n < sizeof scheme - 1)
            scheme[n] = *url;
        n++;
        url++;
    }
    if (n == 0)
        return true;            /* ":x" is relative */
    if (n >= sizeof scheme)
        return false;
    scheme[n] = '\0';
    return strcasecmp(scheme, "http") == 0 || strcasecmp(scheme, "https") == 0;
}

/* ---- parsing, within a memory budget ---- */

struct chunk {
    struct chunk *older;
    _Alignas(max_align_t) unsigned char bytes[];
};

/* Gumbo does not expect its allocator to fail, so that jumps out of it; everything it took
 * lies in the chunks. This also spares the tree's recursive release. */
struct heap {
    jmp_buf gave_up;
    struct chunk *chunks;
    size_t left, size;          /* of the newest chunk */
    size_t budget;
};

static void *
heap_alloc(void *arg, size_t n)
{
    struct heap *h = arg;
    struct chunk *c;
    size_t size;

    n = (n + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (n > h->left) {
        size = h->size == 0 ? CHUNK_FIRST : h->size < CHUNK_LARGEST ? h->size * 2 : h->size;
        if (size < n)
            size = n;
        if (size > h->budget || (c = malloc(sizeof *c + size)) == NULL)
            longjmp(h->gave_up, 1);
        h->budget -= size;
        c->older = h->chunks;
        h->chunks = c;
        h->left = h->size = size;
    }
    h->left -= n;
    return h->chunks->bytes + h->left;
}

static void
heap_release(void *arg, void *p)
{
    (void)arg;
    (void)p;
}

static void
heap_free(struct heap *h)
{
    struct chunk *c;

    while ((c = h->chunks) != NULL) {
        h->chunks = c->older;
        free(c);
    }
}

/* The node at index among parent's children, NULL behind the last. */
static const GumboNode *
child_at(const GumboNode *parent, size_t index)
{
    const GumboVector *children = &parent->v.element.children;

    return index < children->length ? children->data[index] : NULL;
}

static const GumboNode *
find_body(const GumboNode *root)
{
    const GumboNode *node = NULL;
    size_t i;

    for (i = 0; (node = child_at(root, i)) != NULL; i++)
        if (node->type == GUMBO_NODE_ELEMENT && node->v.element.tag == GUMBO_TAG_BODY)
            break;
    return node;
}

/* The body of the document, NULL when the budget was passed. */
static const GumboNode *
parse(struct heap *h, const struct sbuf *html)
{
    GumboOptions options = kGumboDefaultOptions;
    const GumboOutput *output;

    options.allocator = heap_alloc;
    options.deallocator = heap_release;
    options.userdata = h;
    options.max_errors = 0;
    if (setjmp(h->gave_up) != 0)
        return NULL;
    output = gumbo_parse_with_options(&options, sbuf_str(html), html->len);
    return find_body(output->root);
}

/* ---- writing ---- */

struct walk {
    struct sbuf *out;
    bool tags;                  /* false: text only */
    bool visible;
    bool after_pre;             /* nothing was written since <pre> */
    int depth;
    const GumboNode *open[DEPTH_MAX];   /* whose tags have been written */
};

/* Control characters get here by character references. */
static void
put_escaped(struct sbuf *out, const char *s, bool in_attribute)
{
    size_t n;

    for (; *s != '\0'; s++) {
        if (*s == '&')
            sbuf_puts(out, "&amp;");
        else if (*s == '<')
            sbuf_puts(out, "&lt;");
        else if (*s == '>')
            sbuf_puts(out, "&gt;");
        else if (*s == '"' && in_attribute)
            sbuf_puts(out, "&quot;");
        else if (s[0] == '\xc2' && s[1] == '\xa0')
            sbuf_puts(out, "&nbsp;"), s++;
        else if ((n = control_len(s)) > 0)
            s += n - 1;
        else
            sbuf_putc(out, *s);
    }
}

static void
put_text(struct walk *w, const char *text)
{
    size_t n;

    while ((n = control_len(text)) > 0)
        text += n;
    if (text[0] == '\0')
        return;
    if (w->after_pre && text[0] == '\n')
        sbuf_putc(w->out, '\n');        /* the parser swallows the first one */
    w->after_pre = false;
    put_escaped(w->out, text, false);
    w->visible = w->visible || utf8_visible(text, strlen(text));
}

static void
put_start_tag(struct walk *w, const struct kept_tag *kept, const GumboElement *e)
{
    const GumboAttribute *attribute;
    unsigned i;

    sbuf_printf(w->out, "<%s", kept->name);
    for (i = 0; i < e->attributes.length; i++) {
        attribute = e->attributes.data[i];
        if (!attribute_stays(kept, attribute->name))
            continue;
        if (strcmp(attribute->name, "href") == 0 && !url_stays(attribute->value))
            continue;
        sbuf_printf(w->out, " %s=\"", attribute->name);
        put_escaped(w->out, attribute->value, true);
        sbuf_putc(w->out, '"');
    }
    if (kept->tag == GUMBO_TAG_A)
        sbuf_puts(w->out, " rel=\"noopener noreferrer\"");
    sbuf_putc(w->out, '>');
    w->after_pre = kept->tag == GUMBO_TAG_PRE;
}

/* Writes what stands before node's children; tells whether they are to be walked. */
static bool
enter(struct walk *w, const GumboNode *node)
{
    const struct kept_tag *kept;

    if (node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE)
        put_text(w, node->v.text.text);
    if (node->type != GUMBO_NODE_ELEMENT || is_dropped(&node->v.element))
        return false;
    kept = find_kept(node->v.element.tag);
    if (kept == NULL || !w->tags || w->depth == DEPTH_MAX)
        return true;
    put_start_tag(w, kept, &node->v.element);
    if (kept->tag == GUMBO_TAG_BR)
        return false;
    w->open[w->depth++] = node;
    return true;
}

static void
leave(struct walk *w, const GumboNode *node)
{
    if (w->depth == 0 || w->open[w->depth - 1] != node)
        return;
    w->depth--;
    w->after_pre = false;
    sbuf_printf(w->out, "</%s>", find_kept(node->v.element.tag)->name);
}

/* Everything below root, without recursion: trees may be as deep as messages are long. */
static void
walk(struct walk *w, const GumboNode *root)
{
    const GumboNode *node = child_at(root, 0), *next;

    while (node != NULL) {
        if (enter(w, node) && (next = child_at(node, 0)) != NULL) {
            node = next;
            continue;
        }
        for (;;) {
            leave(w, node);
            next = child_at(node->parent, node->index_within_parent + 1);
            if (next != NULL || node->parent == root)
                break;
            node = node->parent;
        }
        node = next;
    }
}

/* ---- the passes ---- */

/* One pass from html to out, both with prologue. False when parsing gave up. */
static bool
pass(struct sbuf *out, const struct sbuf *html, bool tags, bool *visible_r)
{
    struct heap heap = { .budget = HEAP_BASE + HEAP_PER_BYTE * html->len };
    struct walk w = { .out = out, .tags = tags };
    const GumboNode *root = parse(&heap, html);

    sbuf_puts(out, PROLOGUE);
    if (root != NULL)
        walk(&w, root);
    heap_free(&heap);
    *visible_r = w.visible;
    return root != NULL;
}

/* Line ends as the parser would make them; no NUL, no other control characters. */
static void
clean(struct sbuf *out, const char *html, size_t len)
{
    const char *p, *end = html + len;

    sbuf_puts(out, PROLOGUE);
    for (p = html; p < end; p++) {
        if (*p == '\r' && (p + 1 == end || p[1] != '\n'))
            sbuf_putc(out, '\n');
        else if (*p == '\xc2' && p + 1 < end && control_len(p) == 2)
            p++;
        else if (*p == '\xc2' || (*p != '\0' && control_len(p) == 0))
            sbuf_putc(out, *p);
    }
}

static bool
is_same(const struct sbuf *a, const struct sbuf *b)
{
    return a->len == b->len && memcmp(sbuf_str(a), sbuf_str(b), a->len) == 0;
}

/* Passes over *now until it stays the same; *next is scratch. */
static void
settle(struct sbuf *now, struct sbuf *next, bool *visible_r)
{
    struct sbuf swap;
    bool done = false;
    int i;

    for (i = 0; i <= PASSES_MAX && !done && !now->failed; i++) {
        sbuf_reset(next);
        if (!pass(next, now, i < PASSES_MAX, visible_r)) {
            put_escaped(next, now->data + PROLOGUE_LEN, false);
            *visible_r = utf8_visible(now->data + PROLOGUE_LEN, now->len - PROLOGUE_LEN);
            done = true;
        }
        done = done || is_same(now, next);
        swap = *now;
        *now = *next;
        *next = swap;
    }
}

void
html_sanitise(struct sbuf *out, const char *html, size_t len, bool *visible_r)
{
    struct sbuf now, next;
    size_t max;

    *visible_r = false;
    if (len > INPUT_MAX) {
        out->failed = true;
        return;
    }
    max = out->max < SIZE_MAX - PROLOGUE_LEN ? out->max + PROLOGUE_LEN : out->max;
    sbuf_init(&now, max);
    sbuf_init(&next, max);
    clean(&now, html, len);
    settle(&now, &next, visible_r);
    if (now.failed)
        out->failed = true;
    else
        sbuf_put(out, now.data + PROLOGUE_LEN, now.len - PROLOGUE_LEN);
    sbuf_fini(&now);
    sbuf_fini(&next);
}
