/* The floor of fan-out: one loop that sends the same frame to N sockets, and nothing else.
 *
 * fanout_floor PORT CONNECTIONS EVENTS GAP_MS FRAME_FILE
 *
 * Accepts CONNECTIONS, answers each with the head of an event stream, waits for a line on stdin, then sends FRAME
 * EVENTS times to all, beginning one round every GAP_MS. The 19 digits after '~' in the frame become the time.
 * Prints the CPU seconds that the sending took, and how many sends failed.
 */
#include "common.h"

int main(int argc, char **argv) {
    if (argc != 6) return 2;
    int port = atoi(argv[1]), connections = atoi(argv[2]), events = atoi(argv[3]), on = 1;
    long long gap = atof(argv[4]) * 1e6;
    static char frame[1 << 16], request[1 << 13];
    FILE *file = fopen(argv[5], "r");
    if (!file) fail(argv[5]);
    size_t size = fread(frame, 1, sizeof frame, file);
    char *stamp = memchr(frame, '~', size);
    if (!stamp) return 2;

    int listener = socket(AF_INET, SOCK_STREAM, 0), *fds = malloc(connections * sizeof *fds);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7f000001)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (void *)&at, sizeof at) || listen(listener, 4096)) fail("listen");
    puts("listening");
    fflush(stdout);
    const char *head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    for (int i = 0; i < connections; i++) {
        fds[i] = accept(listener, NULL, NULL);
        if (fds[i] < 0 || read(fds[i], request, sizeof request) <= 0) fail("accept");
        setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (write(fds[i], head, strlen(head)) < 0) fail("head");
    }
    if (!fgets(request, sizeof request, stdin)) return 2;

    long failed = 0;
    double before = cpu_seconds();
    long long begin = now_ns();
    for (int e = 0; e < events; e++) {
        char digits[21];
        snprintf(digits, sizeof digits, "%019lld", now_ns());
        memcpy(stamp + 1, digits, 19);
        for (int i = 0; i < connections; i++)
            failed += send(fds[i], frame, size, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)size;
        long long rest = begin + (e + 1) * gap - now_ns();
        if (rest > 0) usleep(rest / 1000);
    }
    printf("cpu_s %.4f failed %ld\n", cpu_seconds() - before, failed);
    fflush(stdout);
    if (!fgets(request, sizeof request, stdin)) return 0; /* keep the connections until told */
    return 0;
}
