#include "capture/pcap_filter.h"

#include <dlfcn.h>

#include <memory>
#include <mutex>

#include "failure.h"

namespace dpdk_vhost {
namespace {

// As pcap/bpf.h and pcap/dlt.h have them, which need not be installed.
struct Instruction {
  uint16_t code;
  uint8_t jt;
  uint8_t jf;
  uint32_t k;
};
struct FilterProgram {
  unsigned int length;
  Instruction* instructions;
};
constexpr int kEthernet = 1;
constexpr int kSnapLength = 262144;
constexpr uint32_t kUnknownNetmask = 0xffffffff;

struct Pcap;

struct Library {
  Pcap* (*open_dead)(int link_type, int snap_length);
  int (*compile)(Pcap*, FilterProgram*, const char* text, int optimize, uint32_t netmask);
  char* (*error)(Pcap*);
  void (*free_code)(FilterProgram*);
  void (*close)(Pcap*);
};

template <typename Function>
void find(void* handle, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(handle, name));
  if (function == nullptr) {
    throw Failure("ERR_NO_LIBPCAP", std::string("the system's libpcap has no ") + name);
  }
}

Library load() {
  // Debian and Ubuntu have kept an older soname than the rest.
  void* handle = nullptr;
  for (const char* name : {"libpcap.so.0.8", "libpcap.so.1"}) {
    if (handle == nullptr) handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  }
  if (handle == nullptr) {
    throw Failure("ERR_NO_LIBPCAP",
                  "a filter needs libpcap, which is not there; install libpcap0.8 (Debian, Ubuntu) "
                  "or libpcap");
  }
  Library library{};
  find(handle, "pcap_open_dead", library.open_dead);
  find(handle, "pcap_compile", library.compile);
  find(handle, "pcap_geterr", library.error);
  find(handle, "pcap_freecode", library.free_code);
  find(handle, "pcap_close", library.close);
  return library;
}

}  // namespace

std::vector<uint32_t> compile_pcap_filter(const std::string& filter) {
  // Before 1.8 it compiles one filter at a time.
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  // Looked for again if it was not there.
  static const Library library = load();

  const std::unique_ptr<Pcap, void (*)(Pcap*)> pcap(library.open_dead(kEthernet, kSnapLength),
                                                    library.close);
  if (!pcap) throw Failure("ERR_FILTER", "libpcap has no memory");
  FilterProgram program{};
  if (library.compile(pcap.get(), &program, filter.c_str(), 1, kUnknownNetmask) != 0) {
    throw Failure("ERR_FILTER", library.error(pcap.get()));
  }
  std::vector<uint32_t> words;
  words.reserve(size_t{4} * program.length);
  for (unsigned int i = 0; i < program.length; ++i) {
    const Instruction& one = program.instructions[i];
    words.insert(words.end(), {one.code, one.jt, one.jf, one.k});
  }
  library.free_code(&program);
  return words;
}

}  // namespace dpdk_vhost
