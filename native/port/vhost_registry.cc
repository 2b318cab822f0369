#include "port/vhost_registry.h"

#include <array>
#include <atomic>
#include <climits>
#include <map>
#include <memory>
#include <mutex>

#include "failure.h"
#include "port/memory_guard.h"
#include "port/message_fds.h"
#include "port/vhost_port.h"
#include "port/virtio.h"

namespace dpdk_vhost {
namespace {

constexpr size_t kMaxVids = 1024;  // RTE_MAX_VHOST_DEVICE

struct Registry {
  std::mutex mutex;  // held for a look-up only, never around a call into librte
  std::map<std::string, VhostPort*> by_path;
  // Set by new_connection, cleared by destroy_connection or by the control thread after unregister.
  std::array<std::atomic<VhostPort*>, kMaxVids> by_vid{};
  // The port of a message that librte has not taken, or not yet. Set by its event thread.
  std::array<std::atomic<VhostPort*>, kMaxVids> untaken{};

  // The message in hand.
  std::atomic<uint32_t> port{0};
  std::atomic<uint64_t> serial{0};
  std::atomic<uint64_t> generation{0};
  std::atomic<uint32_t> request{0};
};

// Leaked on purpose: librte's event thread outlives static objects.
Registry& registry() {
  static Registry* const instance = std::make_unique<Registry>().release();
  return *instance;
}

VhostPort* port_of(int vid) {
  return vid >= 0 && static_cast<size_t>(vid) < kMaxVids
             ? registry().by_vid[static_cast<size_t>(vid)].load(std::memory_order_acquire)
             : nullptr;
}

}  // namespace

struct VhostCallbacks {
  static int new_connection(int vid) {
    char path[PATH_MAX];
    if (vid < 0 || static_cast<size_t>(vid) >= kMaxVids ||
        rte_vhost_get_ifname(vid, path, sizeof(path)) != 0)
      return -1;
    VhostPort* port = nullptr;
    {
      const std::lock_guard lock(registry().mutex);
      const auto found = registry().by_path.find(path);
      if (found == registry().by_path.end()) return -1;
      port = found->second;
    }
    if (port->on_connection(vid) != 0) return -1;
    registry().by_vid[static_cast<size_t>(vid)].store(port, std::memory_order_release);
    rte_vhost_extern_callback_register(vid, &kMessages, nullptr);
    return 0;
  }

  // librte would offer 128 queue pairs whatever the port has; this release has no call to change
  // it.
  static rte_vhost_msg_result before_message(int vid, void* data) {
    auto* message = static_cast<VhostUserMessage*>(data);
    MessageFds::note(data);
    VhostPort* port = port_of(vid);
    if (port == nullptr) return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
    registry().port.store(port->id(), std::memory_order_relaxed);
    registry().serial.store(port->serial(), std::memory_order_relaxed);
    registry().generation.store(port->generation(), std::memory_order_relaxed);
    registry().request.store(message->request, std::memory_order_relaxed);
    {
      const std::lock_guard lock(registry().mutex);
      if (!port->is_left_alone_) registry().untaken[static_cast<size_t>(vid)].store(port);
    }
    if (!port->on_message(vid, *message)) {
      MessageFds::close_all(data);
      return RTE_VHOST_MSG_RESULT_ERR;
    }
    const bool is_rarp = message->request == kVhostUserSendRarp;
    if (!is_rarp && message->request != kVhostUserGetQueueNum)
      return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
    // As librte does with what should have none.
    if (MessageFds::close_all(data)) return RTE_VHOST_MSG_RESULT_ERR;
    if (is_rarp) return RTE_VHOST_MSG_RESULT_OK;
    message->payload = port->queue_pairs();
    message->size = sizeof(message->payload);
    return RTE_VHOST_MSG_RESULT_REPLY;
  }
  static rte_vhost_msg_result after_message(int vid, void* data) {
    auto* message = static_cast<VhostUserMessage*>(data);
    registry().request.store(0, std::memory_order_relaxed);
    if (port_of(vid) != nullptr)
      registry().untaken[static_cast<size_t>(vid)].store(nullptr, std::memory_order_relaxed);
    VhostPort* const port = port_of(vid);
    if (port != nullptr && !port->after_message(vid, message->request)) {
      // Without an answer librte hangs up.
      message->flags &= ~kVhostUserNeedReply;
      return RTE_VHOST_MSG_RESULT_ERR;
    }
    return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
  }
  static constexpr rte_vhost_user_extern_ops kMessages{before_message, after_message};

  static int new_device(int vid) {
    VhostPort* port = port_of(vid);
    return port == nullptr ? -1 : port->on_device(vid);
  }

  static void destroy_device(int vid) {
    if (VhostPort* port = port_of(vid)) port->on_device_gone(vid);
  }

  static int vring_state_changed(int vid, uint16_t vring, int enable) {
    if (VhostPort* port = port_of(vid)) port->on_queue(vring, enable != 0);
    return 0;
  }

  static void destroy_connection(int vid) {
    VhostPort* port = port_of(vid);
    if (port == nullptr) return;
    registry().by_vid[static_cast<size_t>(vid)].store(nullptr, std::memory_order_release);
    registry().untaken[static_cast<size_t>(vid)].store(nullptr, std::memory_order_relaxed);
    MemoryGuard::forget(vid);
    port->on_connection_gone(vid);
  }
};

void VhostRegistry::add(const std::string& path, VhostPort* port) {
  const std::lock_guard lock(registry().mutex);
  if (!registry().by_path.emplace(path, port).second) {
    throw Failure("ERR_SOCKET_IN_USE", "a port of this process uses " + path + " already");
  }
}

void VhostRegistry::remove(const std::string& path) {
  const std::lock_guard lock(registry().mutex);
  registry().by_path.erase(path);
}

void VhostRegistry::forget_device(int vid, VhostPort* port) {
  if (vid < 0) return;
  MemoryGuard::forget(vid);
  // Another port may have been given the vid already.
  registry().by_vid[static_cast<size_t>(vid)].compare_exchange_strong(port, nullptr);
}

VhostRegistry::Message VhostRegistry::message_in_hand() {
  const Registry& all = registry();
  return {all.port.load(std::memory_order_relaxed), all.serial.load(std::memory_order_relaxed),
          all.generation.load(std::memory_order_relaxed),
          all.request.load(std::memory_order_relaxed)};
}

void VhostRegistry::between_messages() {
  registry().request.store(0, std::memory_order_relaxed);
  const std::lock_guard lock(registry().mutex);
  for (size_t vid = 0; vid < kMaxVids; ++vid) {
    if (registry().untaken[vid].load(std::memory_order_relaxed) == nullptr) continue;
    VhostPort* const port = registry().untaken[vid].exchange(nullptr);
    if (port != nullptr) port->after_refusal(static_cast<int>(vid));
  }
}

void VhostRegistry::leave_alone(VhostPort* port, bool alone) {
  const std::lock_guard lock(registry().mutex);
  port->is_left_alone_ = alone;
  if (!alone) return;
  for (auto& untaken : registry().untaken) {
    VhostPort* mine = port;
    untaken.compare_exchange_strong(mine, nullptr);
  }
}

const rte_vhost_device_ops* VhostRegistry::callbacks() {
  static const rte_vhost_device_ops operations = [] {
    rte_vhost_device_ops filled{};
    filled.new_device = VhostCallbacks::new_device;
    filled.destroy_device = VhostCallbacks::destroy_device;
    filled.vring_state_changed = VhostCallbacks::vring_state_changed;
    filled.features_changed = [](int, uint64_t) { return 0; };
    filled.new_connection = VhostCallbacks::new_connection;
    filled.destroy_connection = VhostCallbacks::destroy_connection;
    return filled;
  }();
  return &operations;
}

}  // namespace dpdk_vhost
