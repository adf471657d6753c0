/* listen - listening sockets, for the programs that open their own
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/listen.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "shared/log.h"

#define LOCAL_PREFIX "unix:"
#define BACKLOG 4096                    /* the system may allow fewer */
#define SOCKET_MODE 0660                /* for the web server's group */

static enum err
failed(const char *where, const char *why, enum err e)
{
    log_event(LOG_LEVEL_ERROR, "listen_failed", "on", where, "why", why, NULL);
    return e;
}

static enum err
failed_errno(const char *where, int error)
{
    return failed(where, strerror(error), error == EADDRINUSE ? ERR_BUSY : ERR_INTERNAL);
}

/* Removes a socket file that an earlier process left. One that answers is in use and stays; so
 * does anything that is no socket. 0 or what is wrong. */
static int
make_room(const struct sockaddr_un *address)
{
    struct stat st;
    int fd, error = 0;

    if (lstat(address->sun_path, &st) != 0)
        return errno == ENOENT ? 0 : errno;
    if (!S_ISSOCK(st.st_mode))
        return EADDRINUSE;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN)
        error = EADDRINUSE;             /* EAGAIN: its backlog is full, so it has one */
    else if (errno != ECONNREFUSED || unlink(address->sun_path) != 0)
        error = errno;
    close(fd);
    return error;
}

/* The mode is set before the name exists, less what the umask takes, and in full behind it: at no
 * moment may more people connect than in the end. */
static bool
bind_local(int fd, const struct sockaddr_un *address)
{
    return fchmod(fd, SOCKET_MODE) == 0
        && bind(fd, (const struct sockaddr *)address, sizeof *address) == 0
        && chmod(address->sun_path, SOCKET_MODE) == 0
        && listen(fd, BACKLOG) == 0;
}

static enum err
open_local(const char *where, const char *path, int *fd_r)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd, error;

    if (strlen(path) >= sizeof address.sun_path)
        return failed(where, "the path is too long for a socket", ERR_FIELD);
    strcpy(address.sun_path, path);
    if ((error = make_room(&address)) != 0)
        return failed_errno(where, error);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return failed_errno(where, errno);
    if (!bind_local(fd, &address)) {
        error = errno;
        close(fd);
        return failed_errno(where, error);
    }
    *fd_r = fd;
    return ERR_OK;
}

/* The first address of the list that can be had; -1 and errno when none can. */
static int
bind_first(const struct addrinfo *list)
{
    const struct addrinfo *a;
    int fd, on = 1, error = EADDRNOTAVAIL;

    for (a = list; a != NULL; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd >= 0) {
            setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
            if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
                return fd;
        }
        error = errno;
        if (fd >= 0)
            close(fd);
    }
    errno = error;
    return -1;
}

static enum err
open_tcp(const char *where, int *fd_r)
{
    struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM }, *list;
    const char *colon = strrchr(where, ':'), *start = where;
    size_t len = colon != NULL ? (size_t)(colon - where) : 0;
    char host[256];
    int fd, error;

    if (len >= 2 && where[0] == '[' && colon[-1] == ']') {
        start++;
        len -= 2;
    }
    if (colon == NULL || len >= sizeof host)
        return failed(where, "neither unix:PATH nor HOST:PORT", ERR_FIELD);
    memcpy(host, start, len);
    host[len] = '\0';
    if ((error = getaddrinfo(len > 0 ? host : NULL, colon + 1, &hints, &list)) != 0)
        return failed(where, gai_strerror(error), ERR_FIELD);
    fd = bind_first(list);
    error = errno;
    freeaddrinfo(list);
    if (fd < 0)
        return failed_errno(where, error);
    *fd_r = fd;
    return ERR_OK;
}

bool
listen_is_local(const char *where)
{
    return strncmp(where, LOCAL_PREFIX, strlen(LOCAL_PREFIX)) == 0;
}

enum err
listen_open(const char *where, int *fd_r)
{
    if (listen_is_local(where))
        return open_local(where, where + strlen(LOCAL_PREFIX), fd_r);
    return open_tcp(where, fd_r);
}
