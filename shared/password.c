/* password - argon2id by libsodium, and the places of those who are at it
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE             /* F_OFD_SETLK */
#include "shared/password.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "shared/log.h"

_Static_assert(PASSWORD_HASH_SIZE >= crypto_pwhash_STRBYTES, "hash size");

#define KIB 1024

/* libsodium chooses the fastest code for this machine, once. */
static bool
ready(void)
{
    return sodium_init() >= 0;
}

enum err
password_hash(const struct password_cost *cost, const char *password,
              char hash_r[PASSWORD_HASH_SIZE])
{
    if (!ready()
        || crypto_pwhash_str_alg(hash_r, password, strlen(password),
                                 (unsigned long long)cost->passes, (size_t)cost->memory_kib * KIB,
                                 crypto_pwhash_ALG_ARGON2ID13) != 0)
        return ERR_NO_MEMORY;
    return ERR_OK;
}

/* What a verification costs, and nothing else. */
static enum err
spend(const struct password_cost *cost, const char *password)
{
    static const unsigned char salt[crypto_pwhash_SALTBYTES];
    unsigned char out[32];

    if (crypto_pwhash(out, sizeof out, password, strlen(password), salt,
                      (unsigned long long)cost->passes, (size_t)cost->memory_kib * KIB,
                      crypto_pwhash_ALG_ARGON2ID13) != 0)
        return ERR_NO_MEMORY;
    sodium_memzero(out, sizeof out);
    return ERR_UNAUTHORIZED;
}

enum err
password_verify(const struct password_cost *cost, const char *hash, const char *password)
{
    if (!ready())
        return ERR_NO_MEMORY;
    if (hash == NULL)
        return spend(cost, password);
    errno = 0;
    if (crypto_pwhash_str_verify(hash, password, strlen(password)) == 0)
        return ERR_OK;
    return errno == ENOMEM ? ERR_NO_MEMORY : ERR_UNAUTHORIZED;
}

bool
password_outdated(const struct password_cost *cost, const char *hash)
{
    return crypto_pwhash_str_needs_rehash(hash, (unsigned long long)cost->passes,
                                          (size_t)cost->memory_kib * KIB) != 0;
}

/* ---- places ---- */

static enum err
unusable(const char *path)
{
    log_event(LOG_LEVEL_ERROR, "passwords", "path", path, "why", strerror(errno), NULL);
    return ERR_BUSY;
}

enum err
password_enter(const char *path, int64_t n, int *place_r)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    enum err e = ERR_RATE;

    *place_r = -1;
    if (fd < 0)
        return unusable(path);
    for (lock.l_start = 0; lock.l_start < n && e == ERR_RATE; lock.l_start++) {  /* a byte is a place */
        if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
            e = ERR_OK;
        else if (errno != EAGAIN && errno != EACCES)
            e = unusable(path);
    }
    if (e == ERR_OK)
        *place_r = fd;
    else
        close(fd);
    return e;
}

void
password_leave(int place)
{
    if (place >= 0)
        close(place);
}
