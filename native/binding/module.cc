#include "binding/module.h"

#include <pthread.h>
#include <rte_cycles.h>
#include <rte_mempool.h>
#include <rte_version.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "binding/convert.h"
#include "capture/pcap_filter.h"
#include "control/notify_socket.h"

namespace dpdk_vhost {
namespace {

using std::chrono::milliseconds;

// How long the end of a process or of a thread waits for ports to close. Only a peer that stalls
// librte's event thread makes it wait at all.
constexpr milliseconds kExitDeadline{2000};

Napi::Error to_error(Napi::Env env, const Failure& failure) {
  auto error = Napi::Error::New(env, failure.what());
  error.Set("code", failure.code());
  return error;
}

// process.exit() runs no clean-up hooks of the main thread, but it does run this. Past the deadline
// nothing else runs: destructors of libraries that a thread still uses, or loads.
int shut_down_at_exit() {
#ifdef __GLIBC__
  return on_exit(
      [](int status, void*) {
        if (!Datapath::instance().shut_down(kExitDeadline)) _exit(status);
      },
      nullptr);
#else
  return std::atexit([] { Datapath::instance().shut_down(kExitDeadline); });
#endif
}

// Brings events to the environment that opened the datapath.
class MailboxSink final : public EventSink {
 public:
  MailboxSink(std::shared_ptr<Mailbox> mailbox, std::shared_ptr<Napi::FunctionReference> listener)
      : mailbox_(std::move(mailbox)), listener_(std::move(listener)) {}

  void port(PortEvent event) override { send(std::move(event)); }
  void log(LogLine line) override { send(std::move(line)); }
  void stall(StallEvent event) override { send(std::move(event)); }

 private:
  template <typename Event>
  void send(Event event) {
    const bool taken = mailbox_->post(
        [listener = listener_, event = std::move(event)](Napi::Env env) {
          if (!listener->IsEmpty()) listener->Call({to_javascript(env, event)});
        },
        true);
    if (!taken && !losing_.exchange(true)) report_loss();
  }

  // Not lost itself: it tells TypeScript to ask for the state of every port.
  void report_loss() {
    mailbox_->post([this, listener = listener_](Napi::Env env) {
      losing_.store(false);
      auto event = Napi::Object::New(env);
      event.Set("type", "overflow");
      if (!listener->IsEmpty()) listener->Call({event});
      Datapath::instance().control().post([] { Datapath::instance().publish_all(); });
    });
  }

  const std::shared_ptr<Mailbox> mailbox_;
  const std::shared_ptr<Napi::FunctionReference> listener_;  // used on the JavaScript thread
  std::atomic<bool> losing_{false};
};

// On a thread of Node.js' pool: the control thread has ports to look after.
class FilterCompilation final : public Napi::AsyncWorker {
 public:
  FilterCompilation(Napi::Env env, std::string filter)
      : AsyncWorker(env), filter_(std::move(filter)), deferred_(env) {}
  Napi::Promise promise() const { return deferred_.Promise(); }

  void Execute() override {
    try {
      words_ = compile_pcap_filter(filter_);
    } catch (const Failure& failure) {
      failure_ = failure;
    }
  }
  void OnOK() override {
    if (failure_) return deferred_.Reject(to_error(Env(), *failure_).Value());
    auto words = Napi::Uint32Array::New(Env(), words_.size());
    std::copy(words_.begin(), words_.end(), words.Data());
    deferred_.Resolve(words);
  }

 private:
  const std::string filter_;
  const Napi::Promise::Deferred deferred_;
  std::vector<uint32_t> words_;
  std::optional<Failure> failure_;
};

}  // namespace

Module::Module(Napi::Env env, Napi::Object exports) : mailbox_(Mailbox::make(env)) {
  static const int registered = shut_down_at_exit();
  if (registered != 0) throw Napi::Error::New(env, "cannot register an exit handler");
  env.AddCleanupHook([](Module* module) { module->clean_up(); }, this);

  DefineAddon(exports, {
                           InstanceMethod("open", &Module::open),
                           InstanceMethod("close", &Module::close),
                           InstanceMethod("addPort", &Module::add_port),
                           InstanceMethod("reconnectPort", &Module::reconnect_port),
                           InstanceMethod("removePort", &Module::remove_port),
                           InstanceMethod("setAdminState", &Module::set_admin_state),
                           InstanceMethod("setShaper", &Module::set_shaper),
                           InstanceMethod("assign", &Module::assign),
                           InstanceMethod("inject", &Module::inject),
                           InstanceMethod("wakeLcore", &Module::wake_lcore),
                           InstanceMethod("burstInHand", &Module::burst_in_hand),
                           InstanceMethod("endSleeps", &Module::end_sleeps),
                           InstanceMethod("pinThread", &Module::pin_thread),
                           InstanceMethod("sendNotification", &Module::send_notification),
                           InstanceMethod("packetMemory", &Module::packet_memory),
                           InstanceMethod("counters", &Module::counters),
                           InstanceMethod("framesInUse", &Module::frames_in_use),
                           InstanceMethod("vringTotals", &Module::vring_totals),
                           InstanceMethod("createLcore", &Module::create_lcore),
                           InstanceMethod("wallClock", &Module::wall_clock),
                           InstanceMethod("compileFilter", &Module::compile_filter),
                       });
  exports.Set("layout", counter_layout(env));
  exports.Set("dpdkVersion", rte_version());
}

void Module::clean_up() {
  lcores_.clear();
  mailbox_->close();
  reader_.reset();
  memory_.reset();
  if (!owner_) return;
  // The thread that opened the datapath takes it along. Nothing the control thread does needs this
  // one.
  const auto done = std::make_shared<std::promise<void>>();
  Datapath::instance().control().post([done] {
    Datapath::instance().close();
    done->set_value();
  });
  done->get_future().wait_for(kExitDeadline);
}

Napi::Value Module::submit(Napi::Env env, Work work) {
  const auto deferred = std::make_shared<Napi::Promise::Deferred>(env);
  mailbox_->hold();
  Datapath::instance().control().post([mailbox = mailbox_, deferred, work = std::move(work)] {
    Mailbox::Delivery delivery;
    try {
      delivery = [deferred, result = work()](Napi::Env target) {
        deferred->Resolve(result(target));
      };
    } catch (const Failure& failure) {
      delivery = [deferred, failure](Napi::Env target) {
        deferred->Reject(to_error(target, failure).Value());
      };
    } catch (const std::exception& exception) {
      delivery = [deferred, failure = Failure("ERR_INTERNAL", exception.what())](Napi::Env target) {
        deferred->Reject(to_error(target, failure).Value());
      };
    }
    mailbox->post([mailbox, delivery = std::move(delivery)](Napi::Env target) {
      mailbox->release();
      delivery(target);
    });
  });
  return deferred->Promise();
}

namespace {
std::function<Napi::Value(Napi::Env)> nothing() {
  return [](Napi::Env env) { return env.Undefined(); };
}
}  // namespace

Napi::Value Module::open(const Napi::CallbackInfo& info) {
  const OpenOptions options = read_open_options(info[0].As<Napi::Object>());
  auto listener =
      std::make_shared<Napi::FunctionReference>(Napi::Persistent(info[1].As<Napi::Function>()));
  listener->SuppressDestruct();
  auto sink = std::make_shared<MailboxSink>(mailbox_, std::move(listener));
  return submit(info.Env(), [this, options, sink]() -> std::function<Napi::Value(Napi::Env)> {
    Datapath& datapath = Datapath::instance();
    datapath.open(options, sink);
    const PacketMemory& memory = datapath.memory();
    const Eal eal = datapath.eal();
    return [this, eal, mib = options.eal.memory_mib, frames = memory.frames(),
            buffer = memory.buffer_bytes()](Napi::Env env) {
      owner_ = true;
      mailbox_->hold();  // an open datapath keeps the process alive, as a listening server does

      auto result = Napi::Object::New(env);
      result.Set("memory", eal.memory == MemoryMode::hugepages ? "hugepages" : "memfd");
      result.Set("memoryMiB", mib);
      result.Set("frames", frames);
      result.Set("bufferBytes", buffer);
      result.Set("cyclesPerSecond", static_cast<double>(rte_get_tsc_hz()));
      auto arguments = Napi::Array::New(env, eal.arguments.size());
      for (uint32_t i = 0; i < eal.arguments.size(); ++i) arguments.Set(i, eal.arguments[i]);
      result.Set("ealArgs", arguments);
      return result;
    };
  });
}

Napi::Value Module::close(const Napi::CallbackInfo& info) {
  for (auto& lcore : lcores_) lcore->close();
  let_go_of_memory();
  if (std::exchange(owner_, false)) mailbox_->release();
  return submit(info.Env(), [] {
    Datapath::instance().close();
    return nothing();
  });
}

Napi::Value Module::add_port(const Napi::CallbackInfo& info) {
  return submit(info.Env(), [options = read_port_options(info[0].As<Napi::Object>())] {
    const uint32_t id = Datapath::instance().add_port(options);
    return [id](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, id); };
  });
}

Napi::Value Module::remove_port(const Napi::CallbackInfo& info) {
  return submit(info.Env(), [id = info[0].As<Napi::Number>().Uint32Value()] {
    Datapath::instance().remove_port(id);
    return nothing();
  });
}

Napi::Value Module::reconnect_port(const Napi::CallbackInfo& info) {
  return submit(info.Env(), [id = info[0].As<Napi::Number>().Uint32Value()] {
    Datapath::instance().reconnect_port(id);
    return nothing();
  });
}

Napi::Value Module::set_admin_state(const Napi::CallbackInfo& info) {
  return submit(info.Env(), [id = info[0].As<Napi::Number>().Uint32Value(),
                             up = info[1].As<Napi::Boolean>().Value()] {
    Datapath::instance().set_admin_state(id, up);
    return nothing();
  });
}

Napi::Value Module::set_shaper(const Napi::CallbackInfo& info) {
  return submit(info.Env(), [id = info[0].As<Napi::Number>().Uint32Value(),
                             options = read_shaper_options(info[1])] {
    Datapath::instance().set_shaper(id, options);
    return nothing();
  });
}

Napi::Value Module::assign(const Napi::CallbackInfo& info) {
  const auto triples = info[0].As<Napi::Uint32Array>();
  std::vector<Assignment> assignments;
  for (size_t i = 0; i + 2 < triples.ElementLength(); i += 3) {
    assignments.push_back({triples[i], triples[i + 1], static_cast<uint16_t>(triples[i + 2])});
  }
  return submit(info.Env(), [assignments = std::move(assignments)] {
    Datapath::instance().assign(assignments);
    return nothing();
  });
}

Napi::Value Module::inject(const Napi::CallbackInfo& info) {
  const auto bytes = info[1].As<Napi::Uint8Array>();
  if (!reader_) reader_.emplace(Datapath::instance().quiescence());
  try {
    const bool sent =
        Datapath::instance().inject(*reader_, info[0].As<Napi::Number>().Uint32Value(),
                                    bytes.Data(), static_cast<uint32_t>(bytes.ByteLength()));
    return Napi::Boolean::New(info.Env(), sent);
  } catch (const Failure& failure) {
    throw to_error(info.Env(), failure);
  }
}

Napi::Value Module::wake_lcore(const Napi::CallbackInfo& info) {
  Datapath::instance().wake_lcore(info[0].As<Napi::Number>().Uint32Value());
  return info.Env().Undefined();
}

Napi::Value Module::burst_in_hand(const Napi::CallbackInfo& info) {
  const auto found = Datapath::instance().burst_in_hand(info[0].As<Napi::Number>().Uint32Value());
  if (!found) return info.Env().Undefined();
  auto result = Napi::Object::New(info.Env());
  result.Set("number", static_cast<double>(found->number));
  result.Set("port", found->port);
  result.Set("queue", found->queue);
  result.Set("frames", found->frames);
  result.Set("first",
             Napi::Buffer<uint8_t>::Copy(info.Env(), found->first.data(), found->first.size()));
  return result;
}

Napi::Value Module::end_sleeps(const Napi::CallbackInfo& info) {
  Sleeper::end_sleeps();
  Datapath::instance().wake_lcores();
  return info.Env().Undefined();
}

Napi::Value Module::pin_thread(const Napi::CallbackInfo& info) {
  const uint32_t cpu = info[0].As<Napi::Number>().Uint32Value();
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  if (cpu < CPU_SETSIZE) CPU_SET(cpu, &cpus);
  const int error = pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
  if (error != 0) {
    throw to_error(info.Env(), Failure("ERR_CPU", "cannot run on cpu " + std::to_string(cpu) +
                                                      ": " + strerror(error)));
  }
  return info.Env().Undefined();
}

Napi::Value Module::send_notification(const Napi::CallbackInfo& info) {
  try {
    dpdk_vhost::send_notification(info[0].As<Napi::String>(), info[1].As<Napi::String>());
  } catch (const Failure& failure) {
    throw to_error(info.Env(), failure);
  }
  return info.Env().Undefined();
}

Napi::Value Module::packet_memory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  try {
    auto memory = Datapath::instance().shared_memory();
    if (memory == memory_) return memory_view_.Value();
    let_go_of_memory();
    memory_ = std::move(memory);
  } catch (const Failure& failure) {
    throw to_error(env, failure);
  }
  auto view = Napi::ArrayBuffer::New(env, memory_->base(), memory_->size());
  memory_view_ = Napi::Persistent(view);
  return view;
}

// Detaching empties every view that JavaScript still holds, so that none can reach memory that is
// gone.
void Module::let_go_of_memory() {
  if (!memory_) return;
  if (!memory_view_.IsEmpty()) {
    memory_view_.Value().Detach();
    memory_view_.Reset();
  }
  memory_.reset();
}

Napi::Value Module::counters(const Napi::CallbackInfo& info) {
  if (counters_view_.IsEmpty()) {
    // The block lives as long as the process.
    counters_view_ = Napi::Persistent(
        Napi::ArrayBuffer::New(info.Env(), &Datapath::instance().counters(), sizeof(CounterBlock)));
  }
  return counters_view_.Value();
}

Napi::Value Module::frames_in_use(const Napi::CallbackInfo& info) {
  try {
    const auto memory = Datapath::instance().shared_memory();
    return Napi::Number::New(info.Env(), rte_mempool_in_use_count(memory->pool()));
  } catch (const Failure& failure) {
    throw to_error(info.Env(), failure);
  }
}

Napi::Value Module::vring_totals(const Napi::CallbackInfo& info) {
  return submit(info.Env(), [] {
    return [all = Datapath::instance().vring_totals()](Napi::Env env) -> Napi::Value {
      auto result = Napi::Array::New(env, all.size());
      for (uint32_t i = 0; i < all.size(); ++i) {
        const auto& [id, totals] = all[i];
        auto names = Napi::Array::New(env, totals.names.size());
        for (uint32_t at = 0; at < totals.names.size(); ++at) names.Set(at, totals.names[at]);
        auto values = Napi::Float64Array::New(env, totals.values.size());
        std::copy(totals.values.begin(), totals.values.end(), values.Data());
        auto one = Napi::Object::New(env);
        one.Set("id", id);
        one.Set("names", names);
        one.Set("values", values);
        result.Set(i, one);
      }
      return result;
    };
  });
}

Napi::Value Module::create_lcore(const Napi::CallbackInfo& info) {
  try {
    auto lcore = Datapath::instance().make_lcore(info[0].As<Napi::Number>().Uint32Value());
    lcores_.push_back(std::make_unique<LcoreHandle>(std::move(lcore), mailbox_));
    return lcores_.back()->make_object(info.Env(), info[1].As<Napi::Function>());
  } catch (const Failure& failure) {
    throw to_error(info.Env(), failure);
  }
}

Napi::Value Module::wall_clock(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  // Unknown before EAL has measured it.
  const auto hertz = static_cast<double>(rte_get_tsc_hz());
  if (hertz == 0) throw to_error(env, Failure("ERR_NOT_OPEN", "the datapath is not open"));
  timespec wall{};
  const uint64_t before = rte_rdtsc();
  clock_gettime(CLOCK_REALTIME, &wall);
  const uint64_t after = rte_rdtsc();
  const double cycles = static_cast<double>(before) + static_cast<double>(after - before) / 2;
  auto result = Napi::Array::New(env, 3);
  result.Set(0U, cycles * (1000 / hertz));
  result.Set(1U, static_cast<double>(wall.tv_sec));
  result.Set(2U, static_cast<double>(wall.tv_nsec));
  return result;
}

Napi::Value Module::compile_filter(const Napi::CallbackInfo& info) {
  auto* compilation = new FilterCompilation(info.Env(), info[0].As<Napi::String>());
  compilation->Queue();  // deletes itself
  return compilation->promise();
}

NODE_API_ADDON(Module)

}  // namespace dpdk_vhost
