#pragma once

#include <map>
#include <string>

#include "exchange.h"

using Arguments = std::map<std::string, std::string>;
using Report = std::map<std::string, uint64_t>;
using Scenario = void(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
                      Report& report);

const std::map<std::string, Scenario*>& scenarios();

inline uint64_t number_of(const Arguments& given, const char* name, uint64_t otherwise) {
  const auto found = given.find(name);
  return found == given.end() ? otherwise : std::stoull(found->second);
}

// An honest exchange over new connections: what must work after whatever was done before.
Scenario sane;
Scenario descriptors, scribble, messages, fuzz, flaps, lost_memory, overruns, packed_overruns,
    packed_rarps, behind_memory, blocked_calls, leaked_descriptors, refused;
