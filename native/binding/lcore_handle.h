#pragma once

#include <napi.h>

#include <memory>

#include "binding/mailbox.h"
#include "binding/turns.h"
#include "binding/waiter.h"
#include "lcore/lcore.h"

namespace dpdk_vhost {

// An lcore as JavaScript holds it: plain functions on one object, because a raw function costs a
// fifth of a method of a wrapped class. The functions outlive the lcore; after `close` they do
// nothing.
class LcoreHandle {
 public:
  LcoreHandle(std::unique_ptr<Lcore> lcore, std::shared_ptr<Mailbox> mailbox);
  ~LcoreHandle();
  LcoreHandle(const LcoreHandle&) = delete;
  LcoreHandle& operator=(const LcoreHandle&) = delete;

  // The object given to JavaScript. `turn` is called over and over from `start` on, as long as it
  // returns true, and after `sleep`.
  Napi::Object make_object(Napi::Env env, Napi::Function turn);
  // On the lcore's thread; idempotent.
  void close();

 private:
  friend struct LcoreCalls;
  bool turn();
  void sleep(uint32_t timeout_ms);
  void wake_up();

  std::unique_ptr<Lcore> lcore_;
  const std::shared_ptr<Mailbox> mailbox_;
  std::unique_ptr<Waiter> waiter_;  // made by the first sleep
  Napi::FunctionReference turn_;
  std::unique_ptr<Turns> turns_;
  bool sleeping_ = false;
  // Deliveries under way know by this that the handle is gone.
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace dpdk_vhost
