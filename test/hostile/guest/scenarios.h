#pragma once

#include <map>
#include <string>

#include "exchange.h"

using Arguments = std::map<std::string, std::string>;
using Report = std::map<std::string, uint64_t>;
using Scenario = void (*)(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
                          Report& report);

const std::map<std::string, Scenario>& scenarios();

inline uint64_t number_of(const Arguments& given, const char* name, uint64_t otherwise) {
  const auto found = given.find(name);
  return found == given.end() ? otherwise : std::stoull(found->second);
}

// An honest exchange over new connections: what must work after whatever was done before.
void sane(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given, Report& report);
void descriptors(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
                 Report& report);
void scribble(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
              Report& report);
void messages(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
              Report& report);
void fuzz(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given, Report& report);
void flaps(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
           Report& report);
void lost_memory(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
                 Report& report);
void overruns(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
              Report& report);
void packed_overruns(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
                     Report& report);
void packed_rarps(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
                  Report& report);
void behind_memory(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
                   Report& report);
void blocked_calls(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
                   Report& report);
void leaked_descriptors(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
                        Report& report);
void refused(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
             Report& report);
