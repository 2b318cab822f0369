#include "eal/eal.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>

#include "eal/log.h"
#include "eal/short_start.h"
#include "failure.h"

namespace dpdk_vhost {
namespace {

uint64_t free_hugepage_mib() {
  uint64_t mib = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/kernel/mm/hugepages", error)) {
    uint64_t size_kib = 0;
    if (sscanf(entry.path().filename().c_str(), "hugepages-%lukB", &size_kib) != 1) continue;
    uint64_t count = 0;
    std::ifstream(entry.path() / "free_hugepages") >> count;
    mib += count * size_kib / 1024;
  }
  return mib;
}

// The main lcore is never used for polling, so it is given every CPU the process may use.
std::string main_lcore() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  std::string list;
  if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0) {
    for (int cpu = 0; cpu < CPU_SETSIZE && cpu < RTE_MAX_LCORE; ++cpu) {
      if (!CPU_ISSET(cpu, &cpus)) continue;
      if (!list.empty()) list += ',';
      list += std::to_string(cpu);
    }
  }
  return "--lcores=0@(" + (list.empty() ? "0" : list) + ")";
}

bool has(const std::vector<std::string>& arguments, std::initializer_list<const char*> options) {
  return std::any_of(arguments.begin(), arguments.end(), [&](const std::string& argument) {
    return std::any_of(options.begin(), options.end(), [&](const char* option) {
      return argument == option || argument.rfind(std::string(option) + "=", 0) == 0;
    });
  });
}

std::vector<std::string> build_arguments(MemoryMode memory, uint32_t mib,
                                         const std::vector<std::string>& extra) {
  // The caller's come first: a wrong one is refused before EAL has read what it takes only once.
  std::vector<std::string> arguments{"dpdk-vhost"};
  arguments.insert(arguments.end(), extra.begin(), extra.end());
  // No shared configuration and no files: any number of processes run side by side and leave
  // nothing behind.
  arguments.insert(arguments.end(), {"--no-telemetry", "--file-prefix=dpdk-vhost"});
  if (memory == MemoryMode::hugepages) {
    arguments.insert(arguments.end(), {"--in-memory", "--single-file-segments"});
  } else {
    arguments.insert(arguments.end(), {"--no-huge", "--no-shconf"});
  }
  if (!has(extra, {"-m", "--socket-mem"}))
    arguments.insert(arguments.end(), {"-m", std::to_string(mib)});
  // EAL remembers across a failed start that it was given lcores, and refuses them a second time.
  static bool lcores_given = false;
  if (!has(extra, {"-l", "-c", "--lcores"}) && !std::exchange(lcores_given, true)) {
    arguments.push_back(main_lcore());
  }
  if (!has(extra, {"-a", "--allow", "-b", "--block", "--no-pci"})) {
    // Left alone, EAL takes over every NIC it has a driver for. Allowing only an address that does
    // not exist keeps them untouched and still lets a port be plugged by its address later.
    std::error_code error;
    const bool pci = std::filesystem::exists("/sys/bus/pci/devices", error);
    if (pci) {
      arguments.insert(arguments.end(), {"-a", "0000:00:00.0"});
    } else {
      arguments.push_back("--no-pci");
    }
  }
  return arguments;
}

// Options that have nothing to do with devices, and no driver with them.
constexpr std::initializer_list<const char*> kOptionsWithoutDevices{
    "-m",       "--socket-mem", "--socket-limit", "--huge-dir",
    "-l",       "-c",           "--lcores",       "--log-level",
    "--no-pci", "--iova-mode",  "--legacy-mem",   "--match-allocations"};

// Of arguments of a caller, who may have EAL make devices in its start.
bool names_no_device(const std::vector<std::string>& extra) {
  return std::all_of(extra.begin(), extra.end(), [](const std::string& argument) {
    return argument.empty() || argument[0] != '-' || has({argument}, kOptionsWithoutDevices);
  });
}

// 0, or an errno and what EAL said of it.
int init(const std::vector<std::string>& arguments, bool without_devices, std::string& words) {
  // rte_eal_init permutes argv and keeps pointers into it for as long as the process lives.
  static std::vector<std::vector<char>>* const kept =
      std::make_unique<std::vector<std::vector<char>>>().release();
  static std::vector<char*>* const argv = std::make_unique<std::vector<char*>>().release();
  kept->clear();
  argv->clear();
  for (const std::string& argument : arguments) {
    kept->emplace_back(argument.c_str(), argument.c_str() + argument.size() + 1);
  }
  for (auto& argument : *kept) argv->push_back(argument.data());
  argv->push_back(nullptr);

  int error = 0;
  // EAL pins the thread that starts it.
  std::thread thread([&] {
    const Complaints complaints;
    const ShortStart shorter(without_devices);
    rte_errno = 0;
    if (rte_eal_init(static_cast<int>(arguments.size()), argv->data()) < 0)
      error = rte_errno ? rte_errno : EIO;
    words = Complaints::words();
  });
  thread.join();
  return error;
}

}  // namespace

void Eal::start(const EalOptions& options) {
  const uint64_t free_mib = free_hugepage_mib();
  MemoryMode chosen = options.memory;
  if (chosen == MemoryMode::automatic) {
    chosen = free_mib >= options.memory_mib ? MemoryMode::hugepages : MemoryMode::memfd;
  }

  if (started) {
    if (options.memory != MemoryMode::automatic && options.memory != memory) {
      throw Failure(
          "ERR_EAL_UNUSABLE",
          std::string("EAL already runs with memory '") +
              (memory == MemoryMode::hugepages ? "hugepages" : "memfd") +
              "' in this process and DPDK cannot change that; use the same mode or a new process");
    }
    if (options.memory_mib > memory_mib && memory == MemoryMode::memfd) {
      throw Failure("ERR_EAL_UNUSABLE", "EAL already runs with " + std::to_string(memory_mib) +
                                            " MiB in this process and cannot grow to " +
                                            std::to_string(options.memory_mib) +
                                            "; use a new process");
    }
    return;
  }
  if (chosen == MemoryMode::hugepages && free_mib < options.memory_mib) {
    throw Failure("ERR_NO_HUGEPAGES",
                  "memory 'hugepages' of " + std::to_string(options.memory_mib) +
                      " MiB asked for, but only " + std::to_string(free_mib) +
                      " MiB of hugepages are free; reserve more (as root: echo " +
                      std::to_string(options.memory_mib / 2 + 16) +
                      " > /proc/sys/vm/nr_hugepages) or use memory 'memfd'");
  }

  const std::vector<std::string> built =
      build_arguments(chosen, options.memory_mib, options.extra_arguments);
  const StreamCapture capture;
  std::string words;
  const int error = init(built, names_no_device(options.extra_arguments), words);
  if (error != 0) {
    const bool again = error == EINVAL || error == ENODEV || error == EACCES || error == EAGAIN;
    throw Failure(again ? "ERR_EAL_INIT" : "ERR_EAL_UNUSABLE",
                  std::string("EAL did not start (") + strerror(error) +
                      "): " + (words.empty() ? "no message from EAL" : words) +
                      (again ? "" : "; DPDK allows no second try in this process"));
  }
  started = true;
  memory = chosen;
  memory_mib = options.memory_mib;
  arguments = built;
}

}  // namespace dpdk_vhost
