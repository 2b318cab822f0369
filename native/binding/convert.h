#pragma once

#include <napi.h>

#include "datapath.h"
#include "lcore/trial.h"

namespace dpdk_vhost {

// Options arrive validated by src/config; what is read here is still refused when it has the wrong
// type.
OpenOptions read_open_options(const Napi::Object& from);
PortOptions read_port_options(const Napi::Object& from);
// None for undefined.
std::optional<ShaperOptions> read_shaper_options(const Napi::Value& from);

TrialPlan read_trial_plan(const Napi::Object& from);

Napi::Object to_javascript(Napi::Env env, const TrialResult& result);
Napi::Object to_javascript(Napi::Env env, const PortEvent& event);
Napi::Object to_javascript(Napi::Env env, const LogLine& line);
Napi::Object to_javascript(Napi::Env env, const StallEvent& event);

// Where each counter lies in the block, by name: the one description of it that TypeScript goes by.
Napi::Object counter_layout(Napi::Env env);

}  // namespace dpdk_vhost
