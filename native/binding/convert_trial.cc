#include <algorithm>

#include "binding/convert.h"

// Trials of the benchmark's tester.

namespace dpdk_vhost {
namespace {

Napi::Float64Array array_of(Napi::Env env, const CycleHistogram& histogram) {
  const auto& buckets = histogram.buckets();
  auto result = Napi::Float64Array::New(env, buckets.size());
  std::copy(buckets.begin(), buckets.end(), result.Data());
  return result;
}

}  // namespace

TrialPlan read_trial_plan(const Napi::Object& from) {
  TrialPlan plan;
  const auto ports = from.Get("ports").As<Napi::Array>();
  const auto frames = from.Get("frames").As<Napi::Array>();
  for (uint32_t side = 0; side < 2; ++side) {
    plan.ports[side] = ports.Get(side).As<Napi::Number>().Uint32Value();
    const auto bytes = frames.Get(side).As<Napi::Uint8Array>();
    plan.frames[side].assign(bytes.Data(), bytes.Data() + bytes.ByteLength());
  }
  plan.milliseconds = from.Get("milliseconds").As<Napi::Number>().DoubleValue();
  plan.linger_ms = from.Get("lingerMs").As<Napi::Number>().DoubleValue();
  plan.frames_per_second = from.Get("framesPerSecond").As<Napi::Number>().DoubleValue();
  plan.scattered = from.Get("scattered").As<Napi::Boolean>().Value();
  plan.number = from.Get("number").As<Napi::Number>().Uint32Value();
  return plan;
}

Napi::Object to_javascript(Napi::Env env, const TrialResult& result) {
  auto made = Napi::Object::New(env);
  auto directions = Napi::Array::New(env);
  for (uint32_t side = 0; side < 2; ++side) {
    const TrialResult::Direction& direction = result.directions[side];
    auto one = Napi::Object::New(env);
    one.Set("offered", static_cast<double>(direction.offered));
    one.Set("absent", static_cast<double>(direction.absent));
    one.Set("refused", static_cast<double>(direction.refused));
    one.Set("received", static_cast<double>(direction.received));
    one.Set("outOfOrder", static_cast<double>(direction.out_of_order));
    directions.Set(side, one);
  }
  made.Set("directions", directions);
  made.Set("foreign", static_cast<double>(result.foreign));
  made.Set("unjudged", static_cast<double>(result.unjudged));
  made.Set("sendingMs", result.sending_ms);
  made.Set("longestPauseMs", result.longest_pause_ms);
  made.Set("busy", result.busy);
  made.Set("latency", array_of(env, result.latency));
  made.Set("lateness", array_of(env, result.lateness));
  return made;
}

}  // namespace dpdk_vhost
