#include "eal/short_start.h"

#include <dirent.h>
#include <rte_eal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "eal/drivers.h"
#include "eal/imports.h"

namespace dpdk_vhost {
namespace {

constexpr std::string_view kNode = "/sys/devices/system/node/node";
constexpr size_t kMostNodes = 1024;

constexpr timespec kCalibration{0, 100'000'000};
constexpr timespec kShortCalibration{0, 10'000'000};

// All of the one thread that starts EAL.
struct State {
  std::array<std::optional<bool>, kMostNodes> has_node{};
  bool is_calibrated = false;
  // That it reads.
  std::string folder;
};
State state;

// For a path in the folder of a NUMA node: whether there is that node.
bool has_node(const char* path) {
  char* end = nullptr;
  const unsigned long node = std::strtoul(path + kNode.size(), &end, 10);
  if (*end != '/' || node >= kMostNodes) return true;
  std::optional<bool>& known = state.has_node[node];
  if (!known) {
    const std::string folder(path, static_cast<size_t>(end - path));
    known = ::access(folder.c_str(), F_OK) == 0;
  }
  return *known;
}

int quick_access(const char* path, int mode) {
  if (std::strncmp(path, kNode.data(), kNode.size()) == 0 && !has_node(path)) {
    errno = ENOENT;
    return -1;
  }
  return ::access(path, mode);
}

int short_nanosleep(const timespec* time, timespec* rest) {
  // Only once: drivers are to have their sleep.
  if (state.is_calibrated || time->tv_sec != kCalibration.tv_sec ||
      time->tv_nsec != kCalibration.tv_nsec)
    return ::nanosleep(time, rest);
  state.is_calibrated = true;
  return ::nanosleep(&kShortCalibration, rest);
}

DIR* noted_opendir(const char* path) {
  state.folder = path;
  return ::opendir(path);
}

dirent* readdir_without_drivers(DIR* folder) {
  dirent* entry = ::readdir(folder);
  while (entry != nullptr && Drivers::leave(state.folder, entry->d_name)) entry = ::readdir(folder);
  return entry;
}

template <typename Function>
const void* address(Function* function) {
  return reinterpret_cast<const void*>(function);
}

Imports& librte_eal() {
  static Imports imports(address(&rte_eal_init));
  return imports;
}

void redirect_folders(const void* open, const void* read) {
  librte_eal().redirect("opendir", open);
  // By the first name where off_t has 64 bits.
  librte_eal().redirect("readdir64", read);
  librte_eal().redirect("readdir", read);
}

}  // namespace

ShortStart::ShortStart(bool without_devices) {
  state = State{};
  librte_eal().redirect("access", address(&quick_access));
  librte_eal().redirect("nanosleep", address(&short_nanosleep));
  if (without_devices) redirect_folders(address(&noted_opendir), address(&readdir_without_drivers));
}

ShortStart::~ShortStart() {
  librte_eal().redirect("access", address(&::access));
  librte_eal().redirect("nanosleep", address(&::nanosleep));
  redirect_folders(address(&::opendir), address(&::readdir));
}

}  // namespace dpdk_vhost
