#include "port/moat.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <rte_vhost.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>

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

#if defined(__x86_64__)
constexpr uint32_t kJumpSlot = R_X86_64_JUMP_SLOT, kGlobal = R_X86_64_GLOB_DAT;
#elif defined(__aarch64__)
constexpr uint32_t kJumpSlot = R_AARCH64_JUMP_SLOT, kGlobal = R_AARCH64_GLOB_DAT;
#endif

// A shared object as the dynamic linker left it (System V ABI, chapter 5).
class Library {
 public:
  // The one that `address` is in.
  explicit Library(const void* address) {
    Dl_info info{};
    link_map* found = nullptr;
    if (dladdr1(address, &info, reinterpret_cast<void**>(&found), RTLD_DL_LINKMAP) == 0) return;
    base_ = found->l_addr;
    for (const ElfW(Dyn)* entry = found->l_ld; entry->d_tag != DT_NULL; ++entry) {
      const uintptr_t value = entry->d_un.d_ptr;
      // Not every linker has made an address of it.
      const uintptr_t at = value < base_ ? base_ + value : value;
      if (entry->d_tag == DT_SYMTAB) symbols_ = reinterpret_cast<const ElfW(Sym)*>(at);
      if (entry->d_tag == DT_STRTAB) names_ = reinterpret_cast<const char*>(at);
      if (entry->d_tag == DT_JMPREL) calls_ = reinterpret_cast<const ElfW(Rela)*>(at);
      if (entry->d_tag == DT_RELA) others_ = reinterpret_cast<const ElfW(Rela)*>(at);
      if (entry->d_tag == DT_PLTRELSZ) call_count_ = value / sizeof(ElfW(Rela));
      if (entry->d_tag == DT_RELASZ) other_count_ = value / sizeof(ElfW(Rela));
    }
  }

  // Has its calls of the function go to `to`. False: there are none.
  bool redirect(const char* name, const void* to) {
    if (symbols_ == nullptr || names_ == nullptr) return false;
    bool any = false;
    for (size_t i = 0; i < call_count_; ++i) any = redirect(calls_[i], name, to) || any;
    for (size_t i = 0; i < other_count_; ++i) any = redirect(others_[i], name, to) || any;
    return any;
  }

 private:
  bool redirect(const ElfW(Rela) & relocation, const char* name, const void* to) {
    const auto type = static_cast<uint32_t>(ELF64_R_TYPE(relocation.r_info));
    if (type != kJumpSlot && type != kGlobal) return false;
    const ElfW(Sym)& symbol = symbols_[ELF64_R_SYM(relocation.r_info)];
    if (std::strcmp(names_ + symbol.st_name, name) != 0) return false;
    const uintptr_t slot = base_ + relocation.r_offset;
    const uintptr_t page = slot & ~(uintptr_t{page_bytes()} - 1);
    // It stays writable: others of the page may be bound later.
    if (mprotect(reinterpret_cast<void*>(page), page_bytes(), PROT_READ | PROT_WRITE) != 0)
      return false;
    __atomic_store_n(reinterpret_cast<const void**>(slot), to, __ATOMIC_RELEASE);
    return true;
  }

  uintptr_t base_ = 0;
  const ElfW(Sym) * symbols_ = nullptr;
  const char* names_ = nullptr;
  const ElfW(Rela) * calls_ = nullptr;
  size_t call_count_ = 0;
  const ElfW(Rela) * others_ = nullptr;
  size_t other_count_ = 0;
};

}  // namespace

bool Moat::install() {
  static const bool installed = [] {
    Library librte(reinterpret_cast<const void*>(&rte_vhost_driver_register));
    const auto* const mapping = reinterpret_cast<const void*>(&map);
    // By the first name where off_t has 64 bits.
    bool maps = librte.redirect("mmap64", mapping);
    maps = librte.redirect("mmap", mapping) || maps;
    return maps && librte.redirect("munmap", reinterpret_cast<const void*>(&unmap));
  }();
  return installed;
}

}  // namespace dpdk_vhost
