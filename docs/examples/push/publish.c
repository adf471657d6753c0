/* publish - publish over ZeroMQ from C and wait for the answer
 *
 *   cc publish.c -lzmq -o publish
 *   [PUSH_ROUTER=ipc:///run/confab/push/router.sock] ./publish CHANNEL DATA [OPTIONS]
 *
 * DATA is one JSON value, OPTIONS a JSON object such as {"idempotency_key":"order-17"}. Prints the answer;
 * fails when it is an error, or when none comes.
 *
 * A DEALER is used, which may send on without waiting; the frames before the empty one, here a number of ours,
 * come back with the answer and tell which publication it is for.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define PATIENCE_MS 10000

static void
die(const char *doing)
{
    fprintf(stderr, "%s: %s\n", doing, zmq_strerror(zmq_errno()));
    exit(1);
}

static void
frame(void *socket, const char *text, int more)
{
    if (zmq_send(socket, text, strlen(text), more ? ZMQ_SNDMORE : 0) < 0)
        die("send");
}

/* The last frame of the answer, as text. */
static char *
answer(void *socket)
{
    zmq_msg_t m;
    char *text = NULL;
    int more;

    do {
        zmq_msg_init(&m);
        if (zmq_msg_recv(&m, socket, 0) < 0)
            die("no answer");
        more = zmq_msg_more(&m);
        free(text);
        text = strndup(zmq_msg_data(&m), zmq_msg_size(&m));
        zmq_msg_close(&m);
    } while (more);
    return text;
}

int
main(int argc, char **argv)
{
    const char *where = getenv("PUSH_ROUTER");
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_DEALER);
    int patience = PATIENCE_MS, none = 0, failed;
    char *text;

    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: publish CHANNEL DATA [OPTIONS]\n");
        return 2;
    }
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &patience, sizeof patience);
    zmq_setsockopt(socket, ZMQ_SNDTIMEO, &patience, sizeof patience);
    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
    if (zmq_connect(socket, where ? where : "ipc:///run/confab/push/router.sock") != 0)
        die("connect");
    frame(socket, "1", 1);          /* our number for this publication */
    frame(socket, "", 1);
    frame(socket, argv[1], 1);
    frame(socket, argv[2], argc == 4);
    if (argc == 4)
        frame(socket, argv[3], 0);
    text = answer(socket);
    puts(text);
    failed = strncmp(text, "{\"error\"", 8) == 0;
    free(text);
    zmq_close(socket);
    zmq_ctx_term(context);
    return failed;
}
