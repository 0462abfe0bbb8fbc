// The traffic of sockets as counted by the kernel, since libcurl's own figures exclude TLS. linux/tcp.h has newer
// fields than the C library's header; the two cannot be included together.
#include "CLibCurl.h"
#include "library.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

static int header_size(int socket, const struct tcp_info *info) {
  struct sockaddr_storage peer = {0};
  socklen_t size = sizeof peer;
  getpeername(socket, (struct sockaddr *)&peer, &size);
  int is_six = peer.ss_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&((struct sockaddr_in6 *)&peer)->sin6_addr);
  // The headers of IP and TCP, and the timestamp option, which nearly every connection uses.
  return (is_six ? 40 : 20) + 20 + (info->tcpi_options & TCPI_OPT_TIMESTAMPS ? 12 : 0);
}

int shim_socket_traffic(int socket, uint64_t *sent, uint64_t *received) {
  struct tcp_info info = {0};
  socklen_t size = sizeof info;
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size)) return 0;
  if (size < offsetof(struct tcp_info, tcpi_bytes_sent) + sizeof info.tcpi_bytes_sent) return 0;
  uint64_t header = header_size(socket, &info);
  *sent = info.tcpi_bytes_sent + info.tcpi_segs_out * header;
  *received = info.tcpi_bytes_received + info.tcpi_segs_in * header;
  return 1;
}

static curl_socket_t open_socket(void *watch, curlsocktype purpose, struct curl_sockaddr *address) {
  const struct shim_sockets *sockets = watch;
  (void)purpose;
  int made = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (made >= 0) sockets->opened(sockets->context, made);
  return made;
}

static int close_socket(void *watch, curl_socket_t socket) {
  const struct shim_sockets *sockets = watch;
  sockets->closes(sockets->context, socket);
  return close(socket);
}

CURLcode shim_set_sockets(CURL *easy, const struct shim_sockets *sockets) {
  CURLcode code = shim_set_opening(easy, open_socket);
  if (!code) code = shim_set_pointer(easy, CURLOPT_OPENSOCKETDATA, (void *)sockets);
  if (!code) code = shim_set_closing(easy, close_socket);
  return code ? code : shim_set_pointer(easy, CURLOPT_CLOSESOCKETDATA, (void *)sockets);
}
