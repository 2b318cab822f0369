#pragma once

#include <napi.h>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace dpdk_vhost {

// Brings work from other threads to one JavaScript thread, in order. Outlives its environment
// safely: what arrives afterwards is discarded.
class Mailbox {
 public:
  using Delivery = std::function<void(Napi::Env)>;

  static std::shared_ptr<Mailbox> make(Napi::Env env);
  // JavaScript thread, once; nothing is delivered afterwards.
  void close();

  // Any thread. A delivery that can be lost is refused (false) while too many wait, so that a busy
  // JavaScript thread cannot make memory grow without bound.
  bool post(Delivery delivery, bool can_be_lost = false);

  // JavaScript thread: while held, the event loop stays alive.
  void hold();
  void release();

 private:
  static constexpr size_t kLostBeyond = 4096;
  explicit Mailbox(Napi::Env env) : env_(env) {}
  static void drain(napi_env env, napi_value function, void* self, void* data);

  const Napi::Env env_;
  std::mutex mutex_;
  napi_threadsafe_function function_ = nullptr;  // under mutex_; null once closed
  std::deque<Delivery> waiting_;                 // under mutex_
  uint32_t holds_ = 0;                           // JavaScript thread
};

}  // namespace dpdk_vhost
