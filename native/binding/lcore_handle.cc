#include "binding/lcore_handle.h"

#include <cstddef>
#include <utility>

#include "binding/convert.h"
#include "datapath.h"

namespace dpdk_vhost {

namespace {

// As an uncaught exception. None is left of a thread that is being ended.
void give_to_node(napi_env env) {
  napi_value error = nullptr;
  napi_valuetype type = napi_null;
  napi_get_and_clear_last_exception(env, &error);
  napi_typeof(env, error, &type);
  if (type != napi_null) napi_fatal_exception(env, error);
}

}  // namespace

LcoreHandle::LcoreHandle(std::unique_ptr<Lcore> lcore, std::shared_ptr<Mailbox> mailbox)
    : lcore_(std::move(lcore)), mailbox_(std::move(mailbox)) {}

LcoreHandle::~LcoreHandle() {
  close();
}

void LcoreHandle::close() {
  if (!lcore_) return;
  *alive_ = false;
  Datapath::instance().wake_lcore(lcore_->index());
  waiter_.reset();
  if (std::exchange(sleeping_, false)) mailbox_->release();
  Datapath::instance().remove_lcore(std::move(lcore_));
  turns_.reset();
  turn_.Reset();
}

// A callback as node's own are: what the program promised, or left for the next tick, is done after
// it, whether the event loop gets its round or not.
bool LcoreHandle::turn() {
  const Napi::Env env = turn_.Env();
  const Napi::HandleScope scope(env);
  napi_value global = nullptr;
  napi_value result = nullptr;
  bool goes_on = false;
  napi_get_global(env, &global);
  if (napi_make_callback(env, nullptr, global, turn_.Value(), 0, nullptr, &result) == napi_ok)
    napi_get_value_bool(env, result, &goes_on);
  else if (env.IsExceptionPending())
    give_to_node(env);
  return goes_on;
}

void LcoreHandle::sleep(uint32_t timeout_ms) {
  if (sleeping_) return;
  if (!waiter_) {
    waiter_ =
        std::make_unique<Waiter>(lcore_->sleeper(), [this, mailbox = mailbox_, alive = alive_] {
          mailbox->post([this, alive](Napi::Env) {
            if (*alive) wake_up();
          });
        });
  }
  sleeping_ = true;
  mailbox_->hold();
  waiter_->start(timeout_ms);
}

void LcoreHandle::wake_up() {
  sleeping_ = false;
  mailbox_->release();
  lcore_->disarm();
  turns_->start();
}

// Node-API callbacks. The data pointer is the handle; every argument is a small number.
struct LcoreCalls {
  struct Arguments {
    LcoreHandle* handle = nullptr;
    uint32_t first = 0;
  };

  static Arguments read(napi_env env, napi_callback_info info, size_t wanted) {
    Arguments arguments;
    napi_value values[1];
    size_t count = wanted;
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, wanted == 0 ? nullptr : values, nullptr, &data);
    arguments.handle = static_cast<LcoreHandle*>(data);
    if (wanted != 0 && count != 0) napi_get_value_uint32(env, values[0], &arguments.first);
    return arguments;
  }
  static napi_value number(napi_env env, uint32_t value) {
    napi_value result = nullptr;
    napi_create_uint32(env, value, &result);
    return result;
  }
  static napi_value signed_number(napi_env env, int32_t value) {
    napi_value result = nullptr;
    napi_create_int32(env, value, &result);
    return result;
  }

  static napi_value start(napi_env env, napi_callback_info info) {
    LcoreHandle* handle = read(env, info, 0).handle;
    if (handle->lcore_) handle->turns_->start();
    return nullptr;
  }
  static napi_value poll(napi_env env, napi_callback_info info) {
    Lcore* lcore = read(env, info, 0).handle->lcore_.get();
    return number(env, lcore ? lcore->poll() : 0);
  }
  static napi_value wait(napi_env env, napi_callback_info info) {
    const Arguments arguments = read(env, info, 1);
    Lcore* lcore = arguments.handle->lcore_.get();
    return number(env, lcore ? lcore->wait(arguments.first) : 0);
  }
  static napi_value arm(napi_env env, napi_callback_info info) {
    Lcore* lcore = read(env, info, 0).handle->lcore_.get();
    return number(env, lcore ? lcore->arm() : 0);
  }
  static napi_value sleep(napi_env env, napi_callback_info info) {
    const Arguments arguments = read(env, info, 1);
    if (arguments.handle->lcore_) arguments.handle->sleep(arguments.first);
    return nullptr;
  }
  static napi_value flush(napi_env env, napi_callback_info info) {
    Lcore* lcore = read(env, info, 0).handle->lcore_.get();
    if (lcore) lcore->flush();
    return nullptr;
  }
  static napi_value flush_copies(napi_env env, napi_callback_info info) {
    Lcore* lcore = read(env, info, 0).handle->lcore_.get();
    if (lcore) lcore->flush_copies();
    return nullptr;
  }
  static napi_value create(napi_env env, napi_callback_info info) {
    const Arguments arguments = read(env, info, 1);
    Lcore* lcore = arguments.handle->lcore_.get();
    return signed_number(env, lcore ? lcore->create(arguments.first) : -1);
  }
  static napi_value duplicate(napi_env env, napi_callback_info info) {
    const Arguments arguments = read(env, info, 1);
    Lcore* lcore = arguments.handle->lcore_.get();
    return signed_number(env, lcore ? lcore->duplicate(arguments.first) : -1);
  }
  static napi_value fail_burst(napi_env env, napi_callback_info info) {
    Lcore* lcore = read(env, info, 0).handle->lcore_.get();
    if (lcore) lcore->fail_burst();
    return nullptr;
  }
  static napi_value native_io(napi_env env, napi_callback_info info) {
    const Arguments arguments = read(env, info, 1);
    Lcore* lcore = arguments.handle->lcore_.get();
    napi_value result = nullptr;
    napi_create_double(env, lcore ? static_cast<double>(lcore->native_io(arguments.first)) : 0,
                       &result);
    return result;
  }
  static napi_value trial(napi_env env, napi_callback_info info) {
    const Napi::CallbackInfo call(env, info);
    try {
      Lcore* lcore = static_cast<LcoreHandle*>(call.Data())->lcore_.get();
      if (lcore == nullptr) return nullptr;
      return to_javascript(env, lcore->trial(read_trial_plan(call[0].As<Napi::Object>())));
    } catch (const Napi::Error& error) {
      error.ThrowAsJavaScriptException();
      return nullptr;
    }
  }
  static napi_value close(napi_env env, napi_callback_info info) {
    read(env, info, 0).handle->close();
    return nullptr;
  }
};

namespace {

// The block as one ArrayBuffer that keeps it alive, and where each array lies in it.
Napi::Object make_block(Napi::Env env, const std::shared_ptr<BurstBlock>& block) {
  auto share = std::make_unique<std::shared_ptr<BurstBlock>>(block);
  auto buffer = Napi::ArrayBuffer::New(
      env, block.get(), sizeof(BurstBlock),
      [](Napi::Env, void*, std::shared_ptr<BurstBlock>* owned) {
        const std::unique_ptr<std::shared_ptr<BurstBlock>> freed(owned);
      },
      share.release());
  auto result = Napi::Object::New(env);
  const auto place = [&](const char* name, size_t at, size_t length) {
    auto where = Napi::Object::New(env);
    where.Set("at", static_cast<double>(at));
    where.Set("length", static_cast<double>(length));
    result.Set(name, where);
  };
  result.Set("buffer", buffer);
  place("words", offsetof(BurstBlock, words), block->words.size());
  place("clock", offsetof(BurstBlock, clock), block->clock.size());
  place("offset", offsetof(BurstBlock, offset), block->offset.size());
  place("length", offsetof(BurstBlock, length), block->length.size());
  place("outPort", offsetof(BurstBlock, out_port), block->out_port.size());
  place("copyFrame", offsetof(BurstBlock, copy_frame), block->copy_frame.size());
  place("copyPort", offsetof(BurstBlock, copy_port), block->copy_port.size());
  place("readyPorts", offsetof(BurstBlock, ready_ports), block->ready_ports.size());
  place("isReady", offsetof(BurstBlock, is_ready), block->is_ready.size());
  place("expected", offsetof(BurstBlock, expected), sizeof(block->expected) / sizeof(uint32_t));
  return result;
}

}  // namespace

Napi::Object LcoreHandle::make_object(Napi::Env env, Napi::Function turn) {
  turn_ = Napi::Persistent(turn);
  turns_ = std::make_unique<Turns>(env, [this] { return this->turn(); });
  auto object = Napi::Object::New(env);
  object.Set("index", lcore_->index());
  object.Set("block", make_block(env, lcore_->block()));
  const auto add = [&](const char* name, napi_callback callback) {
    napi_value function = nullptr;
    const napi_status status =
        napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, this, &function);
    if (status != napi_ok) throw Napi::Error::New(env, "cannot make a function");
    object.Set(name, Napi::Value(env, function));
  };
  add("start", LcoreCalls::start);
  add("poll", LcoreCalls::poll);
  add("wait", LcoreCalls::wait);
  add("arm", LcoreCalls::arm);
  add("sleep", LcoreCalls::sleep);
  add("flush", LcoreCalls::flush);
  add("flushCopies", LcoreCalls::flush_copies);
  add("create", LcoreCalls::create);
  add("duplicate", LcoreCalls::duplicate);
  add("failBurst", LcoreCalls::fail_burst);
  add("nativeIo", LcoreCalls::native_io);
  add("trial", LcoreCalls::trial);
  add("close", LcoreCalls::close);
  return object;
}

}  // namespace dpdk_vhost
