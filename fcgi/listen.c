/* listen - the listening socket of a handler that no web server started
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/cgi.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "shared/log.h"

#define BACKLOG 1024

static int
failed(const char *where, const char *why, int fd)
{
    log_event(LOG_LEVEL_ERROR, "listen", "at", where, "why", why, NULL);
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Removes a socket file that an earlier process left. One that answers is in use and stays; so
 * does anything that is no socket. */
static bool
make_room(const struct sockaddr_un *address)
{
    struct stat st;
    int fd, e;

    if (lstat(address->sun_path, &st) != 0)
        return errno == ENOENT;
    errno = EADDRINUSE;
    if (!S_ISSOCK(st.st_mode) || (fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
        return false;
    e = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ? EADDRINUSE : errno;
    close(fd);
    errno = e;
    return e == ECONNREFUSED && unlink(address->sun_path) == 0;
}

static int
listen_unix(const char *where, const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    mode_t mask;
    int fd, e;

    if (strlen(path) >= sizeof(address.sun_path))
        return failed(where, "the path is too long for a socket", -1);
    strcpy(address.sun_path, path);
    if (!make_room(&address))
        return failed(where, strerror(errno), -1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return failed(where, strerror(errno), fd);
    mask = umask(0117);
    e = bind(fd, (const struct sockaddr *)&address, sizeof(address));
    umask(mask);
    if (e != 0 || listen(fd, BACKLOG) != 0)
        return failed(where, strerror(errno), fd);
    return fd;
}

static int
bind_first(const struct addrinfo *list)
{
    const struct addrinfo *a;
    int fd = -1, on = 1;

    for (a = list; a; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
            return fd;
        close(fd);
    }
    return -1;
}

static int
listen_tcp(const char *where)
{
    struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM }, *list;
    const char *colon = strrchr(where, ':'), *start = where;
    char host[256];
    size_t len;
    int fd, e;

    if (!colon)
        return failed(where, "neither unix:PATH nor HOST:PORT", -1);
    len = (size_t)(colon - where);
    if (len >= 2 && where[0] == '[' && colon[-1] == ']') {
        start++;
        len -= 2;
    }
    if (len == 0 || len >= sizeof(host))
        return failed(where, "neither unix:PATH nor HOST:PORT", -1);
    memcpy(host, start, len);
    host[len] = '\0';
    if ((e = getaddrinfo(host, colon + 1, &hints, &list)) != 0)
        return failed(where, gai_strerror(e), -1);
    fd = bind_first(list);
    e = errno;
    freeaddrinfo(list);
    return fd >= 0 ? fd : failed(where, strerror(e), -1);
}

int
cgi_listen(const char *where)
{
    if (strncmp(where, "unix:", 5) == 0)
        return listen_unix(where, where + 5);
    return listen_tcp(where);
}
