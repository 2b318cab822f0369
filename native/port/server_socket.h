#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>

namespace dpdk_vhost {

// Who may connect to a socket that a port listens on.
struct SocketAccess {
  bool create_folder = false;
  std::optional<mode_t> mode;  // what the umask leaves when not given
  std::string uid;             // name or number; empty: ours
  std::string gid;
};

// The file of a socket that a port listens on, which librte creates and removes without a look at
// what is there. Control thread only.
class ServerSocket {
 public:
  ServerSocket(std::string path, SocketAccess access);

  // Makes room for the socket, has `bind` create it, and opens it to those who may connect; nobody
  // else can in between. Throws Failure.
  void create(const std::function<void()>& bind);

  // Has `unbind` remove the socket; what somebody else put in its place stays.
  void remove(const std::function<void()>& unbind);

 private:
  bool is_ours() const;

  const std::string path_;
  const SocketAccess access_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace dpdk_vhost
