/* writer_lock - see the header
 *
 * The blocking wait is bounded by a timer whose signal, sent to this very thread, interrupts the
 * system call. It fires again and again, so that one which comes just before the call is
 * entered does no harm.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE     /* open-file-description locks */
#include "shared/db/writer_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "shared/log.h"
#include "shared/when.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define WAKE_SIGNAL (SIGRTMIN + 3)
#define WAKE_AGAIN_NS 20000000L

struct writer_lock {
    int fd;
};

static void
wake(int signal)
{
    (void)signal;
}

static void
install_handler(void)
{
    struct sigaction sa = { .sa_handler = wake };     /* no SA_RESTART: that is the point */

    sigemptyset(&sa.sa_mask);
    sigaction(WAKE_SIGNAL, &sa, NULL);
}

struct writer_lock *
writer_lock_open(const char *database)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char path[PATH_MAX];
    struct writer_lock *l;

    pthread_once(&once, install_handler);
    if (snprintf(path, sizeof path, "%s-writer", database) >= (int)sizeof path)
        return NULL;
    if ((l = malloc(sizeof *l)) == NULL)
        return NULL;
    l->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (l->fd < 0) {
        log_event(LOG_LEVEL_ERROR, "writer_lock", "path", path, "why", strerror(errno), NULL);
        free(l);
        return NULL;
    }
    return l;
}

void
writer_lock_close(struct writer_lock *l)
{
    if (l == NULL)
        return;
    close(l->fd);
    free(l);
}

static int
lock_call(struct writer_lock *l, int command, short type)
{
    struct flock f = { .l_type = type, .l_whence = SEEK_SET };

    return fcntl(l->fd, command, &f);
}

static enum err
wait_for_turn(struct writer_lock *l, int wait_ms)
{
    struct sigevent ev = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = WAKE_SIGNAL };
    struct itimerspec spec = {
        .it_value = { wait_ms / 1000, (long)(wait_ms % 1000) * 1000000L },
        .it_interval = { 0, WAKE_AGAIN_NS },
    };
    int64_t deadline = when_monotonic_ms() + wait_ms;
    timer_t timer;
    int r;

    ev.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
    if (timer_create(CLOCK_MONOTONIC, &ev, &timer) != 0)
        return ERR_BUSY;
    timer_settime(timer, 0, &spec, NULL);
    do
        r = lock_call(l, F_OFD_SETLKW, F_WRLCK);
    while (r != 0 && errno == EINTR && when_monotonic_ms() < deadline);
    timer_delete(timer);
    return r == 0 ? ERR_OK : ERR_BUSY;
}

enum err
writer_lock_take(struct writer_lock *l, int wait_ms)
{
    if (lock_call(l, F_OFD_SETLK, F_WRLCK) == 0)
        return ERR_OK;
    return wait_for_turn(l, wait_ms);
}

void
writer_lock_give(struct writer_lock *l)
{
    lock_call(l, F_OFD_SETLK, F_UNLCK);
}
