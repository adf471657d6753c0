/* test_html - what stays in a message and what does not
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "shared/html.h"
#include "shared/utf8.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define REL " rel=\"noopener noreferrer\""
#define MESSAGE_MAX 50000           /* code points of the longest message */
#define SECONDS_MAX 20              /* of processor, also under a sanitizer on a slow machine */

struct html_case {
    const char *in, *out;
};

/* Sanitises and makes sure that a second time changes nothing. */
static void
sanitise(struct sbuf *out, const char *in, size_t len, bool *visible_r)
{
    struct sbuf again;
    bool visible;

    sbuf_init(out, 64 * 1024 * 1024);
    html_sanitise(out, in, len, visible_r);
    assert_false(out->failed);
    assert_true(utf8_valid(sbuf_str(out), out->len));
    sbuf_init(&again, 64 * 1024 * 1024);
    html_sanitise(&again, sbuf_str(out), out->len, &visible);
    assert_int_equal(again.len, out->len);
    assert_memory_equal(sbuf_str(&again), sbuf_str(out), out->len);
    assert_int_equal(visible, *visible_r);
    sbuf_fini(&again);
}

static void
run(const struct html_case *cases, size_t n)
{
    struct sbuf out;
    bool visible;
    size_t i;

    for (i = 0; i < n; i++) {
        sanitise(&out, cases[i].in, strlen(cases[i].in), &visible);
        assert_string_equal(sbuf_str(&out), cases[i].out);
        sbuf_fini(&out);
    }
}

static void
text_is_escaped(void **state)
{
    static const struct html_case cases[] = {
        { "", "" }, { "plain words", "plain words" }, { "a & b", "a &amp; b" },
        { "1 > 0", "1 &gt; 0" }, { "5 < 6", "5 &lt; 6" }, { "&lt;b&gt;", "&lt;b&gt;" },
        { "&amp;lt;", "&amp;lt;" }, { "\"quotes' stay\"", "\"quotes' stay\"" },
        { "a&nbsp;b\xc2\xa0" "c", "a&nbsp;b&nbsp;c" }, { "&eacute;&#x436;", "\xc3\xa9\xd0\xb6" },
        { "a\r\nb\rc", "a\nb\nc" }, { "a&#13;b", "ab" }, { "&#0;", "\xef\xbf\xbd" },
        { "a\x01\x0b\x7f\xc2\x85" "b\t\n\f&#1;&#x81;c", "ab\t\n\fc" }, { "\xc2\xa9\r\n\r", "\xc2\xa9\n\n" }, { "<", "&lt;" },
        { "x <", "x &lt;" }, { "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" }, { "&copy", "\xc2\xa9" },
    };

    (void)state;
    run(cases, COUNT(cases));
}

static void
good_markup_is_unchanged(void **state)
{
    static const char *const same[] = {
        "<p>a</p><p>b<br>c</p>",
        "<strong>a</strong><b>b</b><em>c</em><i>d</i><u>e</u><s>f</s><strike>g</strike>",
        "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul><ol><li>d</li></ol>",
        "<blockquote><p>q</p></blockquote>",
        "<pre><code class=\"language-c\">if (a &lt; b)\n\treturn;\n</code></pre>",
        "<pre>\n\nx</pre>",
        "<span data-type=\"mention\" data-id=\"7\" data-label=\"Ann\" data-mention=\"1\" class=\"m\">@Ann</span>",
        "<a href=\"https://x.example/?a=1&amp;b=2#c\" target=\"_blank\"" REL ">l</a>",
        "<p lang=\"de\" title=\"T&quot;&lt;&gt;&amp;&nbsp;\">x</p>",
    };
    struct html_case one;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(same); i++) {
        one = (struct html_case){ same[i], same[i] };
        run(&one, 1);
    }
}

static void
other_tags_go(void **state)
{
    static const struct html_case cases[] = {
        { "<h1>T</h1><div>d</div><img src=x onerror=y><form><input>f</form>", "Tdf" },
        { "<table><tr><td>c</td></tr></table>", "c" }, { "<unknown-tag>x</unknown-tag>", "x" },
        { "<P>up</P>", "<p>up</p>" }, { "<b>open", "<b>open</b>" }, { "</b>x", "x" },
        { "a<script>s()</script>b<style>t{}</style>c", "abc" },
        { "<iframe>i</iframe><object>o</object><embed>e", "e" },
        { "<template><b>t</b></template><noscript>n</noscript><title>t</title>x", "x" },
        { "<textarea><b></textarea><select><option>o</option></select><xmp><b></xmp>x", "x" },
        { "<svg><text>s</text></svg><svg><desc>d</desc></svg>x", "x" },
        { "<svg><b>s</b></svg>x", "<b>s</b>x" },         /* HTML: b ends the svg */
        { "<math><mi>m</mi></math>x", "x" },
        { "a<!-- c -->b<!doctype html>c<?php p ?>d<![CDATA[e]]>f", "abcdf" },
        { "<body onload=x>a</body></html>b", "ab" }, { "<plaintext><b>x", "&lt;b&gt;x" },
        { "<scr<script>ipt>x</script>y", "ipt&gt;xy" }, { "<b", "" }, { "x<b y", "x" },
    };

    (void)state;
    run(cases, COUNT(cases));
}

static void
attributes_are_chosen(void **state)
{
    static const struct html_case cases[] = {
        { "<p onclick=x style=y class=z id=i>a</p>", "<p>a</p>" },
        { "<p LANG=de Title=t>a</p>", "<p lang=\"de\" title=\"t\">a</p>" },
        { "<a href=/x rel=follow download name=n class=c>l</a>", "<a href=\"/x\"" REL ">l</a>" },
        { "<a>l</a>", "<a" REL ">l</a>" }, { "<b href=http://x>l</b>", "<b>l</b>" },
        { "<code class=language-c data-id=1>x</code>", "<code class=\"language-c\">x</code>" },
        { "<span class=\"a\nb\" data-evil=1 data-id='\"'>x</span>",
          "<span class=\"a\nb\" data-id=\"&quot;\">x</span>" },
        { "<span class>x</span>", "<span class=\"\">x</span>" },
        { "<span data-id=1 data-id=2>x</span>", "<span data-id=\"1\">x</span>" },
        { "<br class=x>", "<br>" },
    };

    (void)state;
    run(cases, COUNT(cases));
}

static void
urls_are_judged_like_browsers_do(void **state)
{
    static const struct { const char *href; bool stays; } cases[] = {
        { "http://x", true }, { "HTTPS://x", true }, { " \x01https:x", true }, { "/a", true },
        { "//x/y", true }, { "a/b:c", true }, { "?a:b", true }, { "#a:b", true }, { "", true },
        { ":x", true }, { "1a:x", true }, { "\xd0\xb6:x", true }, { "ht\ttp://x", true },
        { "javascript:x", false }, { "JaVaScRiPt:x", false }, { " javascript:x", false },
        { "\x01\x1fjavascript:x", false }, { "java\tscript:x", false }, { "java\nscript:x", false },
        { "javascript\n:x", false }, { "&#106;avascript:x", false }, { "javascript&colon;x", false },
        { "&#x01;javascript:x", false }, { "java&Tab;script:x", false }, { "&#13;javascript:x", false },
        { "java&#1;script:x", false },
        { "java\xc2\x81script:x", false }, { "&#x81;java&#x81;script:x", false }, { "\xc2\xa0javascript:x", true },
        { "vbscript:x", false }, { "data:text/html,x", false }, { "mailto:a@b", false },
        { "tel:1", false }, { "blob:x", false }, { "file:///x", false }, { "httpsx:y", false },
        { "http+x:y", false }, { "httpx:y", false }, { "htt:y", false },
    };
    char in[200];
    struct sbuf out;
    bool visible;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++) {
        snprintf(in, sizeof(in), "<a href=\"%s\">l</a>", cases[i].href);
        sanitise(&out, in, strlen(in), &visible);
        if ((strstr(sbuf_str(&out), " href=") != NULL) != cases[i].stays)
            fail_msg("%s -> %s", in, sbuf_str(&out));
        assert_non_null(strstr(sbuf_str(&out), REL ">l</a>"));
        sbuf_fini(&out);
    }
}

static void
odd_nesting_settles(void **state)
{
    static const struct html_case cases[] = {
        { "<p>a<p>b", "<p>a</p><p>b</p>" }, { "</p>", "<p></p>" }, { "x</br>y", "x<br>y" },
        { "<p><button><p>x", "<p></p><p>x</p><p></p>" },
        { "<a href=/1>x<a href=/2>y", "<a href=\"/1\"" REL ">x</a><a href=\"/2\"" REL ">y</a>" },
        { "<b>1<p>2</b>3</p>", "<b>1</b><p><b>2</b>3</p>" },
        { "<pre>\n\n\nx</pre>", "<pre>\n\n\nx</pre>" }, { "<pre>\nx</pre>", "<pre>x</pre>" },
        { "<pre><div>\nx</div></pre>", "<pre>\n\nx</pre>" },
        { "<table><b>x<tr><td>y", "<b>x</b>y" },
        { "<li><table><td><li>x", "<li></li><li>x</li>" },
    };

    (void)state;
    run(cases, COUNT(cases));
}

static void
visibility_is_told(void **state)
{
    static const struct { const char *in; bool visible; } cases[] = {
        { "", false }, { "<p></p><br>", false }, { "<p> &nbsp;&#8203;\n</p>", false },
        { "<script>x</script>", false }, { "<span title=x></span>", false }, { "<!-- x -->", false },
        { "<img src=x>", false }, { "x", true }, { "<p><b>.</b></p>", true }, { "&lt;", true },
    };
    struct sbuf out;
    bool visible;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++) {
        sanitise(&out, cases[i].in, strlen(cases[i].in), &visible);
        assert_int_equal(visible, cases[i].visible);
        sbuf_fini(&out);
    }
}

static void
nul_goes(void **state)
{
    struct sbuf out;
    bool visible;

    (void)state;
    sanitise(&out, "a\0b<s\0>c", 8, &visible);
    assert_string_equal(sbuf_str(&out), "ab<s>c</s>");
    sbuf_fini(&out);
}

static void
monstrous_messages_are_survived(void **state)
{
    static const char *const units[] = {
        "<b>", "<div>", "<a><p>", "<table>", "<ul><li>", "<b id=%d><p>x", "<b %d>", "<a><div>",
        "<table><b>", "<", "&", "<b><i></b>", "<p><b %d>", "</p>", "<a", "<svg>", "<template>",
        "<h1><b>", "<font size=%d><p>x", "\r", "<pre>\n", "<button><p>", "<!--", "<select>",
    };
    clock_t start = clock();
    struct sbuf in, out;
    bool visible;
    size_t i;
    int n;

    (void)state;
    for (i = 0; i < COUNT(units); i++) {
        sbuf_init(&in, MESSAGE_MAX);
        for (n = 0; !in.failed; n++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            sbuf_printf(&in, units[i], n);
#pragma GCC diagnostic pop
        }
        sanitise(&out, in.data, in.len, &visible);
        sbuf_fini(&in);
        sbuf_fini(&out);
    }
    sbuf_init(&in, MESSAGE_MAX);
    sbuf_puts(&in, "<span ");
    for (n = 0; !in.failed; n++)
        sbuf_printf(&in, "a%d ", n);
    sanitise(&out, in.data, in.len, &visible);
    sbuf_fini(&in);
    sbuf_fini(&out);
    assert_true(clock() - start < (clock_t)SECONDS_MAX * CLOCKS_PER_SEC);
}

static void
a_full_buffer_is_told(void **state)
{
    struct sbuf out;
    bool visible;

    (void)state;
    sbuf_init(&out, 10);
    html_sanitise(&out, "&&&", 3, &visible);
    assert_true(out.failed);
    sbuf_fini(&out);
    sbuf_init(&out, 12);
    sbuf_puts(&out, "ab");
    html_sanitise(&out, "&&", 2, &visible);
    assert_false(out.failed);
    assert_string_equal(sbuf_str(&out), "ab&amp;&amp;");
    sbuf_fini(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_escaped),
        cmocka_unit_test(good_markup_is_unchanged),
        cmocka_unit_test(other_tags_go),
        cmocka_unit_test(attributes_are_chosen),
        cmocka_unit_test(urls_are_judged_like_browsers_do),
        cmocka_unit_test(odd_nesting_settles),
        cmocka_unit_test(visibility_is_told),
        cmocka_unit_test(nul_goes),
        cmocka_unit_test(monstrous_messages_are_survived),
        cmocka_unit_test(a_full_buffer_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
