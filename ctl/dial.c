/* dial - a connection to where the relay listens
 *
 * SPDX-License-Identifier: MIT
 */
#include "ctl/ctl.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "shared/listen.h"

static int
connect_local(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd;

    if (strlen(path) >= sizeof address.sun_path)
        return -1;
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static int
connect_any(const struct addrinfo *list)
{
    int fd;

    for (; list != NULL; list = list->ai_next) {
        fd = socket(list->ai_family, list->ai_socktype | SOCK_CLOEXEC, list->ai_protocol);
        if (fd >= 0 && connect(fd, list->ai_addr, list->ai_addrlen) == 0)
            return fd;
        if (fd >= 0)
            close(fd);
    }
    return -1;
}

/* :PORT listens everywhere and so here, too. */
static int
connect_remote(struct arena *a, const char *where)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
    char *host = arena_string(a, where), *colon = strrchr(host, ':');
    int fd;

    if (colon == NULL)
        return -1;
    *colon = '\0';
    if (host[0] == '[' && colon > host && colon[-1] == ']') {
        colon[-1] = '\0';
        host++;
    }
    if (getaddrinfo(host[0] != '\0' ? host : NULL, colon + 1, &hints, &list) != 0)
        return -1;
    fd = connect_any(list);
    freeaddrinfo(list);
    return fd;
}

int
ctl_dial(const struct ctl *ctl, const char *where)
{
    return listen_is_local(where) ? connect_local(where + strlen("unix:"))
                                  : connect_remote(ctl->arena, where);
}
