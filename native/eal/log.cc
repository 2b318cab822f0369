#include "eal/log.h"

#include <rte_log.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "failure.h"

namespace dpdk_vhost {
namespace {

struct State {
  std::mutex mutex;
  std::function<void(LogLine)> sink;              // under mutex
  std::map<uint32_t, std::string> names_by_type;  // under mutex
  FILE* log_stream = nullptr;                     // set once
  FILE* alert_stream = nullptr;                   // set once
  FILE* usage_stream = nullptr;                   // set once
};

// Leaked on purpose: DPDK's threads may log while static objects are being destroyed.
State& state() {
  static State* const instance = std::make_unique<State>().release();
  return *instance;
}

thread_local Complaints* complaints_of_thread = nullptr;

std::map<uint32_t, std::string> read_type_names() {
  std::map<uint32_t, std::string> names;
  char* text = nullptr;
  size_t size = 0;
  FILE* stream = open_memstream(&text, &size);
  if (stream == nullptr) return names;
  rte_log_dump(stream);
  fclose(stream);
  const std::unique_ptr<char, void (*)(void*)> owner(text, free);
  char* rest = nullptr;
  for (char* line = strtok_r(text, "\n", &rest); line != nullptr;
       line = strtok_r(nullptr, "\n", &rest)) {
    unsigned id = 0;
    char name[128];
    if (sscanf(line, "id %u: %127[^,]", &id, name) == 2) names[id] = name;
  }
  return names;
}

// DPDK starts most lines with "COMPONENT: "; the component travels apart from the message.
std::string without_prefix(const std::string& line) {
  const size_t colon = line.find(": ");
  if (colon == std::string::npos || colon == 0 || colon > 32) return line;
  for (size_t i = 0; i < colon; ++i) {
    const char c = line[i];
    if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) return line;
  }
  return line.substr(colon + 2);
}

void deliver(uint32_t level, uint32_t type, std::string line) {
  State& s = state();
  std::function<void(LogLine)> sink;
  LogLine entry{level, "", without_prefix(line)};
  {
    const std::lock_guard lock(s.mutex);
    auto found = s.names_by_type.find(type);
    if (found == s.names_by_type.end()) {
      s.names_by_type = read_type_names();
      found = s.names_by_type.find(type);
    }
    entry.component = found == s.names_by_type.end() ? "dpdk" : found->second;
    sink = s.sink;
  }
  if (complaints_of_thread != nullptr && level <= RTE_LOG_WARNING)
    complaints_of_thread->add(entry.message);
  if (sink) sink(std::move(entry));
}

ssize_t write_lines(uint32_t level, uint32_t type, const char* data, size_t size) {
  size_t begin = 0;
  while (begin < size) {
    const void* newline = memchr(data + begin, '\n', size - begin);
    const size_t end =
        newline ? static_cast<size_t>(static_cast<const char*>(newline) - data) : size;
    if (end > begin) deliver(level, type, std::string(data + begin, end - begin));
    begin = end + 1;
  }
  return static_cast<ssize_t>(size);
}

ssize_t write_log(void*, const char* data, size_t size) {
  return write_lines(static_cast<uint32_t>(rte_log_cur_msg_loglevel()),
                     static_cast<uint32_t>(rte_log_cur_msg_logtype()), data, size);
}

ssize_t write_alert(void*, const char* data, size_t size) {
  if (complaints_of_thread == nullptr) return write(STDERR_FILENO, data, size);
  return write_lines(RTE_LOG_ALERT, RTE_LOGTYPE_EAL, data, size);
}

ssize_t write_usage(void*, const char* data, size_t size) {
  if (complaints_of_thread == nullptr) return write(STDOUT_FILENO, data, size);
  return static_cast<ssize_t>(size);
}

FILE* open_stream(cookie_write_function_t* write, int buffering) {
  cookie_io_functions_t functions{};
  functions.write = write;
  FILE* stream = fopencookie(nullptr, "w", functions);
  if (stream == nullptr) throw Failure("ERR_EAL_INIT", "cannot open a stream for DPDK's log");
  setvbuf(stream, nullptr, buffering, 2048);
  return stream;
}

}  // namespace

void set_log_sink(std::function<void(LogLine)> sink) {
  State& s = state();
  {
    const std::lock_guard lock(s.mutex);
    s.sink = std::move(sink);
    if (s.log_stream != nullptr) return;
    // By lines, so that each message is handed over before the stream's lock goes to another
    // thread; the others by calls, so that the thread that writes is the thread that printed.
    s.log_stream = open_stream(write_log, _IOLBF);
    s.alert_stream = open_stream(write_alert, _IONBF);
    s.usage_stream = open_stream(write_usage, _IONBF);
  }
  rte_openlog_stream(s.log_stream);
}

Complaints::Complaints() {
  complaints_of_thread = this;
}

Complaints::~Complaints() {
  complaints_of_thread = nullptr;
}

void Complaints::add(const std::string& line) {
  if (lines_.size() < 64 && (lines_.empty() || lines_.back() != line)) lines_.push_back(line);
}

std::string Complaints::words() {
  std::string joined;
  if (complaints_of_thread == nullptr) return joined;
  for (const std::string& line : complaints_of_thread->lines_) {
    if (!joined.empty()) joined += "; ";
    joined += line;
  }
  return joined;
}

StreamCapture::StreamCapture() : saved_stderr_(stderr), saved_stdout_(stdout) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (s.alert_stream != nullptr) stderr = s.alert_stream;
  if (s.usage_stream != nullptr) stdout = s.usage_stream;
}

StreamCapture::~StreamCapture() {
  stderr = saved_stderr_;
  stdout = saved_stdout_;
}

}  // namespace dpdk_vhost
