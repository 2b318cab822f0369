#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "binding/lcore_handle.h"
#include "binding/mailbox.h"
#include "datapath.h"

namespace dpdk_vhost {

// The addon in one JavaScript environment: the main thread or a Worker. Everything in it is used on
// that thread.
class Module final : public Napi::Addon<Module> {
 public:
  Module(Napi::Env env, Napi::Object exports);

 private:
  // Runs on the control thread and returns what makes the result, on the JavaScript thread.
  using Work = std::function<std::function<Napi::Value(Napi::Env)>()>;

  Napi::Value open(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);
  Napi::Value add_port(const Napi::CallbackInfo& info);
  Napi::Value reconnect_port(const Napi::CallbackInfo& info);
  Napi::Value remove_port(const Napi::CallbackInfo& info);
  Napi::Value set_admin_state(const Napi::CallbackInfo& info);
  Napi::Value set_shaper(const Napi::CallbackInfo& info);
  Napi::Value assign(const Napi::CallbackInfo& info);
  Napi::Value inject(const Napi::CallbackInfo& info);
  Napi::Value wake_lcore(const Napi::CallbackInfo& info);
  Napi::Value burst_in_hand(const Napi::CallbackInfo& info);
  Napi::Value end_sleeps(const Napi::CallbackInfo& info);
  Napi::Value pin_thread(const Napi::CallbackInfo& info);
  Napi::Value send_notification(const Napi::CallbackInfo& info);
  Napi::Value packet_memory(const Napi::CallbackInfo& info);
  Napi::Value counters(const Napi::CallbackInfo& info);
  Napi::Value frames_in_use(const Napi::CallbackInfo& info);
  Napi::Value vring_totals(const Napi::CallbackInfo& info);
  Napi::Value create_lcore(const Napi::CallbackInfo& info);
  Napi::Value wall_clock(const Napi::CallbackInfo& info);
  Napi::Value compile_filter(const Napi::CallbackInfo& info);

  Napi::Value submit(Napi::Env env, Work work);
  void let_go_of_memory();
  void clean_up();

  const std::shared_ptr<Mailbox> mailbox_;
  std::vector<std::unique_ptr<LcoreHandle>> lcores_;
  std::optional<Quiescence::Reader> reader_;  // made by the first inject
  std::shared_ptr<PacketMemory> memory_;      // as long as this thread has a view of it
  Napi::Reference<Napi::ArrayBuffer> memory_view_;
  Napi::Reference<Napi::ArrayBuffer> counters_view_;
  bool owner_ = false;  // this environment opened the datapath
};

}  // namespace dpdk_vhost
