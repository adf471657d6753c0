/* publish_zmq_gate - who may connect to endpoints under CURVE: the listed keys (ZAP, rfc.zeromq.org/spec/27)
 *
 * libzmq asks over a socket inside the process and answers no handshake before we did, so the questions are
 * taken from the loop like everything else.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/publish_zmq_gate.h"

#include <string.h>

#include "relay/mem.h"
#include "relay/push/publish_zmq_message.h"

#define ENDPOINT "inproc://zeromq.zap.01"
#define VERSION "1.0"
#define SEPARATORS " \t\r\n,"

enum { PER_WAKE = 64, KEY_BYTES = 32, KEY_TEXT_SIZE = 41 };

/* Frames of a request; the empty one in front is the REP socket's affair. */
enum { F_VERSION, F_REQUEST, F_DOMAIN, F_ADDRESS, F_IDENTITY, F_MECHANISM, F_CREDENTIALS, F_COUNT };

struct zmq_gate {
    struct push *push;
    void *socket;
    struct io_timer *again;
    int64_t refused;
};

static bool
is_listed(const char *list, const char *key)
{
    size_t len = strlen(key), n;

    for (list += strspn(list, SEPARATORS); *list; list += n + strspn(list + n, SEPARATORS)) {
        n = strcspn(list, SEPARATORS);
        if (n == len && memcmp(list, key, n) == 0)
            return true;
    }
    return false;
}

static bool
lets_in(const struct zmq_gate *g, struct zmq_message *m)
{
    zmq_msg_t *mechanism = &m->frames[F_MECHANISM], *credentials = &m->frames[F_CREDENTIALS];
    char key[KEY_TEXT_SIZE];

    return m->n == F_COUNT && zmq_msg_size(mechanism) == strlen("CURVE") &&
           memcmp(zmq_msg_data(mechanism), "CURVE", strlen("CURVE")) == 0 &&
           zmq_msg_size(credentials) == KEY_BYTES &&
           zmq_z85_encode(key, zmq_msg_data(credentials), KEY_BYTES) &&
           is_listed(g->push->config->push_curve_clients, key);
}

/* Version, the request's id, status; text, user and metadata stay empty. */
static void
answer(struct zmq_gate *g, zmq_msg_t *id, bool good)
{
    const int more = ZMQ_SNDMORE | ZMQ_DONTWAIT;

    zmq_send_const(g->socket, VERSION, strlen(VERSION), more);
    zmq_send(g->socket, zmq_msg_data(id), zmq_msg_size(id), more);
    zmq_send_const(g->socket, good ? "200" : "400", 3, more);
    zmq_send_const(g->socket, "", 0, more);
    zmq_send_const(g->socket, "", 0, more);
    zmq_send_const(g->socket, "", 0, ZMQ_DONTWAIT);
}

static void
wake(void *arg)
{
    struct zmq_gate *g = arg;
    struct zmq_message m;
    bool good;

    for (int i = 0; i < PER_WAKE && zmq_message_receive(g->socket, &m); i++) {
        good = lets_in(g, &m);
        g->refused += !good;
        if (m.n > F_REQUEST)
            answer(g, &m.frames[F_REQUEST], good);
        zmq_message_free(&m);
    }
    if (zmq_socket_readable(g->socket))
        io_timer_set(g->again, 0);
}

struct zmq_gate *
zmq_gate_open(struct push *p, void *context)
{
    struct zmq_gate *g = mem_new(sizeof *g);
    int none = 0;

    g->push = p;
    g->socket = zmq_socket(context, ZMQ_REP);
    if (g->socket && zmq_setsockopt(g->socket, ZMQ_LINGER, &none, sizeof none) == 0 &&
        zmq_bind(g->socket, ENDPOINT) == 0 && zmq_socket_watch(p->io, g->socket, wake, g, &g->again))
        return g;
    zmq_gate_close(g);
    return NULL;
}

void
zmq_gate_close(struct zmq_gate *g)
{
    if (!g)
        return;
    if (g->again)
        io_timer_free(g->again);
    if (g->socket)
        zmq_close(g->socket);
    free(g);
}

int64_t
zmq_gate_refused(const struct zmq_gate *g)
{
    return g ? g->refused : 0;
}
