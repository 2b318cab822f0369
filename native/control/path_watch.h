#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace dpdk_vhost {

// Tells when something may have appeared at a path. Every folder on the way is watched (inotify),
// so that the folders need not exist yet and may be replaced, and so are the ways that symbolic
// links lead to. Control thread only.
class PathWatch {
 public:
  using Task = std::function<void()>;

  PathWatch();
  ~PathWatch();
  PathWatch(const PathWatch&) = delete;
  PathWatch& operator=(const PathWatch&) = delete;

  // Readable when `dispatch` has something to do; -1 where the kernel has no watches left.
  int fd() const { return fd_; }
  void dispatch();

  // Calls `changed` from `dispatch` whenever the path, or the way to it, changes, until `stop`.
  // False when a part of the way cannot be watched: the caller has to look by itself as well.
  bool start(uint64_t key, const std::string& path, Task changed);
  void stop(uint64_t key);

 private:
  // A watched folder, and the name in it that leads on.
  using Step = std::pair<int, std::string>;
  struct Entry {
    std::string path;
    Task changed;
    std::set<Step> steps;
  };

  bool walk(const std::string& path, int links_left, std::set<Step>& steps) const;
  bool refresh(Entry& entry);
  void forget(const std::set<Step>& steps, const std::set<Step>& kept);
  void trigger(const std::vector<uint64_t>& keys);

  const int fd_;
  std::map<uint64_t, Entry> entries_;
  std::map<int, uint32_t> users_;  // entries' steps by watched folder
};

}  // namespace dpdk_vhost
