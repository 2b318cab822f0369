// A guest that need not be honest: `guest SCENARIO --a SOCKET --b SOCKET [--OPTION VALUE ...]`. It listens on two
// sockets, for two ports of one switch that are wired together, and prints what came of it as JSON.

#include <cstdio>
#include <map>

#include "scenarios.h"

namespace {

Options options_of(const Arguments& given) {
  Options options;
  const auto number = [&](const char* name, uint64_t otherwise) {
    const auto found = given.find(name);
    return found == given.end() ? otherwise : std::stoull(found->second);
  };
  options.size = static_cast<uint32_t>(number("size", 256));
  options.version1 = number("version1", 1) != 0;
  options.mergeable = number("mergeable", 1) != 0;
  options.event_index = number("event-index", 0) != 0;
  options.packed = number("packed", 0) != 0;
  options.in_order = number("in-order", 0) != 0;
  options.calls = number("calls", 0) != 0 ? Calls::always : Calls::never;
  options.mixed = number("mixed", 0) != 0;
  options.small = number("small", 0) != 0;
  options.slices = static_cast<int>(number("slices", 1));
  options.max = static_cast<uint32_t>(number("max", 1514));
  return options;
}

}  // namespace

int main(int count, char** words) {
  Arguments given;
  Report report;
  try {
    if (count < 2) fail("which scenario?");
    for (int i = 2; i + 1 < count; i += 2) given[std::string(words[i]).substr(2)] = words[i + 1];
    const auto found = scenarios().find(words[1]);
    if (found == scenarios().end()) fail(std::string("no scenario ") + words[1]);
    FrontEnd a(given.at("a"));
    FrontEnd b(given.at("b"));
    found->second(a, b, options_of(given), given, report);
    std::printf("{\"ok\":true");
  } catch (const std::exception& error) {
    std::printf("{\"ok\":false,\"error\":\"%s\"", error.what());
  }
  for (const auto& [name, value] : report)
    std::printf(",\"%s\":%llu", name.c_str(), static_cast<unsigned long long>(value));
  std::printf("}\n");
  return 0;
}
