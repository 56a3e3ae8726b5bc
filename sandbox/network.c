// The network namespace: loopback up, and the gateway's listening socket handed out. Nothing else is in it.
#include "shim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int raise_loopback(struct start *start) {
    (void)start;
    int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (any < 0) return explain(-errno, "socket");
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int code = ioctl(any, SIOCSIFFLAGS, &request) == 0 ? 0 : explain(-errno, "lo");
    close(any);
    return code;
}

// The only way out. The socket's namespace is this one for good, its holder the launcher alone.
int open_gateway(struct start *start) {
    int port = start->options.listen_port;
    if (port == 0) return 0;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0) return explain(-errno, "socket");
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int code = 0;
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) code = explain(-errno, "bind port %d", port);
    else if (listen(listener, 128) != 0) code = explain(-errno, "listen on port %d", port);
    else if ((code = send_descriptor('L', listener, FD_CHANNEL)) != 0) explain(code, "send the listener");
    close(listener);
    return code;
}
