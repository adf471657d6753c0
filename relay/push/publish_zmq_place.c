/* publish_zmq_place - may publishers be let in at this endpoint?
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/publish_zmq_place.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "shared/log.h"

#define IPC "ipc://"
#define TCP "tcp://"

static enum err
refuse(const char *endpoint, const char *why)
{
    log_event(LOG_LEVEL_ERROR, "publish_not_bound", "endpoint", endpoint, "why", why, NULL);
    return ERR_FIELD;
}

static enum err
check_directory(const char *endpoint, const char *path)
{
    char directory[sizeof ((struct sockaddr_un *)0)->sun_path];
    const char *slash = strrchr(path, '/');
    struct stat st;

    if (path[0] != '/' || strlen(path) >= sizeof directory)
        return refuse(endpoint, "the path must be absolute and shorter than 108 bytes");
    if (slash == path)
        return refuse(endpoint, "a directory of its own is needed");
    memcpy(directory, path, (size_t)(slash - path));
    directory[slash - path] = '\0';
    if (mkdir(directory, 0750) != 0 && errno != EEXIST)
        return refuse(endpoint, strerror(errno));
    if (stat(directory, &st) != 0)
        return refuse(endpoint, strerror(errno));
    if (!S_ISDIR(st.st_mode) || (st.st_mode & S_IWOTH))
        return refuse(endpoint, "everybody may write to the directory");
    return ERR_OK;
}

/* Numbers only: a name may mean another address tomorrow. */
static bool
is_loopback(const char *host)
{
    struct in6_addr six;
    struct in_addr four;

    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

static enum err
check_address(const char *endpoint, const char *place, bool curve)
{
    char host[INET6_ADDRSTRLEN + 1];
    const char *colon = strrchr(place, ':');
    size_t len;

    if (!colon)
        return refuse(endpoint, "tcp://HOST:PORT is expected");
    if (curve)
        return ERR_OK;
    len = (size_t)(colon - place);
    if (len >= 2 && place[0] == '[' && place[len - 1] == ']') {
        place++;
        len -= 2;
    }
    if (len >= sizeof host)
        return refuse(endpoint, "beyond loopback push_curve_secret_key is needed");
    memcpy(host, place, len);
    host[len] = '\0';
    return is_loopback(host) ? ERR_OK
                             : refuse(endpoint, "beyond loopback push_curve_secret_key is needed");
}

enum err
publish_zmq_place_check(const char *endpoint, bool curve)
{
    if (strncmp(endpoint, IPC, strlen(IPC)) == 0)
        return check_directory(endpoint, endpoint + strlen(IPC));
    if (strncmp(endpoint, TCP, strlen(TCP)) == 0)
        return check_address(endpoint, endpoint + strlen(TCP), curve);
    return refuse(endpoint, "ipc://PATH or tcp://HOST:PORT is expected");
}
