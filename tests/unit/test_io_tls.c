/* test_io_tls - the loop's own TLS, from a peer's side, with certificates made here
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
#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/io_world.h"

static const char *
in_dir(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", world_dir, name);
    return path;
}

/* A new key and a certificate for it that is called name. */
static void
certificate_make(const char *name)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    FILE *f;

    assert_non_null(key);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    assert_non_null(f = fopen(in_dir("certificate.pem"), "w"));
    PEM_write_X509(f, x);
    fclose(f);
    assert_non_null(f = fopen(in_dir("key.pem"), "w"));
    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    X509_free(x);
    EVP_PKEY_free(key);
}

static SSL_CTX *context;

/* A handshake over a new socket; NULL when it failed. */
static SSL *
dial(const char *protocol)
{
    SSL *ssl = SSL_new(context);
    unsigned char offer[32] = { (unsigned char)strlen(protocol) };

    memcpy(offer + 1, protocol, strlen(protocol));
    SSL_set_alpn_protos(ssl, offer, (unsigned)strlen(protocol) + 1);
    SSL_set_fd(ssl, peer_dial());
    if (SSL_connect(ssl) == 1)
        return ssl;
    close(SSL_get_fd(ssl));
    SSL_free(ssl);
    return NULL;
}

static void
hang_up(SSL *ssl)
{
    close(SSL_get_fd(ssl));
    SSL_free(ssl);
}

static void
say(SSL *ssl, const char *text)
{
    assert_int_equal(SSL_write(ssl, text, (int)strlen(text)), strlen(text));
}

/* Reads until text came. */
static void
read_to(SSL *ssl, const char *text)
{
    char got[4096];
    size_t n = 0;

    do {
        assert_true(n < sizeof got - 1);
        assert_int_equal(SSL_read(ssl, got + n, 1), 1);
        got[++n] = '\0';
    } while (n < strlen(text) || strcmp(got + n - strlen(text), text) != 0);
}

static void
requests_come_through(void **state)
{
    const unsigned char *chosen;
    unsigned len;
    SSL *ssl = dial("http/1.1");
    char byte;

    (void)state;
    assert_non_null(ssl);
    SSL_get0_alpn_selected(ssl, &chosen, &len);
    assert_int_equal(len, 8);
    assert_memory_equal(chosen, "http/1.1", 8);
    say(ssl, "GET /plain HTTP/1.1\r\n\r\n");
    read_to(ssl, "GET /plain? [] secure");
    say(ssl, "GET /last HTTP/1.1\r\n\r\n");
    read_to(ssl, "GET /last? [] secure");
    /* the end is said */
    assert_int_equal(SSL_read(ssl, &byte, 1), 0);
    assert_int_equal(SSL_get_error(ssl, 0), SSL_ERROR_ZERO_RETURN);
    hang_up(ssl);
}

static void
much_goes_both_ways(void **state)
{
    static char body[100001], bytes[2000000];
    SSL *ssl = dial("http/1.1");
    size_t n = 0;
    int got;

    (void)state;
    memset(body, 'b', sizeof body - 1);
    say(ssl, "POST /body HTTP/1.1\r\nContent-Length: 100000\r\n\r\n");
    say(ssl, body);
    read_to(ssl, "POST /body? [");
    hang_up(ssl);

    ssl = dial("http/1.1");
    say(ssl, "GET /big HTTP/1.1\r\n\r\n");
    read_to(ssl, "GET /big? [] secure");
    usleep(50000);                      /* long enough to fill everything between */
    for (n = 0; n < sizeof bytes && (got = SSL_read(ssl, bytes + n, (int)(sizeof bytes - n))) > 0; )
        n += (size_t)got;
    assert_int_equal(n, sizeof bytes);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(bytes[i], '0' + i % 10);
    hang_up(ssl);
}

static void
connections_live_on_it(void **state)
{
    static const unsigned char hello[] = { 0x81, 0x82, 0, 0, 0, 0, 'h', 'i' };
    unsigned char frame[4];
    SSL *ssl = dial("http/1.1");

    (void)state;
    say(ssl, "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    read_to(ssl, "\r\n\r\n");
    assert_int_equal(SSL_write(ssl, hello, sizeof hello), sizeof hello);
    for (int i = 0; i < 4; i++)
        assert_int_equal(SSL_read(ssl, frame + i, 1), 1);
    assert_memory_equal(frame, "\x81\x02hi", 4);
    hang_up(ssl);                       /* without close_notify */
    world_await(&world.client.closed, 1);

    ssl = dial("http/1.1");
    say(ssl, "GET /events HTTP/1.1\r\n\r\n");
    read_to(ssl, "\r\n\r\n2\r\n\r\n\r\n");
    world_send("x");
    read_to(ssl, "9\r\ndata: x\n\n\r\n");
    SSL_shutdown(ssl);                  /* with it */
    world_await(&world.client.closed, 1);
    hang_up(ssl);
}

static void
half_an_end_is_none(void **state)
{
    SSL *ssl = dial("http/1.1");

    (void)state;
    say(ssl, "GET /big HTTP/1.1\r\n\r\nGET /last HTTP/1.1\r\n\r\n");
    SSL_shutdown(ssl);
    read_to(ssl, "GET /big? [] secure");
    for (int i = 0; i < 2000000; ) {
        char bytes[16384];
        int n = SSL_read(ssl, bytes, (int)sizeof bytes < 2000000 - i ? (int)sizeof bytes : 2000000 - i);

        assert_true(n > 0);
        i += n;
    }
    read_to(ssl, "GET /last? [] secure");
    hang_up(ssl);
}

static void
what_is_no_handshake_is_dropped(void **state)
{
    int fd = peer_dial();
    char bytes[100];

    (void)state;
    peer_say(fd, "GET /plain HTTP/1.1\r\n\r\n");
    while (recv(fd, bytes, sizeof bytes, 0) > 0)
        ;                               /* an alert, perhaps */
    close(fd);
    assert_null(dial("h2"));
    fd = peer_dial();                   /* slow: until the deadline */
    peer_say(fd, "\x16\x03");
    peer_expect_end(fd);
    assert_int_equal(world_counter(IO_TLS_FAILED), 3);
}

static void
reload(void *arg)
{
    *(enum err *)arg = io_listener_reload(world.listener);
}

static void
subject(SSL *ssl, char name[64])
{
    X509 *x = SSL_get1_peer_certificate(ssl);

    X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name, 64);
    X509_free(x);
}

static void
certificates_are_renewed(void **state)
{
    SSL *old = dial("http/1.1"), *new;
    char name[64];
    enum err e = ERR_OK;

    (void)state;
    certificate_make("second");
    world_on_loop(reload, &e);
    assert_int_equal(e, ERR_OK);
    new = dial("http/1.1");
    subject(new, name);
    assert_string_equal(name, "second");
    hang_up(new);
    /* a bad one leaves the other in use */
    fclose(fopen(in_dir("key.pem"), "w"));
    world_on_loop(reload, &e);
    assert_int_equal(e, ERR_FIELD);
    new = dial("http/1.1");
    assert_non_null(new);
    hang_up(new);
    say(old, "GET /plain HTTP/1.1\r\n\r\n");
    read_to(old, "GET /plain? [] secure");
    hang_up(old);
    certificate_make("first");
}

static int
group_setup(void **state)
{
    const char *tmp = getenv("TMPDIR");

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    snprintf(world_dir, sizeof world_dir, "%s/confab-tls-XXXXXX", tmp != NULL && strlen(tmp) < 32 ? tmp : "/tmp");
    if (mkdtemp(world_dir) == NULL)
        return -1;
    certificate_make("first");
    context = SSL_CTX_new(TLS_client_method());
    return 0;
}

static int
group_teardown(void **state)
{
    (void)state;
    SSL_CTX_free(context);
    unlink(in_dir("certificate.pem"));
    unlink(in_dir("key.pem"));
    return rmdir(world_dir);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_start_tls, world_stop)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(requests_come_through),
        TEST(much_goes_both_ways),
        TEST(connections_live_on_it),
        TEST(half_an_end_is_none),
        TEST(what_is_no_handshake_is_dropped),
        TEST(certificates_are_renewed),
    };

    return cmocka_run_group_tests_name("io_tls", tests, group_setup, group_teardown);
}
