/* N event streams on loopback: counts what arrives.
 *
 * sse_clients PORT PATH CONNECTIONS EVENTS SECONDS [TOKENS]
 *
 * TOKENS: a file with one bearer token a line, used round robin. Prints "ready" when every stream has its first bytes,
 * then counts '~' and 19 digits (the time of sending, in nanoseconds) as one event, until CONNECTIONS x EVENTS have
 * come or SECONDS have passed since. Prints events, bytes, streams that were closed, and latencies in milliseconds.
 */
#include "common.h"

#define CARRY 24 /* longer than a stamp that two reads cut apart */
#define SAMPLES 4000000

struct stream {
    int fd;
    char answered, length, carry[CARRY];
};

static float samples[SAMPLES];
static long sample_count, stamp_count;

static char **read_tokens(const char *path, int *count) {
    char **tokens = NULL, line[8192];
    FILE *file = fopen(path, "r");
    if (!file) fail(path);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = 0;
        tokens = realloc(tokens, (*count + 1) * sizeof *tokens);
        tokens[(*count)++] = strdup(line);
    }
    return tokens;
}

/* Count the stamps in the bytes; keep the beginning of one that is cut. */
static long take(struct stream *stream, char *bytes, long size, long long now) {
    long found = 0;
    char *end = bytes + size, *at = bytes;
    stream->length = 0;
    while ((at = memchr(at, '~', end - at))) {
        if (end - at < 20) {
            stream->length = end - at;
            memcpy(stream->carry, at, end - at);
            break;
        }
        if (at[1] >= '0' && at[1] <= '9') {
            found++;
            if (sample_count < SAMPLES && !(stamp_count++ & 3)) samples[sample_count++] = (now - atoll(at + 1)) / 1e6;
        }
        at++;
    }
    return found;
}

int main(int argc, char **argv) {
    if (argc < 6) return 2;
    int port = atoi(argv[1]), connections = atoi(argv[3]), token_count = 0, answered = 0, closed = 0;
    long long wanted = atoll(argv[4]) * connections, events = 0, bytes = 0, patience = atof(argv[5]) * 1e9;
    char **tokens = argc > 6 ? read_tokens(argv[6], &token_count) : NULL;
    struct stream *streams = calloc(connections, sizeof *streams);
    struct epoll_event ready[1024];
    static char buffer[CARRY + (1 << 18)];
    int poll = epoll_create1(0), opened = 0;
    long long end = now_ns() + 120000000000LL;

    while (now_ns() < end && closed < connections && (answered < connections || events < wanted)) {
        /* A few hundred at a time: more would overflow the listener's queue. */
        for (; opened < connections && opened - answered - closed < 256; opened++) {
            char request[9000];
            int n = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: text/event-stream\r\n%s%s%s\r\n",
                             argv[2], port, tokens ? "Authorization: Bearer " : "", tokens ? tokens[opened % token_count] : "",
                             tokens ? "\r\n" : "");
            struct epoll_event event = {.events = EPOLLIN, .data.u32 = opened};
            streams[opened].fd = connect_from(opened, port);
            if (write(streams[opened].fd, request, n) != n) fail("request");
            fcntl(streams[opened].fd, F_SETFL, O_NONBLOCK);
            epoll_ctl(poll, EPOLL_CTL_ADD, streams[opened].fd, &event);
        }
        int count = epoll_wait(poll, ready, 1024, 100);
        for (int j = 0; j < count; j++) {
            struct stream *stream = &streams[ready[j].data.u32];
            memcpy(buffer, stream->carry, stream->length);
            ssize_t size = read(stream->fd, buffer + stream->length, sizeof buffer - CARRY);
            if (size <= 0) {
                if (size == 0 || errno != EAGAIN) { closed++; close(stream->fd); }
                continue;
            }
            bytes += size;
            if (!stream->answered) {
                if (size < 12 || memcmp(buffer, "HTTP/1.1 200", 12)) {
                    fprintf(stderr, "stream %u was refused: %.*s\n", ready[j].data.u32, (int)strcspn(buffer, "\r\n"), buffer);
                    return 1;
                }
                stream->answered = 1;
                if (++answered == connections) {
                    puts("ready");
                    fflush(stdout);
                    end = now_ns() + patience;
                }
            }
            events += take(stream, buffer, stream->length + size, now_ns());
        }
    }
    qsort(samples, sample_count, sizeof *samples, by_size);
    printf("events %lld bytes %lld closed %d p50_ms %.2f p99_ms %.2f max_ms %.2f\n", events, bytes, closed,
           quantile(samples, sample_count, .5), quantile(samples, sample_count, .99), quantile(samples, sample_count, 1));
    return closed || answered < connections || events < wanted;
}
