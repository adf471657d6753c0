/* hello_fcgi - the least a FastCGI program can do: SOCKET BYTES answers so many bytes, always
 *
 * What the web server and the protocol cost by themselves.
 *
 * SPDX-License-Identifier: MIT
 */
#include <fcgiapp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
main(int argc, char **argv)
{
    FCGX_Request request;
    char *body;
    int fd, len;

    if (argc != 3 || (len = atoi(argv[2])) < 1 || !(body = malloc((size_t)len))) {
        fprintf(stderr, "usage: hello_fcgi SOCKET BYTES\n");
        return 2;
    }
    memset(body, 'x', (size_t)len);
    FCGX_Init();
    fd = FCGX_OpenSocket(argv[1], 1024);
    if (fd < 0 || FCGX_InitRequest(&request, fd, 0) != 0)
        return 1;
    while (FCGX_Accept_r(&request) == 0) {
        FCGX_FPrintF(request.out, "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n", len);
        FCGX_PutStr(body, len, request.out);
        FCGX_Finish_r(&request);
    }
    return 0;
}
