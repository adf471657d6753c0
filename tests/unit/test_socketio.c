/* test_socketio - namespaces: joining, events, attachments, systems that take their time
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

#include "tests/unit/sio_world.h"

/* ---- the echoes ---- */

static void
joining(void **state)
{
    struct conn *c = websocket(IO);
    char sid[64];

    (void)state;
    say(c, "40{\"token\":\"123\"}");
    assert_int_equal(sscanf(c->out, "40{\"sid\":\"%36s", sid), 1);
    sprintf(sid + strlen(sid), "\"}\n");
    assert_string_equal(strchr(c->out, '\n') + 1, "42[\"auth\",{\"token\":\"123\"}]\n");
    c->out[0] = '\0';
    say(c, "40/random?x=1");
    hear(c, "44/random,{\"message\":\"Invalid namespace\"}\n");
    say(c, "40/custom,");
    hear(c, "44/custom,{\"message\":\"Too many namespaces\"}\n");
    say(c, "41");
    say(c, "40/custom?a=b,");
    assert_int_equal(strncmp(c->out, "40/custom,{\"sid\":\"", 17), 0);
    assert_non_null(strstr(c->out, "42/custom,[\"auth\",{}]\n"));
    pass(250);
    assert_int_equal(c->closed, 0);
    say(c, "40/custom");                                    /* joined already */
    end_turn();
    assert_int_equal(c->closed, 1000);
}

static void
who_joins_nothing_is_closed(void **state)
{
    struct conn *c = websocket(IO);

    (void)state;
    for (int i = 0; i < 5 && !c->closed; i++) {
        pass(300);
        say(c, "3");
        if (i == 0)
            say(c, "40/random");
    }
    assert_int_equal(c->closed, 1000);
    assert_true(now_ms >= 2000 && now_ms <= 2500);
}

static void
events_and_acks(void **state)
{
    struct conn *c;

    (void)state;
    c = joined("/custom,");
    say(c, "42/custom,[\"message\",1,\"2\",{\"3\":[true]}]");
    hear(c, "42/custom,[\"message-back\",1,\"2\",{\"3\":[true]}]\n");
    say(c, "42/custom,[\"message\"]");
    hear(c, "42/custom,[\"message-back\"]\n");
    say(c, "42/custom,456[\"message-with-ack\",1,\"2\"]");
    hear(c, "43/custom,456[1,\"2\"]\n");
    say(c, "42/custom,[\"unknown\"]");
    say(c, "43/custom,12[]");
    hear(c, "");
    assert_int_equal(c->closed, 0);
}

static void
attachments(void **state)
{
    struct conn *c;

    (void)state;
    c = joined("");
    say(c, "452-[\"message\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]");
    say_bytes(c, 3);
    hear(c, "");
    say_bytes(c, 0);
    hear(c, "452-[\"message-back\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]\n#3\n#0\n");
    say(c, "451-7[\"message-with-ack\",{\"_placeholder\":true,\"num\":0}]");
    say_bytes(c, 5);
    hear(c, "461-7[{\"_placeholder\":true,\"num\":0}]\n#5\n");
    say(c, "461-7[{\"_placeholder\":true,\"num\":0}]");      /* an ack that nobody waits for */
    say_bytes(c, 5);
    hear(c, "");
    assert_int_equal(c->closed, 0);
    say(c, "451-[\"message\",{\"_placeholder\":true,\"num\":0}]");
    pass(600);                                              /* late; a ping was due, too */
    assert_int_equal(c->closed, 1000);
}

static void
invalid_input_closes(void **state)
{
    static const char *const first[] = { "4abc", "42[\"message\"]", "40[]", "41", "43/x,1[]", "451-[\"a\"]#" };
    static const char *const later[] = {
        "4abc", "42{}", "42[]", "42", "42abc[\"message\"]", "42/custom,[\"message\"]", "44{\"message\":\"x\"}",
        "42[\"connect\"]", "454-[\"message\"]", "450-[\"message\"]", "#", "451-[\"message\"]|42[\"message\"]",
        "451-[\"message\",{\"_placeholder\":true,\"num\":1}]|#", "451-[\"message\"]|&",
    };
    struct conn *c;
    char text[200], *part, *rest;

    (void)state;
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        c = websocket(IO);
        say(c, first[i]);
        end_turn();
        if (c->closed != 1000)
            fail_msg("taken at first: %s", first[i]);
        hang_up(c);
        n_exchanges = 0;
    }
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        n_conns = n_exchanges = 0;
        memset(conns, 0, sizeof conns);
        c = joined("");
        strcpy(text, later[i]);
        for (part = strtok_r(text, "|", &rest); part; part = strtok_r(NULL, "|", &rest)) {
            if (*part == '#' || *part == '&')
                say_bytes(c, *part == '#' ? 3 : 1024);
            else
                say(c, part);
        }
        end_turn();
        if (c->closed != 1000)
            fail_msg("taken: %s", later[i]);
        hang_up(c);
    }
}

/* ---- systems that take their time ---- */

static struct sio_link *links[4];
static unsigned n_links, n_gone;
static char heard[400];

static void
sys_connect(void *arg, struct sio_link *link, const struct sio_connect *c)
{
    assert_ptr_equal(arg, &config);
    sprintf(heard + strlen(heard), "connect %s %s %s\n", c->auth, c->authorization ? c->authorization : "-",
            c->query);
    links[n_links++] = link;
}

static void
sys_event(struct sio_link *link, const struct sio_event *e)
{
    sprintf(heard + strlen(heard), "event %s %s %s\n", sio_namespace(link), e->name, e->args);
    if (strcmp(e->name, "drop") == 0)
        sio_drop(link, "wish");
    else if (strcmp(e->name, "leave") == 0)
        sio_leave(link);
    else
        sio_ack(link, e->ack, "[{\"ok\":true}]");
}

static void
sys_gone(struct sio_link *link)
{
    (void)link;
    n_gone++;
}

static const struct sio_calls sys = { sys_connect, sys_event, sys_gone };

static void
serve_system(void)
{
    n_links = n_gone = 0;
    heard[0] = '\0';
    config.sio_namespaces_max = 4;
    socketio_serve(o, "/chat/socket.io", "/", &sys, &config);
    socketio_serve(o, "/chat/socket.io", "/b", &sys, &config);
    services = socketio_services(o, &n_services);
}

static void
a_system_decides_later(void **state)
{
    struct ask q = { .method = "GET", .path = "/chat/socket.io", .query = "EIO=4&transport=websocket&token=t",
                     .upgrade = true, .field = { "Authorization", "Bearer x" } };
    struct conn *c;
    struct sbuf text;
    struct frame *f;

    (void)state;
    serve_system();
    c = &conns[ask(&q)];
    c->out[0] = '\0';
    say(c, "40{\"a\": 1}");
    say(c, "40/b,");
    assert_string_equal(heard, "connect {\"a\":1} Bearer x EIO=4&transport=websocket&token=t\n"
                               "connect {} Bearer x EIO=4&transport=websocket&token=t\n");
    sio_emit(links[0], "[\"early\"]");
    hear(c, "");
    sio_refuse(links[1], "Unauthorized", "{\"code\":101}");
    hear(c, "44/b,{\"message\":\"Unauthorized\",\"data\":{\"code\":101}}\n");
    sio_accept(links[0]);
    assert_int_equal(strncmp(c->out, "40{\"sid\":\"", 10), 0);
    c->out[0] = '\0';
    sbuf_init(&text, 1000);
    sio_put_event(&text, sio_namespace(links[0]));
    sbuf_puts(&text, "[\"news\",1]");
    f = frame_text(text.data, text.len);
    sio_emit_frame(links[0], f);
    frame_unref(f);
    sbuf_fini(&text);
    hear(c, "42[\"news\",1]\n");
    heard[0] = '\0';
    say(c, "425[\"do\",{\"x\":1}]");
    assert_string_equal(heard, "event / do [{\"x\":1}]\n");
    hear(c, "435[{\"ok\":true}]\n");
    say(c, "451-[\"up\",{\"_placeholder\":true,\"num\":0},2]");
    say_bytes(c, 2);
    assert_non_null(strstr(heard, "event / up [null,2]\n"));
    say(c, "40/b,");
    assert_int_equal(n_links, 3);
    assert_int_equal(n_gone, 0);
    say(c, "41");
    assert_int_equal(n_gone, 1);
    hang_up(c);                                             /* one is still asked for */
    end_turn();
    assert_int_equal(n_gone, 2);
}

static void
a_system_closes(void **state)
{
    struct conn *c;

    (void)state;
    serve_system();
    c = websocket("/chat/socket.io/");
    say(c, "40");
    sio_accept(links[0]);
    c->out[0] = '\0';
    say(c, "42[\"leave\"]");
    hear(c, "41\n");
    say(c, "42[\"late\"]");                                 /* it could not know */
    say(c, "41");
    assert_int_equal(n_gone, 0);
    assert_int_equal(c->closed, 0);
    say(c, "40");
    sio_accept(links[1]);
    say(c, "42[\"drop\"]");
    say(c, "42[\"more\"]");
    assert_null(strstr(heard, "more"));
    assert_int_equal(n_gone, 0);
    end_turn();
    assert_int_equal(n_gone, 1);
    assert_int_equal(c->closed, 1000);
}

static void
count(void *arg)
{
    ++*(int *)arg;
}

static void
the_end(void **state)
{
    const char *q = polling(ENGINE);
    struct io_exchange *held = http("GET", ENGINE, q, NULL);
    struct conn *c;
    int ended = 0;

    (void)state;
    c = joined("");
    socketio_shut(o, count, &ended);
    assert_int_equal(http("GET", ENGINE, "EIO=4&transport=polling", NULL)->status, 403);
    end_turn();
    expect(held, 200, "1");
    assert_int_equal(c->closed, 1001);
    assert_int_equal(ended, 0);
    hang_up(c);
    assert_int_equal(ended, 1);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(joining),
        TEST(who_joins_nothing_is_closed),
        TEST(events_and_acks),
        TEST(attachments),
        TEST(invalid_input_closes),
        TEST(a_system_decides_later),
        TEST(a_system_closes),
        TEST(the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
