#include "control/path_watch.h"

#include <limits.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace dpdk_vhost {
namespace {

// A socket appears by bind or rename, and becomes usable by chmod or chown.
constexpr uint32_t kChanges =
    IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr uint32_t kFolderGone = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED;

// As many symbolic links as the kernel follows (path_resolution(7)).
constexpr int kMaxLinks = 40;

}  // namespace

PathWatch::PathWatch() : fd_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}

PathWatch::~PathWatch() {
  if (fd_ >= 0) close(fd_);
}

bool PathWatch::start(uint64_t key, const std::string& path, Task changed) {
  stop(key);
  Entry& entry = entries_[key];
  entry.path = path;
  entry.changed = std::move(changed);
  return refresh(entry);
}

void PathWatch::stop(uint64_t key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  forget(found->second.steps, {});
  entries_.erase(found);
}

bool PathWatch::refresh(Entry& entry) {
  std::set<Step> steps;
  const bool whole = fd_ >= 0 && walk(entry.path, kMaxLinks, steps);
  for (const Step& step : steps) {
    if (entry.steps.count(step) == 0) ++users_[step.first];
  }
  forget(entry.steps, steps);
  entry.steps = std::move(steps);
  return whole;
}

void PathWatch::forget(const std::set<Step>& steps, const std::set<Step>& kept) {
  for (const Step& step : steps) {
    if (kept.count(step) != 0) continue;
    const auto used = users_.find(step.first);
    if (used == users_.end() || --used->second != 0) continue;
    users_.erase(used);
    // Fails for a folder that is gone, whose watch went with it.
    inotify_rm_watch(fd_, step.first);
  }
}

bool PathWatch::walk(const std::string& path, int links_left, std::set<Step>& steps) const {
  bool whole = true;
  for (size_t at = 0; at < path.size();) {
    const size_t begin = path.find_first_not_of('/', at);
    if (begin == std::string::npos) break;
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string folder = begin == 0 ? "." : path.substr(0, begin);
    const std::string name = path.substr(begin, end - begin);
    const std::string here = path.substr(0, end);
    at = end;
    if (name == ".") continue;

    const int watch = inotify_add_watch(fd_, folder.c_str(), kChanges);
    if (watch >= 0) {
      steps.emplace(watch, name);
    } else if (errno == ENOENT || errno == ENOTDIR) {
      break;  // the step before tells when it comes
    } else {
      whole = false;  // may not be read, or the kernel has no watches left
    }

    struct stat found {};
    if (lstat(here.c_str(), &found) != 0) break;
    if (!S_ISLNK(found.st_mode)) continue;
    std::array<char, PATH_MAX> target{};
    const ssize_t length = readlink(here.c_str(), target.data(), target.size());
    if (length <= 0 || links_left == 0) return false;
    std::string leads_to(target.data(), static_cast<size_t>(length));
    if (leads_to.front() != '/') leads_to = folder + leads_to;
    whole = walk(leads_to, links_left - 1, steps) && whole;
  }
  return whole;
}

void PathWatch::dispatch() {
  alignas(inotify_event) std::array<char, 64 * 1024> buffer;
  std::vector<uint64_t> keys;
  for (;;) {
    const ssize_t size = read(fd_, buffer.data(), buffer.size());
    if (size <= 0) break;
    for (ssize_t at = 0; at < size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      const bool lost = (event->mask & IN_Q_OVERFLOW) != 0;
      const bool any_name = (event->mask & kFolderGone) != 0 || event->len == 0;
      const std::string name = event->len == 0 ? "" : event->name;
      for (const auto& [key, entry] : entries_) {
        const bool concerned =
            lost || std::any_of(entry.steps.begin(), entry.steps.end(), [&](const Step& step) {
              return step.first == event->wd && (any_name || step.second == name);
            });
        if (concerned) keys.push_back(key);
      }
      // The number may be given to another folder.
      if ((event->mask & IN_IGNORED) != 0) users_.erase(event->wd);
    }
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  trigger(keys);
}

void PathWatch::trigger(const std::vector<uint64_t>& keys) {
  for (const uint64_t key : keys) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) continue;
    refresh(found->second);
    const Task changed = found->second.changed;  // may stop this entry
    changed();
  }
}

}  // namespace dpdk_vhost
