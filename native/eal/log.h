#pragma once

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

namespace dpdk_vhost {

struct LogLine {
  uint32_t level;         // RTE_LOG_EMERG (1) .. RTE_LOG_DEBUG (8)
  std::string component;  // DPDK's log type, such as lib.vhost.config
  std::string message;
};

// Redirects everything DPDK logs, from any of its threads, to `sink`. The sink must not block and
// must not log. There is one sink at a time; an empty one drops lines. Never undone: DPDK may log
// until the process ends.
void set_log_sink(std::function<void(LogLine)> sink);

// Collects what DPDK complains about on the thread that made it, so that a failed call can be
// reported in DPDK's own words. One at a time on a thread.
class Complaints {
 public:
  Complaints();
  ~Complaints();
  Complaints(const Complaints&) = delete;
  Complaints& operator=(const Complaints&) = delete;
  void add(const std::string& line);
  // What this thread's collector has: lines at warning level or worse, and alerts, joined by "; ".
  static std::string words();

 private:
  std::vector<std::string> lines_;
};

// While it lives, what threads with Complaints print to stderr past DPDK's log (rte_eal_init does)
// goes to the sink as well, and their usage text on stdout goes nowhere. What other threads print
// goes where it always went.
class StreamCapture {
 public:
  StreamCapture();
  ~StreamCapture();
  StreamCapture(const StreamCapture&) = delete;
  StreamCapture& operator=(const StreamCapture&) = delete;

 private:
  FILE* saved_stderr_;
  FILE* saved_stdout_;
};

}  // namespace dpdk_vhost
