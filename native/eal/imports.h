#pragma once

#include <elf.h>
#include <link.h>

#include <cstddef>
#include <cstdint>

namespace dpdk_vhost {

// What a shared object calls of others, as the dynamic linker left it (System V ABI, chapter 5).
// Some of what librte asks of libc has no hook; there the pointers by which it calls are replaced.
class Imports {
 public:
  // Of the library that `address` is in.
  explicit Imports(const void* address);

  // Has its calls of the function go to `to`. False: there are none.
  bool redirect(const char* name, const void* to);

 private:
  bool redirect(const ElfW(Rela) & relocation, const char* name, const void* to);

  uintptr_t base_ = 0;
  const ElfW(Sym) * symbols_ = nullptr;
  const char* names_ = nullptr;
  const ElfW(Rela) * calls_ = nullptr;
  size_t call_count_ = 0;
  const ElfW(Rela) * others_ = nullptr;
  size_t other_count_ = 0;
};

}  // namespace dpdk_vhost
