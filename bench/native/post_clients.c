/* N clients that post messages, each waiting for its answer before it posts again.
 *
 * post_clients PORT SECONDS CLIENTS_FILE
 *
 * A line of CLIENTS_FILE is "TOKEN CHAT_ID": one client, on one connection that is kept. Every message has an
 * idempotency key of its own. Prints how many were answered 201, anything else that was answered, the time it took and
 * latencies in milliseconds. The program's own CPU time is printed too: it shares the machine with the server.
 */
#include "common.h"

#define SAMPLES 4000000
#define KEY_DIGITS 16

struct client {
    int fd, request_size, have;
    long long sent_at;
    char *key, request[6000], answer[32768];
};

static float samples[SAMPLES];
static long sample_count;

static void prepare(struct client *client, const char *token, const char *chat, int port) {
    char body[512];
    int size = snprintf(body, sizeof body,
                        "{\"content\":\"Measured: a message of a length that people write, neither a word nor a page.\","
                        "\"idempotency_key\":\"bench-%0*d\"}", KEY_DIGITS, 0);
    client->request_size = snprintf(client->request, sizeof client->request,
                                    "POST /api/chats/%s/messages HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\n"
                                    "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", chat, port, token, size, body);
    client->key = client->request + client->request_size - 2 - KEY_DIGITS;
}

static void post(struct client *client) {
    static long long key;
    char digits[KEY_DIGITS + 1];
    if (!key) key = now_ns() / 1000; /* 16 digits, and other ones in the next run */
    snprintf(digits, sizeof digits, "%0*lld", KEY_DIGITS, key++);
    memcpy(client->key, digits, KEY_DIGITS);
    client->have = 0;
    client->sent_at = now_ns();
    if (send(client->fd, client->request, client->request_size, MSG_NOSIGNAL) != client->request_size) fail("post");
}

/* Whether the answer is whole. */
static int is_whole(struct client *client) {
    client->answer[client->have] = 0;
    char *body = strstr(client->answer, "\r\n\r\n"), *length = strcasestr(client->answer, "\r\ncontent-length:");
    return body && length && client->have >= body + 4 - client->answer + atoi(length + 17);
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int port = atoi(argv[1]), count = 0;
    double seconds = atof(argv[2]);
    char token[4096], chat[32];
    struct client *clients = NULL;
    FILE *file = fopen(argv[3], "r");
    if (!file) fail(argv[3]);
    while (fscanf(file, "%4095s %31s", token, chat) == 2) {
        clients = realloc(clients, (count + 1) * sizeof *clients);
        prepare(&clients[count], token, chat, port);
        count++;
    }
    int poll = epoll_create1(0);
    for (int i = 0; i < count; i++) {
        struct client *client = &clients[i];
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        client->key = client->request + client->request_size - 2 - KEY_DIGITS; /* realloc has moved it */
        client->fd = connect_from(i, port);
        epoll_ctl(poll, EPOLL_CTL_ADD, client->fd, &event);
    }
    long long begin = now_ns(), end = begin + (long long)(seconds * 1e9);
    long created = 0, others = 0, waiting = count;
    for (int i = 0; i < count; i++) post(&clients[i]);
    struct epoll_event ready[256];
    while (waiting && now_ns() < end + 30000000000LL) {
        int n = epoll_wait(poll, ready, 256, 1000);
        for (int j = 0; j < n; j++) {
            struct client *client = &clients[ready[j].data.u32];
            ssize_t size = read(client->fd, client->answer + client->have, sizeof client->answer - 1 - client->have);
            if (size <= 0) fail("answer");
            client->have += size;
            if (!is_whole(client)) continue;
            if (!memcmp(client->answer, "HTTP/1.1 201", 12)) created++;
            else if (!others++) fprintf(stderr, "%.300s\n", client->answer);
            long long now = now_ns();
            if (sample_count < SAMPLES) samples[sample_count++] = (now - client->sent_at) / 1e6;
            if (now < end) post(client);
            else waiting--;
        }
    }
    double took = (now_ns() - begin) / 1e9;
    qsort(samples, sample_count, sizeof *samples, by_size);
    printf("created %ld others %ld seconds %.4f cpu_s %.3f p50_ms %.2f p99_ms %.2f\n", created, others, took, cpu_seconds(),
           quantile(samples, sample_count, .5), quantile(samples, sample_count, .99));
    return others || waiting;
}
