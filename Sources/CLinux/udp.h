// UDP over IPv4 for discovering cameras. Addresses and ports are in host byte order.
#pragma once
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
  char name[IF_NAMESIZE];
  uint32_t address, mask;
} shim_interface;

/// Lists the active interfaces with broadcast and an IPv4 address, at most `most`; returns their number, or -1. It uses
/// ioctl, as a sandbox may forbid netlink sockets.
static inline int shim_interfaces(shim_interface *found, int most) {
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
    struct sockaddr_in place;
    memcpy(&place, &all[i].ifr_addr, sizeof place);
    entry->address = ntohl(place.sin_addr.s_addr);
    memcpy(&place, &mask.ifr_netmask, sizeof place);
    entry->mask = ntohl(place.sin_addr.s_addr);
  }
  close(descriptor);
  return count;
}

static inline struct sockaddr_in shim_place(uint32_t address, uint16_t port) {
  struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
  return place;
}
/// Creates a bound socket that may broadcast; broadcasts and multicasts leave by the interface with that address. Returns
/// -1 on failure.
/// - Parameter shared: whether others may bind to the same port; broadcasts then reach all of them.
static inline int shim_udp(uint32_t address, uint16_t port, bool shared) {
  int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -1;
  const int yes = 1;
  const struct in_addr interface = {htonl(address)};
  const struct sockaddr_in place = shim_place(address, port);
  setsockopt(descriptor, SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes);
  if (shared) setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (address != 0) setsockopt(descriptor, IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof interface);
  if (bind(descriptor, (const struct sockaddr *)&place, sizeof place) == 0) return descriptor;
  const int number = errno;
  close(descriptor);
  errno = number;
  return -1;
}
/// The port that a socket is bound to, 0 on failure.
static inline uint16_t shim_udp_port(int descriptor) {
  struct sockaddr_in place;
  socklen_t length = sizeof place;
  return getsockname(descriptor, (struct sockaddr *)&place, &length) == 0 ? ntohs(place.sin_port) : 0;
}
/// Joins the multicast `group` on the interface with `address` (0: any).
static inline int shim_udp_join(int descriptor, uint32_t group, uint32_t address) {
  const struct ip_mreq membership = {{htonl(group)}, {htonl(address)}};
  return setsockopt(descriptor, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership);
}
static inline ssize_t shim_udp_send(int descriptor, const void *bytes, size_t count, uint32_t address, uint16_t port) {
  const struct sockaddr_in place = shim_place(address, port);
  return sendto(descriptor, bytes, count, MSG_NOSIGNAL, (const struct sockaddr *)&place, sizeof place);
}
/// Receives the next datagram and its sender; returns its size, or -1. What exceeds `size` is cut off.
static inline ssize_t shim_udp_receive(int descriptor, void *bytes, size_t size, uint32_t *address, uint16_t *port) {
  struct sockaddr_in place;
  memset(&place, 0, sizeof place);
  socklen_t length = sizeof place;
  const ssize_t count = recvfrom(descriptor, bytes, size, MSG_DONTWAIT, (struct sockaddr *)&place, &length);
  *address = ntohl(place.sin_addr.s_addr);
  *port = ntohs(place.sin_port);
  return count;
}
