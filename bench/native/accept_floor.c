/* The floor of many clients coming back at once: accept each, read its request, write it what it missed.
 *
 * accept_floor PORT CONNECTIONS FRAME_FILE
 *
 * Nothing is checked or looked up. Prints "listening", and keeps the connections until a line comes on stdin.
 */
#include "common.h"

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int port = atoi(argv[1]), connections = atoi(argv[2]), on = 1;
    static char frame[1 << 20], request[1 << 13];
    FILE *file = fopen(argv[3], "r");
    if (!file) fail(argv[3]);
    size_t size = fread(frame, 1, sizeof frame, file);

    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7f000001)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (void *)&at, sizeof at) || listen(listener, 4096)) fail("listen");
    puts("listening");
    fflush(stdout);
    for (int i = 0; i < connections; i++) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0 || read(fd, request, sizeof request) <= 0) fail("accept");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (write(fd, frame, size) != (ssize_t)size) fail("write");
    }
    (void)!fgets(request, sizeof request, stdin);
    return 0;
}
