/* cgi_time - COUNT BODY PROGRAM: how long plain CGI takes from fork to its first byte
 *
 * Runs the program COUNT times with our environment, BODY on its standard input. Prints p50 and
 * p99 to the first byte, p50 to the end, and CPU on average, in microseconds. An answer that does
 * not begin with EXPECT (environment, default none) is an error.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/measure.h"

extern char **environ;

static void
die(const char *what)
{
    perror(what);
    exit(1);
}

/* Its first bytes, and when they came; then the rest, until it ends. */
static void
run_once(char **argv, int body, const char *expect, struct samples *first, struct samples *all)
{
    posix_spawn_file_actions_t files;
    char answer[65536];
    int out[2], status;
    int64_t start;
    ssize_t n;
    pid_t pid;

    if (lseek(body, 0, SEEK_SET) != 0 || pipe2(out, O_CLOEXEC) != 0)
        die("pipe");
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, body, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
    start = measure_now();
    if (posix_spawn(&pid, argv[0], &files, NULL, argv, environ) != 0)
        die(argv[0]);
    posix_spawn_file_actions_destroy(&files);
    close(out[1]);
    n = read(out[0], answer, sizeof(answer));
    measure_add(first, measure_now() - start);
    if (n < 0 || (size_t)n < strlen(expect) || memcmp(answer, expect, strlen(expect)) != 0) {
        fprintf(stderr, "cgi_time: answered %.*s\n", (int)(n > 0 ? n : 0), answer);
        exit(1);
    }
    while (n > 0)
        n = read(out[0], answer, sizeof(answer));
    close(out[0]);
    if (waitpid(pid, &status, 0) != pid || status != 0)
        die("the program failed");
    measure_add(all, measure_now() - start);
}

int
main(int argc, char **argv)
{
    struct samples first = { 0 }, all = { 0 };
    const char *expect = getenv("EXPECT");
    struct rusage used;
    int body, i;

    if (argc < 4) {
        fprintf(stderr, "usage: cgi_time COUNT BODY PROGRAM\n");
        return 2;
    }
    body = memfd_create("body", MFD_CLOEXEC);
    if (body < 0 || write(body, argv[2], strlen(argv[2])) != (ssize_t)strlen(argv[2]))
        die("body");
    for (i = 0; i < atoi(argv[1]); i++)
        run_once(argv + 3, body, expect ? expect : "", &first, &all);
    getrusage(RUSAGE_CHILDREN, &used);
    printf("%.1f %.1f %.1f %.1f\n", measure_percentile_us(&first, 50),
           measure_percentile_us(&first, 99), measure_percentile_us(&all, 50),
           ((double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
            (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec)) / i);
    return 0;
}
