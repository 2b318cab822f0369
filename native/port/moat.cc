#include "port/moat.h"

#include <rte_vhost.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "eal/imports.h"

namespace dpdk_vhost {
namespace {

// More than a frame, and than the longest table of descriptors (16 bytes each, 32,768 of them).
constexpr size_t kMoat = size_t{1} << 20;
// Where the kernel puts what may be backed by huge pages.
constexpr size_t kHugePage = size_t{2} << 20;

struct State {
  std::mutex mutex;
  std::map<void*, size_t> bytes;  // of each mapping with its moat, under mutex
};

// Leaked on purpose: librte's event thread outlives static objects.
State& state() {
  static State* const instance = std::make_unique<State>().release();
  return *instance;
}

size_t page_bytes() {
  return static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

uintptr_t round_up(uintptr_t number, size_t unit) {
  return (number + unit - 1) & ~(uintptr_t{unit} - 1);
}

// Of a hugetlbfs: the size of its pages, at which it has to be mapped.
size_t unit_of(int fd) {
  struct stat file {};
  const size_t page = page_bytes();
  if (fstat(fd, &file) != 0) return page;
  const auto block = static_cast<size_t>(file.st_blksize);
  return block > page && (block & (block - 1)) == 0 ? block : page;
}

void* map(void* at, size_t length, int protection, int flags, int fd, off_t offset) {
  if (at != nullptr || fd < 0 || length == 0)
    return mmap(at, length, protection, flags, fd, offset);
  const size_t unit = unit_of(fd);
  const size_t align = length < kHugePage ? unit : std::max(unit, kHugePage);
  const size_t all = round_up(length, unit) + kMoat;
  if (all < length || all + align < all) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  void* const reserved =
      mmap(nullptr, all + align, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED) return MAP_FAILED;
  const auto start = reinterpret_cast<uintptr_t>(reserved);
  const uintptr_t begin = round_up(start, align);
  auto* const bytes = reinterpret_cast<uint8_t*>(begin);
  const size_t before = begin - start;
  if (before != 0) munmap(reserved, before);
  munmap(bytes + all, align - before);

  const size_t inside = round_up(length, page_bytes());
  if (mprotect(bytes + inside, all - inside, PROT_READ | PROT_WRITE) != 0 ||
      mmap(bytes, length, protection, flags | MAP_FIXED, fd, offset) == MAP_FAILED) {
    const int error = errno;
    munmap(bytes, all);
    errno = error;
    return MAP_FAILED;
  }
  const std::lock_guard lock(state().mutex);
  state().bytes[bytes] = all;
  return bytes;
}

int unmap(void* at, size_t length) {
  {
    const std::lock_guard lock(state().mutex);
    const auto found = state().bytes.find(at);
    if (found != state().bytes.end()) {
      length = std::max(length, found->second);
      state().bytes.erase(found);
    }
  }
  return munmap(at, length);
}

}  // namespace

bool Moat::install() {
  static const bool installed = [] {
    Imports librte(reinterpret_cast<const void*>(&rte_vhost_driver_register));
    const auto* const mapping = reinterpret_cast<const void*>(&map);
    // By the first name where off_t has 64 bits.
    bool maps = librte.redirect("mmap64", mapping);
    maps = librte.redirect("mmap", mapping) || maps;
    return maps && librte.redirect("munmap", reinterpret_cast<const void*>(&unmap));
  }();
  return installed;
}

}  // namespace dpdk_vhost
