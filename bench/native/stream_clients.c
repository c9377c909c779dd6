/* N event streams on loopback, SSE or WebSocket: counts what arrives.
 *
 * stream_clients PORT PATH CONNECTIONS EVENTS SECONDS [TOKENS [CURSOR]]
 *
 * A PATH that begins with /ws asks for a WebSocket. TOKENS: a file with one bearer token a line, used round robin.
 * CURSOR: sent as Last-Event-ID. Prints "ready" when every stream has its first bytes, then counts '~' and 19 digits
 * (the time of sending, in nanoseconds, which also names the event) as one event, until CONNECTIONS x EVENTS have come
 * or SECONDS have passed since. Prints events, bytes, streams that were closed, milliseconds from the first connect to
 * the end, latencies of all deliveries, and latencies of each event's last delivery, in milliseconds.
 */
#include "common.h"

#define CARRY 24 /* longer than a stamp that two reads cut apart */
#define SAMPLES 4000000
#define PENDING 3000 /* not yet answered: more would overflow the listener's queue */
#define KINDS (1 << 16) /* different events that are told apart */

struct stream {
    int fd;
    char accepted, answered, length, carry[CARRY];
};

/* One event, by its stamp: when its last delivery came. */
struct kind {
    long long stamp, last;
};

static float samples[SAMPLES], lasts[KINDS];
static struct kind kinds[KINDS];
static long sample_count, stamp_count, kind_count;

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

static void note(long long stamp, long long now) {
    unsigned place = (unsigned)((stamp * 0x9E3779B97F4A7C15ULL) >> 48);
    if (!(stamp_count++ & 3) && sample_count < SAMPLES) samples[sample_count++] = (now - stamp) / 1e6;
    while (kinds[place].stamp && kinds[place].stamp != stamp) place = (place + 1) & (KINDS - 1);
    if (!kinds[place].stamp) {
        if (kind_count == KINDS / 2) return;
        kinds[place].stamp = stamp;
        kind_count++;
    }
    kinds[place].last = now;
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
            note(atoll(at + 1), now);
        }
        at++;
    }
    return found;
}

static int head(char *request, size_t room, int port, const char *path, const char *token, const char *cursor) {
    int n = snprintf(request, room, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n", path, port);
    if (strncmp(path, "/ws", 3))
        n += snprintf(request + n, room - n, "Accept: text/event-stream\r\n");
    else
        n += snprintf(request + n, room - n, "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
    if (token) n += snprintf(request + n, room - n, "Authorization: Bearer %s\r\n", token);
    if (cursor) n += snprintf(request + n, room - n, "Last-Event-ID: %s\r\n", cursor);
    return n + snprintf(request + n, room - n, "\r\n");
}

int main(int argc, char **argv) {
    if (argc < 6) return 2;
    int port = atoi(argv[1]), connections = atoi(argv[3]), token_count = 0, answered = 0, closed = 0;
    long long wanted = atoll(argv[4]) * connections, events = 0, bytes = 0, patience = atof(argv[5]) * 1e9;
    char **tokens = argc > 6 ? read_tokens(argv[6], &token_count) : NULL, *cursor = argc > 7 ? argv[7] : NULL;
    int is_ws = !strncmp(argv[2], "/ws", 3);
    const char *welcome = is_ws ? "HTTP/1.1 101" : "HTTP/1.1 200";
    struct stream *streams = calloc(connections, sizeof *streams);
    struct epoll_event ready[1024];
    static char buffer[CARRY + (1 << 18)];
    int poll = epoll_create1(0), opened = 0;
    long long begin = now_ns(), end = begin + 120000000000LL;

    while (now_ns() < end && closed < connections && (answered < connections || events < wanted)) {
        for (; opened < connections && opened - answered - closed < PENDING; opened++) {
            char request[9000];
            int n = head(request, sizeof request, port, argv[2], tokens ? tokens[opened % token_count] : NULL, cursor);
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
            if (!stream->accepted && (size < 12 || memcmp(buffer, welcome, 12))) {
                fprintf(stderr, "stream %u was refused: %.*s\n", ready[j].data.u32, (int)strcspn(buffer, "\r\n"), buffer);
                return 1;
            }
            stream->accepted = 1;
            /* A WebSocket is accepted before it hears anything: it does from its greeting on. */
            if (!stream->answered && (!is_ws || memmem(buffer, stream->length + size, "hello", 5))) {
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
    double took = (now_ns() - begin) / 1e6;
    for (long i = 0, n = 0; i < KINDS; i++)
        if (kinds[i].stamp) lasts[n++] = (kinds[i].last - kinds[i].stamp) / 1e6;
    qsort(samples, sample_count, sizeof *samples, by_size);
    qsort(lasts, kind_count, sizeof *lasts, by_size);
    printf("events %lld bytes %lld closed %d took_ms %.2f p50_ms %.2f p99_ms %.2f max_ms %.2f last_p50_ms %.2f "
           "last_p99_ms %.2f\n",
           events, bytes, closed, took, quantile(samples, sample_count, .5), quantile(samples, sample_count, .99),
           quantile(samples, sample_count, 1), quantile(lasts, kind_count, .5), quantile(lasts, kind_count, .99));
    return closed || answered < connections || events < wanted;
}
