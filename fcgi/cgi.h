/* cgi - the conversation with the web server: FastCGI, or one plain CGI request
 *
 * The only user of libfcgi. It reads requests, bounded in size and in time, hands each to
 * one function and writes what that function answered; it judges nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FCGI_CGI_H
#define FCGI_CGI_H

#include <stdbool.h>

#include "fcgi/req.h"
#include "shared/sbuf.h"

/* Answers q: the whole CGI answer, head and body, into out; a body that is a file is in q. */
typedef void cgi_handler(void *arg, struct request *q, struct sbuf *out);

/* Does whoever answers q, of which only the head is there, read the body himself? */
typedef bool cgi_streams(void *arg, struct request *q);

struct cgi {
    const struct config *config;        /* body_time_ms */
    int64_t body_max;                   /* bytes of a body; what is larger is not read */
    cgi_streams *streams;
    cgi_handler *answer;
    void *arg;
};

/* Was this process started for one plain CGI request? */
bool cgi_is_plain(void);

/* Serves FastCGI on the listening socket fd until SIGTERM, SIGINT or SIGUSR1; the request under way
 * is finished first. 0, or 1 when it could not go on. */
int cgi_serve(const struct cgi *cgi, int fd);

/* Serves the one request of environment and standard input. */
int cgi_once(const struct cgi *cgi);

#endif
