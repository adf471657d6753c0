/* http_post - libcurl's owner
 *
 * A transfer runs on a multi handle, though it is always only one: that can be woken from outside, so
 * that the end of the relay need not wait for a server that hangs.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/http_post.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "relay/address.h"
#include "relay/mem.h"
#include "shared/jws.h"
#include "shared/when.h"

#define ANSWER_MAX 65536            /* of an answer; the rest is not waited for */

struct http_poster {
    CURL *easy;
    CURLM *multi;
    struct curl_slist *headers;
    size_t answered;                /* bytes of the answer so far */
    bool kept_out;                  /* an address was refused */
    _Atomic int64_t end_ms;
    char why[CURL_ERROR_SIZE];
};

static void
init_library(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Of head and body. Refusing more ends the transfer; the status has come by then, and that is all we want. */
static size_t
ignore_answer(char *p, size_t size, size_t n, void *arg)
{
    struct http_poster *poster = arg;

    (void)p;
    poster->answered += size * n;
    return poster->answered <= ANSWER_MAX ? size * n : 0;
}

static size_t
keep_answer(char *p, size_t size, size_t n, void *arg)
{
    struct sbuf *answer = arg;

    sbuf_put(answer, p, size * n);
    return answer->failed ? 0 : size * n;
}

static void
add_header(struct http_poster *p, const char *line)
{
    struct curl_slist *more = curl_slist_append(p->headers, line);

    if (!more)
        arena_exhausted(strlen(line));
    p->headers = more;
}

/* Judged when the address is known and about to be connected to: a name may resolve to another one each time. */
static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct http_poster *p = arg;

    if (purpose != CURLSOCKTYPE_IPCXN || !address_is_public(&to->addr, to->addrlen)) {
        p->kept_out = true;
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static void
set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);     /* a name server that hangs holds nobody */
#endif
}

static void
set_headers(struct http_poster *p, const struct http_post *r)
{
    curl_slist_free_all(p->headers);
    p->headers = NULL;
    add_header(p, "Content-Type: application/json");
    add_header(p, "Expect:");
    for (size_t i = 0; r->headers && r->headers[i]; i++)
        add_header(p, r->headers[i]);
    curl_easy_setopt(p->easy, CURLOPT_HTTPHEADER, p->headers);
}

/* A proxy would connect for us, to wherever it likes. */
static void
set_way(struct http_poster *p, const struct http_post *r)
{
    if (r->direct || r->public_only)
        curl_easy_setopt(p->easy, CURLOPT_PROXY, "");
    if (r->public_only) {
        curl_easy_setopt(p->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
        curl_easy_setopt(p->easy, CURLOPT_OPENSOCKETDATA, p);
    }
}

static void
set_up(struct http_poster *p, const struct http_post *r)
{
    CURL *easy = p->easy;

    curl_easy_reset(easy);
    set_headers(p, r);
    set_protocols(easy);
    set_way(p, r);
    curl_easy_setopt(easy, CURLOPT_URL, r->url);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, r->body);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "confab-relay/" PACKAGE_VERSION);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, r->answer ? keep_answer : ignore_answer);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, r->answer ? (void *)r->answer : p);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, ignore_answer);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, p);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, p->why);
    p->answered = 0;
    p->kept_out = false;
    p->why[0] = '\0';
}

/* How libcurl says the transfer ended; CURLE_ABORTED_BY_CALLBACK when we ended it. */
static CURLcode
transfer(struct http_poster *p)
{
    CURLcode result = CURLE_ABORTED_BY_CALLBACK;
    int running = 1, n;
    CURLMsg *m;

    if (curl_multi_add_handle(p->multi, p->easy) != CURLM_OK)
        return CURLE_OUT_OF_MEMORY;
    while (when_monotonic_ms() < atomic_load(&p->end_ms)) {
        if (curl_multi_perform(p->multi, &running) != CURLM_OK || !running)
            break;
        int64_t left = atomic_load(&p->end_ms) - when_monotonic_ms();

        curl_multi_poll(p->multi, NULL, 0, left > 1000 ? 1000 : left > 0 ? (int)left : 0, NULL);
    }
    while ((m = curl_multi_info_read(p->multi, &n)))
        if (m->msg == CURLMSG_DONE)
            result = m->data.result;
    curl_multi_remove_handle(p->multi, p->easy);
    return result;
}

static bool
is_hopeless(CURLcode c)
{
    return c == CURLE_UNSUPPORTED_PROTOCOL || c == CURLE_URL_MALFORMAT;
}

static enum http_outcome
judge_status(struct http_poster *p, long status)
{
    snprintf(p->why, sizeof p->why, "status %ld", status);
    if (status >= 200 && status < 300)
        return HTTP_POSTED;
    return status >= 400 && status < 500 && status != 408 && status != 429 ? HTTP_REFUSED
                                                                           : HTTP_FAILED;
}

struct http_poster *
http_poster_new(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct http_poster *p = mem_new(sizeof *p);

    pthread_once(&once, init_library);
    atomic_init(&p->end_ms, INT64_MAX);
    p->easy = curl_easy_init();
    p->multi = curl_multi_init();
    if (!p->easy || !p->multi) {
        http_poster_free(p);
        return NULL;
    }
    return p;
}

void
http_poster_free(struct http_poster *p)
{
    if (!p)
        return;
    if (p->easy)
        curl_easy_cleanup(p->easy);
    if (p->multi)
        curl_multi_cleanup(p->multi);
    curl_slist_free_all(p->headers);
    free(p);
}

enum http_outcome
http_poster_post(struct http_poster *p, const struct http_post *r, const char **why_r)
{
    long status = 0;
    CURLcode c;

    set_up(p, r);
    c = transfer(p);
    *why_r = p->why;
    if (c == CURLE_OK
        || (c == CURLE_WRITE_ERROR && p->answered > ANSWER_MAX && !r->answer)) {
        curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
        return judge_status(p, status);
    }
    if (p->kept_out)
        snprintf(p->why, sizeof p->why, "not a public address");
    else if (!p->why[0])
        snprintf(p->why, sizeof p->why, "%s",
                 c == CURLE_ABORTED_BY_CALLBACK ? "the relay ends" : curl_easy_strerror(c));
    return is_hopeless(c) ? HTTP_REFUSED : HTTP_FAILED;
}

void
http_poster_end_by(struct http_poster *p, int64_t at_ms)
{
    atomic_store(&p->end_ms, at_ms);
    curl_multi_wakeup(p->multi);
}

char *
http_mac(char out[HTTP_MAC_SIZE], const char *secret, const void *p, size_t len)
{
    unsigned char mac[JWS_HS256_BYTES];

    jws_hs256(mac, secret, p, len);
    for (size_t i = 0; i < sizeof mac; i++)
        sprintf(out + 2 * i, "%02x", mac[i]);
    return out;
}
