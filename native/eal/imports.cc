#include "eal/imports.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

namespace dpdk_vhost {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kJumpSlot = R_X86_64_JUMP_SLOT, kGlobal = R_X86_64_GLOB_DAT;
#elif defined(__aarch64__)
constexpr uint32_t kJumpSlot = R_AARCH64_JUMP_SLOT, kGlobal = R_AARCH64_GLOB_DAT;
#endif

}  // namespace

Imports::Imports(const void* address) {
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

bool Imports::redirect(const char* name, const void* to) {
  if (symbols_ == nullptr || names_ == nullptr) return false;
  bool any = false;
  for (size_t i = 0; i < call_count_; ++i) any = redirect(calls_[i], name, to) || any;
  for (size_t i = 0; i < other_count_; ++i) any = redirect(others_[i], name, to) || any;
  return any;
}

bool Imports::redirect(const ElfW(Rela) & relocation, const char* name, const void* to) {
  const auto type = static_cast<uint32_t>(ELF64_R_TYPE(relocation.r_info));
  if (type != kJumpSlot && type != kGlobal) return false;
  const ElfW(Sym)& symbol = symbols_[ELF64_R_SYM(relocation.r_info)];
  if (std::strcmp(names_ + symbol.st_name, name) != 0) return false;
  const uintptr_t slot = base_ + relocation.r_offset;
  const auto page_bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t page = slot & ~(uintptr_t{page_bytes} - 1);
  // It stays writable: others of the page may be bound later.
  if (mprotect(reinterpret_cast<void*>(page), page_bytes, PROT_READ | PROT_WRITE) != 0)
    return false;
  __atomic_store_n(reinterpret_cast<const void**>(slot), to, __ATOMIC_RELEASE);
  return true;
}

}  // namespace dpdk_vhost
