/* port - through what a session speaks: a WebSocket, or one namespace of a Socket.IO session
 *
 * A session knows nothing else of its client. Frames are built for what carries them (struct wire) before they
 * come here.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PORT_H
#define RELAY_PORT_H

#include <stdint.h>

#include "relay/frame.h"

struct port_calls {
    /* The session is live: what it sends may follow. NULL: nothing to do. */
    void (*accept)(void *at);

    /* Queues f by reference; a joined frame is taken or left as a whole. */
    void (*send)(void *at, struct frame *f);

    /* Answers a client's event that asked for it; args is a JSON array. NULL: clients cannot ask. */
    void (*ack)(void *at, int64_t ack, const char *args);

    /* Ends it; that it has ended is told later, from the loop. A WebSocket is closed with code and reason. On Socket.IO the
     * whole session ends, with its other namespaces: a client that was only made to leave a namespace does not come
     * again by itself, one that has lost its transport does. */
    void (*close)(void *at, int code, const char *reason);
};

struct port {
    const struct port_calls *calls;
    void *at;                       /* a struct conn, or a struct sio_link */
};

#endif
