#include "port/memory_guard.h"

#include <rte_vhost.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <memory>

#include "datapath.h"
#include "port/doorbell.h"
#include "port/vhost_registry.h"

namespace dpdk_vhost {
namespace {

constexpr size_t kMaxVids = 1024;     // RTE_MAX_VHOST_DEVICE
constexpr size_t kMaxRegions = 8;     // VHOST_MEMORY_MAX_NREGIONS in librte's sources
constexpr size_t kLog = kMaxRegions;  // where a migration's log is

// Read by a signal handler while librte's event thread may write it.
struct Mapping {
  std::atomic<uintptr_t> begin{0};
  std::atomic<uintptr_t> end{0};  // 0: none
};
struct Device {
  std::array<Mapping, kMaxRegions + 1> mappings;
  std::atomic<uint32_t> port{0};
  std::atomic<uint64_t> serial{0};
  std::atomic<uint64_t> generation{0};
  std::atomic<bool> is_told{false};
};

// Static, so that the handler finds them without a call.
std::array<Device, kMaxVids> devices;
struct sigaction before {};
uintptr_t page_bytes = 4096;  // the system's, once installed

// A page of our own where one of the guest's was. Hugepages are replaced whole; the kernel refuses
// the smaller ones there.
bool cover(uintptr_t address) {
  for (const uintptr_t size : {page_bytes, uintptr_t{1} << 21, uintptr_t{1} << 30}) {
    void* const at = reinterpret_cast<void*>(address & ~(size - 1));
    if (mmap(at, size, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != MAP_FAILED)
      return true;
  }
  return false;
}

void tell(uint32_t port, uint64_t serial, uint64_t generation) {
  // A lock-free queue and a write to an eventfd: both may be used in a handler.
  Datapath::instance().notify({Notice::Kind::memory_gone, port, serial, generation});
}

bool repair(uintptr_t address) {
  for (Device& device : devices) {
    for (const Mapping& mapping : device.mappings) {
      const uintptr_t end = mapping.end.load(std::memory_order_acquire);
      if (address >= end || address < mapping.begin.load(std::memory_order_relaxed)) continue;
      if (!cover(address)) return false;
      if (!device.is_told.exchange(true))
        tell(device.port.load(std::memory_order_relaxed),
             device.serial.load(std::memory_order_relaxed),
             device.generation.load(std::memory_order_relaxed));
      return true;
    }
  }
  // librte looks at a ring while it takes a new table.
  if (static_cast<pid_t>(syscall(SYS_gettid)) != Doorbell::event_thread()) return false;
  const VhostRegistry::Message message = VhostRegistry::message_in_hand();
  if (message.request == 0 || !cover(address)) return false;
  tell(message.port, message.serial, message.generation);
  return true;
}

void on_bus_error(int number, siginfo_t* info, void* context) {
  const int error = errno;
  const bool repaired =
      info->si_code == BUS_ADRERR && repair(reinterpret_cast<uintptr_t>(info->si_addr));
  errno = error;
  if (repaired) return;
  if ((before.sa_flags & SA_SIGINFO) != 0 && before.sa_sigaction != nullptr) {
    before.sa_sigaction(number, info, context);
  } else {
    // The access is made again, and ends the process as it would have without us.
    sigaction(SIGBUS, &before, nullptr);
  }
}

}  // namespace

void MemoryGuard::install() {
  static const int installed = [] {
    page_bytes = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    return sigaction(SIGBUS, &action, &before);
  }();
  static_cast<void>(installed);
}

void MemoryGuard::watch(int vid, const Owner& owner) {
  forget(vid);
  rte_vhost_memory* found = nullptr;
  if (rte_vhost_get_mem_table(vid, &found) != 0) return;
  const std::unique_ptr<rte_vhost_memory, decltype(&std::free)> table(found, &std::free);
  Device& device = devices[static_cast<size_t>(vid)];
  device.port.store(owner.port, std::memory_order_relaxed);
  device.serial.store(owner.serial, std::memory_order_relaxed);
  device.generation.store(owner.generation, std::memory_order_relaxed);
  device.is_told.store(false, std::memory_order_relaxed);
  for (uint32_t i = 0; i < table->nregions && i < kMaxRegions; ++i) {
    const auto begin = reinterpret_cast<uintptr_t>(table->regions[i].mmap_addr);
    device.mappings[i].begin.store(begin, std::memory_order_relaxed);
    device.mappings[i].end.store(begin + table->regions[i].mmap_size, std::memory_order_release);
  }
  uint64_t log = 0, size = 0;
  if (rte_vhost_get_log_base(vid, &log, &size) != 0 || log == 0) return;
  device.mappings[kLog].begin.store(log, std::memory_order_relaxed);
  device.mappings[kLog].end.store(log + size, std::memory_order_release);
}

void MemoryGuard::forget(int vid) {
  if (vid < 0) return;
  for (Mapping& mapping : devices[static_cast<size_t>(vid)].mappings)
    mapping.end.store(0, std::memory_order_release);
}

}  // namespace dpdk_vhost
