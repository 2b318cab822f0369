#include "control/notify_socket.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "failure.h"

namespace dpdk_vhost {
namespace {

Failure refusal(const std::string& path, const std::string& reason) {
  return Failure("ERR_NOTIFY", "cannot notify the service manager at " + path + ": " + reason);
}

}  // namespace

void send_notification(const std::string& path, const std::string& text) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || (path[0] != '/' && path[0] != '@')) {
    throw refusal(path, "it is neither an absolute path nor an abstract socket (@name)");
  }
  if (path.size() >= sizeof(address.sun_path)) throw refusal(path, strerror(ENAMETOOLONG));
  memcpy(address.sun_path, path.data(), path.size());
  // The length, not a zero byte, ends an abstract name.
  if (path[0] == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());

  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) throw refusal(path, strerror(errno));
  const auto sent = sendto(socket, text.data(), text.size(), MSG_NOSIGNAL,
                           reinterpret_cast<const sockaddr*>(&address), length);
  const int error = errno;
  ::close(socket);
  if (sent < 0) throw refusal(path, strerror(error));
}

}  // namespace dpdk_vhost
