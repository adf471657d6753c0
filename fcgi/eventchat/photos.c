/* photos - pictures that users upload, kept as files in the state directory
 *
 * A row announces the file before it is begun, and is stored only when the bytes are safe on the disk
 * under their last name. Whatever is killed in between leaves a row that nobody can fetch by; the
 * next uploads remove what it stands for. So no part of a photo is ever served or acknowledged.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgi/eventchat/eventchat.h"
#include "fcgi/service.h"
#include "shared/chat/pair.h"
#include "shared/chat/photo.h"
#include "shared/fault.h"
#include "shared/json.h"
#include "shared/log.h"

#define PIECE (64 * 1024)

/* ---- where they are ---- */

static const char *
folder(const struct request *q)
{
    return arena_printf(q->arena, "%s/photos", q->config->state);
}

/* ending ".part": not whole yet. */
static const char *
file_of(const struct request *q, const char *name, const char *ending)
{
    return arena_printf(q->arena, "%s/photos/%s%s", q->config->state, name, ending);
}

static enum err
failed(const char *what)
{
    log_event(LOG_LEVEL_ERROR, "photo_failed", "at", what, "why", strerror(errno), NULL);
    return ERR_INTERNAL;
}

/* What is there of a photo that is given up. */
static void
remove_files(const struct request *q, const char *name)
{
    unlink(file_of(q, name, ".part"));
    unlink(file_of(q, name, ""));
}

/* ---- taking one in ---- */

struct upload {
    struct request *q;
    struct photo photo;
    char piece[PIECE];
    size_t len;                 /* of what is in piece */
    int fd;
};

/* Fills the piece, as far as there is anything. */
static enum err
next_piece(struct upload *u)
{
    struct body_reader *reader = u->q->reader;
    enum err e = ERR_OK;
    size_t n = 1;

    for (u->len = 0; e == ERR_OK && n > 0 && u->len < PIECE; u->len += n)
        e = reader->read(reader, u->piece + u->len, PIECE - u->len, &n);
    return e;
}

/* The photo's type is what its bytes say, and the sender has to mean the same. */
static enum err
check_head(struct upload *u)
{
    const int64_t max = u->q->config->eventchat_photo_max, length = u->q->reader->length;
    enum photo_type meant;
    enum err e;

    if (!photo_type_named(u->q->content_type, &meant))
        return err_fail(&u->q->fail, ERR_MEDIA_TYPE, NULL, "a photo is PNG, JPEG, GIF or WebP");
    if (length > max)
        return err_fail(&u->q->fail, ERR_TOO_LARGE, NULL, "a photo has at most %lld bytes", (long long)max);
    if ((e = next_piece(u)) != ERR_OK)
        return e;
    if (!photo_sniff(u->piece, u->len, &u->photo.type) || u->photo.type != meant)
        return err_fail(&u->q->fail, ERR_MEDIA_TYPE, NULL, "the bytes are not of the type they are said to be");
    u->photo.bytes = length >= 0 ? length : max;
    return ERR_OK;
}

static enum err
write_piece(struct upload *u)
{
    size_t done = 0;

    while (done < u->len) {
        ssize_t n = write(u->fd, u->piece + done, u->len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return failed("write");
        done += (size_t)n;
    }
    return ERR_OK;
}

/* All pieces to the open file, and safe on the disk. */
static enum err
write_all(struct upload *u)
{
    int64_t bytes = 0;
    enum err e;

    for (;;) {
        bytes += (int64_t)u->len;
        if (bytes > u->photo.bytes)
            return ERR_TOO_LARGE;
        if ((e = write_piece(u)) != ERR_OK || (e = next_piece(u)) != ERR_OK)
            return e;
        if (u->len == 0)
            break;
        FAULT("photo.writing");
    }
    u->photo.bytes = bytes;
    return fsync(u->fd) == 0 ? ERR_OK : failed("fsync");
}

/* What a folder names has to be safe, too. */
static enum err
sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return done ? ERR_OK : failed("fsync of the folder");
}

static enum err
make_folder(const struct request *q)
{
    if (mkdir(folder(q), 0700) == 0)
        return sync_folder(q->config->state);
    return errno == EEXIST ? ERR_OK : failed("mkdir");
}

static enum err
write_file(struct upload *u)
{
    const char *part = file_of(u->q, u->photo.name, ".part");
    enum err e;

    if ((e = make_folder(u->q)) != ERR_OK)
        return e;
    u->fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (u->fd < 0)
        return failed("open");
    e = write_all(u);
    if (close(u->fd) != 0 && e == ERR_OK)
        e = failed("close");
    if (e != ERR_OK)
        return e;
    FAULT("photo.written");
    if (rename(part, file_of(u->q, u->photo.name, "")) != 0)
        return failed("rename");
    FAULT("photo.renamed");
    return sync_folder(folder(u->q));
}

/* The files go first: as long as one is there, its row must be. */
static void
remove_left(struct request *q, struct op *op)
{
    const char **names;
    size_t i, n;

    if (op_photo_left(op, &names, &n) != ERR_OK)
        return;
    for (i = 0; i < n; i++) {
        remove_files(q, names[i]);
        op_photo_forget(op, names[i]);
    }
}

static enum err
store(struct upload *u, struct op *op)
{
    enum err e = op_photo_announce(op, u->q->user, &u->photo);

    if (e != ERR_OK)
        return e;
    FAULT("photo.announced");
    if ((e = write_file(u)) == ERR_OK)
        e = op_photo_stored(op, &u->photo);
    if (e != ERR_OK) {
        remove_files(u->q, u->photo.name);
        op_photo_forget(op, u->photo.name);
    }
    return e;
}

enum err
eventchat_put_photo(struct request *q, struct reply *r)
{
    struct upload *u = arena_alloc(q->arena, sizeof *u);
    struct op op;
    enum err e;

    u->q = q;
    if ((e = check_head(u)) != ERR_OK || (e = service_op(q, &op)) != ERR_OK)
        return e;
    remove_left(q, &op);
    if ((e = store(u, &op)) != ERR_OK)
        return e;
    r->status = 201;
    json_open(&r->body, '{');
    json_kv(&r->body, "uuid", u->photo.name);
    json_close(&r->body, '}');
    return ERR_OK;
}

/* ---- giving one out ---- */

/* A file that is not what its row says was touched by somebody else. */
static enum err
open_photo(struct request *q, const struct photo *photo, int *fd_r)
{
    int fd = open(file_of(q, photo->name, ""), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == photo->bytes) {
        *fd_r = fd;
        return ERR_OK;
    }
    log_event(LOG_LEVEL_ERROR, "photo_lost", "name", photo->name, NULL);
    if (fd >= 0)
        close(fd);
    return ERR_NO_ATTACHMENT;
}

enum err
eventchat_get_photo(struct request *q, struct reply *r)
{
    struct photo photo;
    struct op op;
    enum err e;

    if ((e = service_op(q, &op)) != ERR_OK
        || (e = op_photo_find(&op, EVENTCHAT_PATH(q)->photo, &photo)) != ERR_OK
        || (e = open_photo(q, &photo, &r->file)) != ERR_OK)
        return e;
    r->file_len = photo.bytes;
    r->media_type = photo_media_type(photo.type);
    return ERR_OK;
}
