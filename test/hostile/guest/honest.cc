#include "scenarios.h"

const std::map<std::string, Scenario*>& scenarios() {
  static const std::map<std::string, Scenario*> all = {
      {"sane", sane},
      {"descriptors", descriptors},
      {"scribble", scribble},
      {"messages", messages},
      {"refused", refused},
      {"overruns", overruns},
      {"packed-overruns", packed_overruns},
      {"packed-rarps", packed_rarps},
      {"behind-memory", behind_memory},
      {"blocked-calls", blocked_calls},
      {"leaked-descriptors", leaked_descriptors},
      {"fuzz", fuzz},
      {"flaps", flaps},
      {"lost-memory", lost_memory},
  };
  return all;
}

void sane(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
          Report& report) {
  const auto seed = static_cast<uint32_t>(number_of(given, "seed", 1));
  Device left(a, options, seed);
  Device right(b, options, seed + 1);
  left.connect();
  right.connect();
  left.fill();
  right.fill();
  Flow there{left, right, 1};
  Flow back{right, left, 2};
  exchange(there, back, number_of(given, "frames", 2000));
  report["there"] = there.received;
  report["back"] = back.received;
  for (Queue* queue : {&left.rx, &left.tx, &right.rx, &right.tx})
    report["unwantedCalls"] += options.calls == Calls::never ? queue->take_calls() : 0;
}
