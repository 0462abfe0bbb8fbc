#include "fortified.h"

#include "CLinux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

bool shim_find_socket(shim_endpoint near, shim_endpoint far, shim_socket_owner *owner) {
  struct { struct nlmsghdr head; struct inet_diag_req_v2 body; } request = {
      {sizeof request, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0},
      {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0u}};
  request.body.id.idiag_sport = near.port;
  request.body.id.idiag_dport = far.port;
  request.body.id.idiag_src[0] = near.address;
  request.body.id.idiag_dst[0] = far.address;
  request.body.id.idiag_cookie[0] = request.body.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  struct { struct nlmsghdr head; struct inet_diag_msg body; char rest[1024]; } answer;
  int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
  if (fd < 0) return false;
  ssize_t got = write(fd, &request, sizeof request) < 0 ? -1 : read(fd, &answer, sizeof answer);
  close(fd);
  if (got < (ssize_t)NLMSG_LENGTH(sizeof answer.body) || answer.head.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
      answer.body.idiag_inode == 0)
    return false;
  *owner = (shim_socket_owner){answer.body.idiag_inode, answer.body.idiag_uid};
  return true;
}

_Static_assert(sizeof((shim_interface *)0)->name == IF_NAMESIZE, "the header's value");

// It uses ioctl, as a sandbox may forbid netlink sockets.
int shim_interfaces(shim_interface *found, int most) {
  struct ifreq all[64];
  struct ifconf list = {.ifc_len = sizeof all, .ifc_req = all};
  int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), count = 0;
  if (descriptor < 0) return -1;
  if (ioctl(descriptor, SIOCGIFCONF, &list) != 0) list.ifc_len = 0;
  const short wanted = IFF_UP | IFF_RUNNING | IFF_BROADCAST;
  for (unsigned i = 0; i < (unsigned)list.ifc_len / sizeof *all && count < most; i++) {
    struct ifreq flags = all[i], mask = all[i];
    if (ioctl(descriptor, SIOCGIFFLAGS, &flags) != 0 || (flags.ifr_flags & wanted) != wanted) continue;
    if (ioctl(descriptor, SIOCGIFNETMASK, &mask) != 0) continue;
    shim_interface *entry = &found[count++];
    memset(entry, 0, sizeof *entry);
    // Includes aliases such as eth0:1.
    memcpy(entry->name, all[i].ifr_name, sizeof entry->name - 1);
    struct sockaddr_in endpoint;
    memcpy(&endpoint, &all[i].ifr_addr, sizeof endpoint);
    entry->address = ntohl(endpoint.sin_addr.s_addr);
    memcpy(&endpoint, &mask.ifr_netmask, sizeof endpoint);
    entry->mask = ntohl(endpoint.sin_addr.s_addr);
  }
  close(descriptor);
  return count;
}

static struct sockaddr_in endpoint_of(uint32_t address, uint16_t port) {
  struct sockaddr_in endpoint = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
  return endpoint;
}

int shim_udp(uint32_t address, uint16_t port, bool shared) {
  int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -1;
  const int yes = 1;
  const struct in_addr interface = {htonl(address)};
  const struct sockaddr_in endpoint = endpoint_of(address, port);
  setsockopt(descriptor, SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes);
  if (shared) setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (address != 0) setsockopt(descriptor, IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof interface);
  if (bind(descriptor, (const struct sockaddr *)&endpoint, sizeof endpoint) == 0) return descriptor;
  const int number = errno;
  close(descriptor);
  errno = number;
  return -1;
}

uint16_t shim_udp_port(int descriptor) {
  struct sockaddr_in endpoint;
  socklen_t length = sizeof endpoint;
  return getsockname(descriptor, (struct sockaddr *)&endpoint, &length) == 0 ? ntohs(endpoint.sin_port) : 0;
}

int shim_udp_join(int descriptor, uint32_t group, uint32_t address) {
  const struct ip_mreq membership = {{htonl(group)}, {htonl(address)}};
  return setsockopt(descriptor, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership);
}

ssize_t shim_udp_send(int descriptor, const void *bytes, size_t count, uint32_t address, uint16_t port) {
  const struct sockaddr_in endpoint = endpoint_of(address, port);
  return sendto(descriptor, bytes, count, MSG_NOSIGNAL, (const struct sockaddr *)&endpoint, sizeof endpoint);
}

ssize_t shim_udp_receive(int descriptor, void *bytes, size_t size, uint32_t *address, uint16_t *port) {
  struct sockaddr_in endpoint;
  memset(&endpoint, 0, sizeof endpoint);
  socklen_t length = sizeof endpoint;
  const ssize_t count = recvfrom(descriptor, bytes, size, MSG_DONTWAIT, (struct sockaddr *)&endpoint, &length);
  *address = ntohl(endpoint.sin_addr.s_addr);
  *port = ntohs(endpoint.sin_port);
  return count;
}
