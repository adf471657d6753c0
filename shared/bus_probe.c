/* bus_probe - is there a relay behind an endpoint?
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "shared/bus.h"

#define IPC "ipc://"

bool
bus_listening(const char *endpoint)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *path = endpoint + strlen(IPC);
    bool listening;
    int fd;

    if (strncmp(endpoint, IPC, strlen(IPC)) != 0)
        return true;
    if (strlen(path) >= sizeof address.sun_path)
        return false;
    strcpy(address.sun_path, path);
    if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) < 0)
        return false;
    /* EAGAIN: its backlog is full, so somebody is there */
    listening = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno == EAGAIN;
    close(fd);
    return listening;
}
