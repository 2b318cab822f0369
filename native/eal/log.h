#pragma once

#include <cstdio>
#include <functional>
#include <string>

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

// While it lives, what the thread that claims it prints to stderr past DPDK's log (rte_eal_init
// does) goes to the sink as well, its usage text on stdout goes nowhere, and every complaint is
// collected, so that a failed start can be reported in EAL's own words. What other threads print
// goes where it always went.
class LogCapture {
 public:
  LogCapture();
  ~LogCapture();
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;
  // By the thread that is going to call rte_eal_init.
  static void claim_thread();
  // Lines at warning level or worse, and alerts, joined by "; ".
  std::string complaints() const;

 private:
  FILE* saved_stderr_;
  FILE* saved_stdout_;
};

}  // namespace dpdk_vhost
