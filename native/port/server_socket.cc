#include "port/server_socket.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "failure.h"

namespace dpdk_vhost {
namespace {

[[noreturn]] void fail(const char* code, const std::string& what, int error) {
  throw Failure(code, what + ": " + strerror(error));
}

// While it lives, files made by this thread are accessible to nobody. The mask is the thread's
// own, unless the kernel refuses that: then the process's stays as it is, and a socket is open as
// far as that allows until its mode is set.
class ClosedUmask {
 public:
  // The mask that was in force, which this thread keeps from its first use on.
  static mode_t usual() {
    static const mode_t mask = [] {
      own();
      const mode_t found = umask(0);
      umask(found);
      return found;
    }();
    return mask;
  }
  ClosedUmask() : before_(usual()) {
    if (own()) umask(0777);
  }
  ~ClosedUmask() {
    if (own()) umask(before_);
  }
  ClosedUmask(const ClosedUmask&) = delete;
  ClosedUmask& operator=(const ClosedUmask&) = delete;

 private:
  static bool own() {
    thread_local const bool unshared = unshare(CLONE_FS) == 0;
    return unshared;
  }
  const mode_t before_;
};

void create_folders(const std::string& path) {
  for (size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
    const std::string folder = path.substr(0, end);
    if (mkdir(folder.c_str(), 0777 & ~ClosedUmask::usual()) != 0 && errno != EEXIST) {
      fail("ERR_SOCKET_FOLDER", "cannot create the folder " + folder + " for " + path, errno);
    }
  }
}

// Removes a socket that a dead process left at `path`. A live one is never stolen, and what is no
// socket never removed.
void clear_stale_socket(const std::string& path) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) return;
  if (!S_ISSOCK(found.st_mode)) {
    throw Failure("ERR_PATH_NOT_SOCKET",
                  path + " exists and is not a socket; choose another path or remove it");
  }
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) fail("ERR_SOCKET_LISTEN", "cannot make a socket", errno);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path.c_str(), std::min(path.size(), sizeof(address.sun_path) - 1));
  const int result = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const int error = errno;
  ::close(fd);
  if (result == 0 || error == EAGAIN) {
    throw Failure("ERR_SOCKET_IN_USE",
                  "another process listens at " + path + "; stop it or choose another path");
  }
  if (error != ECONNREFUSED)
    fail("ERR_SOCKET_LISTEN", "cannot tell whether " + path + " is in use", error);
  if (unlink(path.c_str()) != 0)
    fail("ERR_SOCKET_LISTEN", "cannot remove the stale socket " + path, errno);
}

constexpr id_t kUnchanged = static_cast<id_t>(-1);

std::optional<id_t> number_in(const std::string& text) {
  const bool digits =
      std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  if (!digits) return std::nullopt;
  return static_cast<id_t>(std::stoul(text));
}

// `look_up` is getpwnam_r or getgrnam_r.
template <typename Record, typename LookUp, typename Id>
id_t id_of(const char* field, const char* what, const std::string& text, LookUp look_up,
           Id Record::*id) {
  if (text.empty()) return kUnchanged;
  if (const auto number = number_in(text)) return *number;
  std::vector<char> buffer(64 * 1024);
  Record record{};
  Record* found = nullptr;
  look_up(text.c_str(), &record, buffer.data(), buffer.size(), &found);
  if (found == nullptr) {
    throw Failure("ERR_SOCKET_OWNER", std::string(field) + " '" + text + "': this host has no " +
                                          what + " of that name; create it or give a number");
  }
  return found->*id;
}

}  // namespace

ServerSocket::ServerSocket(std::string path, SocketAccess access)
    : path_(std::move(path)), access_(std::move(access)) {}

void ServerSocket::create(const std::function<void()>& bind) {
  const id_t uid = id_of("uid", "user", access_.uid, getpwnam_r, &passwd::pw_uid);
  const id_t gid = id_of("gid", "group", access_.gid, getgrnam_r, &group::gr_gid);
  if (access_.create_folder) create_folders(path_);
  clear_stale_socket(path_);
  {
    const ClosedUmask closed;
    bind();
  }
  struct stat made {};
  if (lstat(path_.c_str(), &made) == 0) {
    device_ = made.st_dev;
    inode_ = made.st_ino;
  }
  // The owner first: with the mode, the socket is open.
  if ((uid != kUnchanged || gid != kUnchanged) && lchown(path_.c_str(), uid, gid) != 0) {
    fail("ERR_SOCKET_OWNER",
         "cannot give " + path_ + " to uid '" + access_.uid + "', gid '" + access_.gid +
             "'; this takes root (CAP_CHOWN), or membership in the group",
         errno);
  }
  const mode_t mode = access_.mode.value_or(0777 & ~ClosedUmask::usual());
  if (chmod(path_.c_str(), mode) != 0)
    fail("ERR_SOCKET_OWNER", "cannot set the mode of " + path_, errno);
}

bool ServerSocket::is_ours() const {
  struct stat found {};
  return lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ && found.st_ino == inode_;
}

void ServerSocket::remove(const std::function<void()>& unbind) {
  // librte removes whatever has the name. A second name saves what is not ours.
  const std::string saved = path_ + "~";
  const bool foreign = !is_ours() && link(path_.c_str(), saved.c_str()) == 0;
  unbind();
  if (foreign) {
    rename(saved.c_str(), path_.c_str());
    unlink(saved.c_str());  // there still, if the first name was not removed
  }
  inode_ = 0;
}

}  // namespace dpdk_vhost
