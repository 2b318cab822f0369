#include "binding/convert.h"

#include <rte_cycles.h>

#include <cstddef>
#include <string>

namespace dpdk_vhost {
namespace {

std::string text(const Napi::Object& from, const char* key) {
  return from.Get(key).As<Napi::String>().Utf8Value();
}

uint32_t number(const Napi::Object& from, const char* key) {
  const Napi::Value value = from.Get(key);
  if (!value.IsNumber())
    throw Napi::TypeError::New(from.Env(), std::string(key) + " must be a number");
  return value.As<Napi::Number>().Uint32Value();
}

uint64_t mask(const Napi::Object& from, const char* key) {
  bool lossless = false;
  return from.Get(key).As<Napi::BigInt>().Uint64Value(&lossless);
}

SocketAccess read_access(const Napi::Object& from) {
  SocketAccess access;
  access.create_folder = from.Get("createFolder").As<Napi::Boolean>().Value();
  if (from.Get("mode").IsNumber()) access.mode = static_cast<mode_t>(number(from, "mode"));
  access.uid = text(from, "uid");
  access.gid = text(from, "gid");
  return access;
}

ReconnectOptions read_reconnect(const Napi::Object& from) {
  ReconnectOptions reconnect;
  reconnect.first_delay = std::chrono::milliseconds{number(from, "firstDelayMs")};
  reconnect.max_delay = std::chrono::milliseconds{number(from, "maxDelayMs")};
  reconnect.jitter = from.Get("jitter").As<Napi::Number>().DoubleValue();
  reconnect.give_up = std::chrono::milliseconds{number(from, "giveUpMs")};
  return reconnect;
}

template <typename Names>
Napi::Array names_of(Napi::Env env, const Names& names) {
  auto result = Napi::Array::New(env, names.size());
  for (uint32_t i = 0; i < names.size(); ++i) result.Set(i, names[i]);
  return result;
}

}  // namespace

OpenOptions read_open_options(const Napi::Object& from) {
  OpenOptions options;
  const std::string memory = text(from, "memory");
  options.eal.memory = memory == "hugepages" ? MemoryMode::hugepages
                       : memory == "memfd"   ? MemoryMode::memfd
                                             : MemoryMode::automatic;
  options.eal.memory_mib = number(from, "memoryMiB");
  options.mtu = number(from, "mtu");
  options.peer_timeout = std::chrono::milliseconds{number(from, "peerTimeoutMs")};
  const auto arguments = from.Get("ealArgs").As<Napi::Array>();
  for (uint32_t i = 0; i < arguments.Length(); ++i) {
    options.eal.extra_arguments.push_back(arguments.Get(i).As<Napi::String>().Utf8Value());
  }
  return options;
}

std::optional<ShaperOptions> read_shaper_options(const Napi::Value& from) {
  if (!from.IsObject()) return std::nullopt;
  const auto given = from.As<Napi::Object>();
  ShaperOptions options;
  options.rate = given.Get("rate").As<Napi::Number>().DoubleValue();
  options.burst = given.Get("burst").As<Napi::Number>().DoubleValue();
  options.max_frames = number(given, "maxFrames");
  options.max_bytes = static_cast<uint64_t>(given.Get("maxBytes").As<Napi::Number>().Int64Value());
  return options;
}

PortOptions read_port_options(const Napi::Object& from) {
  PortOptions options;
  const std::string type = text(from, "type");
  options.name = text(from, "name");
  options.mtu = number(from, "mtu");
  options.tx_retries_max = number(from, "txRetriesMax");
  options.admin_up = text(from, "adminState") == "up";
  options.shaper = read_shaper_options(from.Get("shaper"));
  options.is_ethdev = type == "dpdk";
  if (options.is_ethdev) {
    options.ethdev.devargs = text(from, "devargs");
    options.ethdev.rx_queues = static_cast<uint16_t>(number(from, "rxQueues"));
    options.ethdev.tx_queues = static_cast<uint16_t>(number(from, "txQueues"));
    options.ethdev.rx_descriptors = static_cast<uint16_t>(number(from, "rxDescriptors"));
    options.ethdev.tx_descriptors = static_cast<uint16_t>(number(from, "txDescriptors"));
    options.ethdev.mtu = static_cast<uint16_t>(options.mtu);
  } else {
    options.vhost.path = text(from, "path");
    options.vhost.server = type == "dpdkvhostuser";
    options.vhost.queue_pairs = number(from, "queues");
    options.vhost.flap_limit = from.Get("flapLimit").As<Napi::Number>().DoubleValue();
    options.vhost.vring_stats = from.Get("vringStats").ToBoolean().Value();
    options.vhost.disabled_features = mask(from, "disabledFeatures");
    options.vhost.pinned_features = mask(from, "pinnedFeatures");
    if (options.vhost.server) {
      options.vhost.access = read_access(from.Get("access").As<Napi::Object>());
    } else {
      options.vhost.reconnect = read_reconnect(from.Get("reconnect").As<Napi::Object>());
    }
  }
  return options;
}

Napi::Object to_javascript(Napi::Env env, const PortEvent& event) {
  auto result = Napi::Object::New(env);
  result.Set("type", "port");
  result.Set("id", event.id);
  result.Set("generation", static_cast<double>(event.generation));
  result.Set("state", name_of(event.state));
  result.Set("reason", event.reason);
  result.Set("rxQueues", event.rx_queues);
  result.Set("txQueues", event.tx_queues);
  result.Set("adminState", event.admin_up ? "up" : "down");
  result.Set("time", event.time);
  result.Set("features", Napi::BigInt::New(env, event.negotiated.features));
  result.Set("packed", event.negotiated.packed);
  result.Set("queuePairs", event.negotiated.queue_pairs);
  result.Set("rxRingSize", event.negotiated.rx_ring_size);
  result.Set("txRingSize", event.negotiated.tx_ring_size);
  result.Set("mtu", event.negotiated.mtu);
  result.Set("numaNode", event.negotiated.numa_node);
  result.Set("offered", Napi::BigInt::New(env, event.handshake.offered));
  result.Set("requested", Napi::BigInt::New(env, event.handshake.requested));
  result.Set("featuresBefore", Napi::BigInt::New(env, event.handshake.before));
  result.Set("lastRequest", event.handshake.last_request);
  result.Set("earlyEnds", event.handshake.early_ends);
  return result;
}

Napi::Object to_javascript(Napi::Env env, const LogLine& line) {
  auto result = Napi::Object::New(env);
  result.Set("type", "log");
  result.Set("level", line.level);
  result.Set("component", line.component);
  result.Set("message", line.message);
  return result;
}

Napi::Object to_javascript(Napi::Env env, const StallEvent& event) {
  auto result = Napi::Object::New(env);
  result.Set("type", "stall");
  result.Set("state", name_of(event.state));
  result.Set("cause", name_of(event.cause));
  if (event.port) result.Set("id", *event.port);
  result.Set("socket", event.socket);
  result.Set("pid", static_cast<double>(event.pid));
  result.Set("request", event.request);
  result.Set("forMs", event.for_ms);
  return result;
}

Napi::Object counter_layout(Napi::Env env) {
  constexpr size_t kWord = sizeof(double);
  auto result = Napi::Object::New(env);
  const auto set = [&](const char* name, size_t bytes) {
    result.Set(name, static_cast<double>(bytes / kWord));
  };
  result.Set("rxNames", names_of(env, kRxCounterNames));
  result.Set("txNames", names_of(env, kTxCounterNames));
  result.Set("lcoreNames", names_of(env, kLcoreCounterNames));
  result.Set("peerNames", names_of(env, kPeerCounterNames));
  set("portStride", sizeof(PortCounters));
  set("rxStride", sizeof(RxCounters));
  set("txStride", sizeof(TxCounters));
  set("tx", offsetof(PortCounters, tx));
  set("shaper", offsetof(PortCounters, shaper));
  set("peer", offsetof(PortCounters, peer));
  set("lcores", offsetof(CounterBlock, lcores));
  set("lcoreStride", sizeof(LcoreCounters));
  set("burstSizes", offsetof(LcoreCounters, burst_sizes));
  set("made", offsetof(LcoreCounters, made));
  result.Set("histogramBuckets", kHistogramBuckets);
  result.Set("maxPorts", kMaxPorts);
  result.Set("maxQueuePairs", kMaxQueuePairs);
  result.Set("maxLcores", kMaxLcores);
  result.Set("maxBurst", kMaxBurst);
  result.Set("maxFrames", kMaxFrames);
  return result;
}

}  // namespace dpdk_vhost
