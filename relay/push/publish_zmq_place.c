/* publish_zmq_place - the directory of a local endpoint
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/publish_zmq_place.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "shared/log.h"

static enum err
refuse(const char *endpoint, const char *why)
{
    log_event(LOG_LEVEL_ERROR, "publish_not_bound", "endpoint", endpoint, "why", why, NULL);
    return ERR_FIELD;
}

enum err
publish_zmq_place(const char *endpoint, const char *path)
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
