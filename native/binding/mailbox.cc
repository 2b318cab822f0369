#include "binding/mailbox.h"

#include <utility>

namespace dpdk_vhost {

std::shared_ptr<Mailbox> Mailbox::make(Napi::Env env) {
  std::shared_ptr<Mailbox> mailbox(std::unique_ptr<Mailbox>(new Mailbox(env)));
  // Node calls into the mailbox until it has finalized the function, so the function owns a share.
  auto share = std::make_unique<std::shared_ptr<Mailbox>>(mailbox);
  const auto finalize = [](napi_env, void* data, void*) {
    const std::unique_ptr<std::shared_ptr<Mailbox>> owned(
        static_cast<std::shared_ptr<Mailbox>*>(data));
  };
  napi_value name = Napi::String::New(env, "dpdk-vhost");
  const napi_status status =
      napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, share.get(), finalize,
                                      mailbox.get(), drain, &mailbox->function_);
  if (status != napi_ok) throw Napi::Error::New(env, "cannot make a thread-safe function");
  [[maybe_unused]] const auto* given_away = share.release();
  napi_unref_threadsafe_function(env, mailbox->function_);
  return mailbox;
}

void Mailbox::close() {
  napi_threadsafe_function function = nullptr;
  {
    const std::lock_guard lock(mutex_);
    std::swap(function, function_);
    waiting_.clear();
  }
  if (function != nullptr) napi_release_threadsafe_function(function, napi_tsfn_abort);
}

bool Mailbox::post(Delivery delivery, bool can_be_lost) {
  const std::lock_guard lock(mutex_);
  if (function_ == nullptr) return false;
  if (can_be_lost && waiting_.size() >= kLostBeyond) return false;
  waiting_.push_back(std::move(delivery));
  // One call brings JavaScript to everything that waits.
  if (waiting_.size() == 1)
    napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking);
  return true;
}

void Mailbox::drain(napi_env env, napi_value /*function*/, void* context, void* /*data*/) {
  if (env == nullptr) return;
  auto* self = static_cast<Mailbox*>(context);
  std::deque<Delivery> batch;
  {
    const std::lock_guard lock(self->mutex_);
    batch.swap(self->waiting_);
  }
  for (const Delivery& delivery : batch) {
    const Napi::HandleScope scope(env);
    try {
      delivery(env);
    } catch (const Napi::Error& error) {
      napi_fatal_exception(
          env, error.Value());  // an uncaught exception of the callback, as anywhere in node
    }
  }
}

void Mailbox::hold() {
  if (holds_++ == 0 && function_ != nullptr) napi_ref_threadsafe_function(env_, function_);
}

void Mailbox::release() {
  if (--holds_ == 0 && function_ != nullptr) napi_unref_threadsafe_function(env_, function_);
}

}  // namespace dpdk_vhost
