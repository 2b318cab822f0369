#include "eal/drivers.h"

#include <dlfcn.h>
#include <malloc.h>
#include <rte_log.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "eal/imports.h"

namespace dpdk_vhost {
namespace {

constexpr std::string_view kDriver = "librte_";

// Needed with no device: buses, which EAL asks in its start what memory has to be like, and pools.
#if defined(__x86_64__)
constexpr std::array<std::string_view, 3> kNotOfDevices{"librte_bus_pci.", "librte_bus_vdev.",
                                                        "librte_mempool_ring."};
#else
// Some chips have buses and pools of their own.
constexpr std::array<std::string_view, 2> kNotOfDevices{"librte_bus_", "librte_mempool_"};
#endif

bool begins_with(std::string_view text, std::string_view begin) {
  return text.substr(0, begin.size()) == begin;
}

// Filled by the thread that starts EAL, emptied by the control thread, which waits for it.
std::set<std::string>& left() {
  static auto* const paths = std::make_unique<std::set<std::string>>().release();
  return *paths;
}

// As EAL has it: what everybody may write is not loaded.
bool is_safe(const std::string& path) {
  struct stat file {};
  return stat(path.c_str(), &file) == 0 && S_ISREG(file.st_mode) && (file.st_mode & S_IWOTH) == 0;
}

// Each driver has log types of its own, for which librte_eal makes its table of them longer, while
// other threads of DPDK may look into it. The old one is kept for them, and the new one has room
// for more.
void* keeping_realloc(void* old, size_t bytes) {
  constexpr size_t kRoom = size_t{64} << 10;
  const size_t had = old == nullptr ? 0 : malloc_usable_size(old);
  if (had >= bytes) return old;
  void* const longer = malloc(bytes + kRoom);
  if (longer != nullptr && old != nullptr) memcpy(longer, old, had);
  return longer;
}

}  // namespace

bool Drivers::leave(const std::string& folder, const std::string& name) {
  if (!begins_with(name, kDriver) || name.find(".so") == std::string::npos) return false;
  if (std::any_of(kNotOfDevices.begin(), kNotOfDevices.end(),
                  [&](std::string_view begin) { return begins_with(name, begin); }))
    return false;
  left().insert(folder + '/' + name);
  return true;
}

void Drivers::load() {
  // Names and links of one library are one.
  std::set<std::string> files;
  for (const std::string& path : std::exchange(left(), {})) {
    std::error_code error;
    const std::filesystem::path file = std::filesystem::canonical(path, error);
    if (!error) files.insert(file.string());
  }
  if (files.empty()) return;
  Imports librte_eal(reinterpret_cast<const void*>(&rte_log));
  librte_eal.redirect("realloc", reinterpret_cast<const void*>(&keeping_realloc));
  for (const std::string& file : files) {
    if (is_safe(file) && dlopen(file.c_str(), RTLD_NOW) != nullptr) continue;
    const char* const why = dlerror();
    rte_log(RTE_LOG_WARNING, RTE_LOGTYPE_EAL, "driver not loaded: %s\n",
            why == nullptr ? (file + " may be written by everybody").c_str() : why);
  }
  librte_eal.redirect("realloc", reinterpret_cast<const void*>(&::realloc));
}

}  // namespace dpdk_vhost
