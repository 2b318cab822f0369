#include "port/ethdev_port.h"

#include <rte_alarm.h>
#include <rte_dev.h>
#include <rte_errno.h>

#include <cstring>
#include <future>

#include "eal/drivers.h"
#include "eal/happens_before.h"
#include "eal/log.h"
#include "failure.h"

namespace dpdk_vhost {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kLinkPoll{100};

// Drivers put off work to an alarm when a link goes down, and do not take it back when the device
// is closed: virtio-user's would then use what is freed, or leave EAL a descriptor that is closed.
// Alarms run one after another, so when one that is set now has run, so have theirs.
void wait_for_alarms() {
  std::promise<void> ran;
  const auto note = [](void* promise) {
    takes_over(promise);
    static_cast<std::promise<void>*>(promise)->set_value();
  };
  hands_over(&ran);
  if (rte_eal_alarm_set(1, note, &ran) == 0) ran.get_future().wait();
}

}  // namespace

EthdevPort::EthdevPort(PortHost& host, uint64_t serial, uint32_t id, std::string name,
                       uint32_t max_frame_bytes, uint32_t tx_retries_max, PortCounters& counters,
                       EthdevOptions options)
    : ManagedPort(host, serial, id, std::move(name), max_frame_bytes, tx_retries_max, counters),
      options_(std::move(options)) {}

// --- datapath ---

uint32_t EthdevPort::receive(uint16_t queue, rte_mempool* /*pool*/, rte_mbuf** frames,
                             uint32_t count) {
  // Some drivers (virtio-user) rebuild their rings while the link is down.
  if (!ready() || !rx_enabled(queue)) return 0;
  return rte_eth_rx_burst(device_, queue, frames, static_cast<uint16_t>(count));
}

void EthdevPort::transmit(uint32_t lcore, rte_mbuf** frames, uint32_t count, bool shared) {
  if (!ready()) {
    drop_all(count, &TxCounters::dropped_not_connected);
    return;
  }
  const auto queue =
      static_cast<uint16_t>(tx_map_.load(std::memory_order_relaxed) >> (4 * (lcore % 16)) & 15);
  TxCounters& counted = counters.tx[queue];
  rte_mbuf* sending[kMaxFrames];
  uint32_t places[kMaxFrames];
  uint32_t total = 0;
  for (uint32_t i = 0; i < count; ++i) {
    if (frames[i]->pkt_len > max_frame_bytes_) continue;
    // The device frees what it sends; a frame with further receivers gets a reference for that.
    if (shared) rte_mbuf_refcnt_update(frames[i], 1);
    places[total] = i;
    sending[total++] = frames[i];
  }

  tx_locks_[queue].lock();
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < total; ++i) bytes += sending[i]->pkt_len;
  uint32_t sent = 0;
  for (uint32_t retries = 0; sent < total; ++retries) {
    const auto ask = static_cast<uint16_t>(total - sent);
    const uint16_t accepted = rte_eth_tx_burst(device_, queue, sending + sent, ask);
    sent += accepted;
    if (accepted == 0 || retries == tx_retries_max_) break;
    if (accepted < ask) counted.retries.add(1);
  }
  for (uint32_t i = sent; i < total; ++i) bytes -= sending[i]->pkt_len;
  counted.calls.add(1);
  counted.frames.add(sent);
  counted.bytes.add(static_cast<double>(bytes));
  if (total != count) counted.dropped_oversize.add(count - total);
  if (sent != total) counted.dropped_ring_full.add(total - sent);
  tx_locks_[queue].unlock();

  if (shared) {
    for (uint32_t i = sent; i < total; ++i) rte_mbuf_refcnt_update(sending[i], -1);
  } else {
    for (uint32_t i = 0; i < sent; ++i) frames[places[i]] = nullptr;
  }
}

int EthdevPort::arm(uint16_t queue, bool /*on*/) {
  return ready() && rx_enabled(queue) ? kMustPoll : kNothingToWaitFor;
}

// --- control thread ---

void EthdevPort::refuse(const std::string& step, int error) const {
  const std::string words = Complaints::words();
  throw Failure("ERR_PORT_DEVICE", "cannot " + step + " '" + options_.devargs +
                                       "': " + rte_strerror(error < 0 ? -error : error) +
                                       (words.empty() ? "" : " (" + words + ")"));
}

void EthdevPort::open() {
  const Complaints complaints;
  const std::string device_name = options_.devargs.substr(0, options_.devargs.find(','));
  uint16_t existing = 0;
  if (rte_eth_dev_get_port_by_name(device_name.c_str(), &existing) == 0) {
    throw Failure("ERR_PORT_DEVICE",
                  "device '" + device_name + "' is in use by another port of this process");
  }
  Drivers::load();
  const int probed = rte_dev_probe(options_.devargs.c_str());
  if (probed != 0) refuse("plug device", probed);
  if (rte_eth_dev_get_port_by_name(device_name.c_str(), &device_) != 0) {
    throw Failure("ERR_PORT_DEVICE",
                  "device '" + options_.devargs + "' was plugged but is no Ethernet device");
  }
  try {
    configure();
  } catch (...) {
    unplug();
    throw;
  }
  const uint32_t rx = (uint32_t{1} << options_.rx_queues) - 1;
  rx_queues_.store(rx, std::memory_order_release);
  map_tx_queues((uint32_t{1} << options_.tx_queues) - 1);
  if (admin_up()) watch_link();
}

void EthdevPort::watch_link() {
  enter(PortState::connecting, "waiting for the link of '" + options_.devargs + "'");
  check_link();
  if (!has_link_interrupt_) later(kLinkPoll, &EthdevPort::poll_link);
}

void EthdevPort::take_down() {
  set_ready(false);
  host_.quiescence().wait_for_readers();
  // A device without the notion stays up, and nothing is sent to it or taken from it.
  rte_eth_dev_set_link_down(device_);
  enter(PortState::stopped);
}

void EthdevPort::bring_up() {
  rte_eth_dev_set_link_up(device_);
  watch_link();
}

void EthdevPort::open_down() {
  open();
  take_down();
}

void EthdevPort::configure() {
  rte_eth_dev_info info{};
  int result = rte_eth_dev_info_get(device_, &info);
  if (result != 0) refuse("read", result);
  if (options_.rx_queues > info.max_rx_queues || options_.tx_queues > info.max_tx_queues) {
    throw Failure("ERR_PORT_DEVICE",
                  "device '" + options_.devargs + "' has at most " +
                      std::to_string(info.max_rx_queues) + " rx and " +
                      std::to_string(info.max_tx_queues) +
                      " tx queues; lower rxQueues and txQueues or raise the device's own setting");
  }
  has_link_interrupt_ = (*info.dev_flags & RTE_ETH_DEV_INTR_LSC) != 0;

  rte_eth_conf conf{};
  conf.rxmode.mtu = options_.mtu;
  conf.intr_conf.lsc = has_link_interrupt_ ? 1 : 0;
  if (options_.rx_queues > 1 && (info.flow_type_rss_offloads & RTE_ETH_RSS_IP) != 0) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf =
        info.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
  }
  result = rte_eth_dev_configure(device_, options_.rx_queues, options_.tx_queues, &conf);
  if (result != 0) refuse("configure", result);

  uint16_t rx_descriptors = options_.rx_descriptors;
  uint16_t tx_descriptors = options_.tx_descriptors;
  result = rte_eth_dev_adjust_nb_rx_tx_desc(device_, &rx_descriptors, &tx_descriptors);
  if (result != 0) refuse("size the rings of", result);
  for (uint16_t queue = 0; queue < options_.rx_queues; ++queue) {
    result = rte_eth_rx_queue_setup(device_, queue, rx_descriptors, SOCKET_ID_ANY, nullptr,
                                    host_.memory().pool());
    if (result != 0) refuse("set up rx queue " + std::to_string(queue) + " of", result);
  }
  for (uint16_t queue = 0; queue < options_.tx_queues; ++queue) {
    result = rte_eth_tx_queue_setup(device_, queue, tx_descriptors, SOCKET_ID_ANY, nullptr);
    if (result != 0) refuse("set up tx queue " + std::to_string(queue) + " of", result);
  }
  if (has_link_interrupt_) {
    result = rte_eth_dev_callback_register(device_, RTE_ETH_EVENT_INTR_LSC, on_link, this);
    if (result != 0) refuse("watch the link of", result);
    callback_registered_ = true;
  }
  result = rte_eth_dev_start(device_);
  if (result != 0) refuse("start", result);
  // A switch takes frames for any address. Virtual devices without the notion refuse, and do so
  // anyway.
  rte_eth_promiscuous_enable(device_);
}

// Runs on EAL's interrupt thread.
int EthdevPort::on_link(uint16_t /*device*/, rte_eth_event_type /*event*/, void* self,
                        void* /*result*/) {
  static_cast<EthdevPort*>(self)->notify(Notice::Kind::link, 0);
  return 0;
}

void EthdevPort::check_link() {
  rte_eth_link link{};
  const bool up =
      rte_eth_link_get_nowait(device_, &link) != 0 || link.link_status == RTE_ETH_LINK_UP;
  if (up == ready() || !admin_up()) return;
  set_ready(up);
  if (up) {
    ++generation_;
    enter(PortState::ready);
  } else {
    enter(PortState::stopped, "link down");
  }
}

void EthdevPort::set_ready(bool ready) {
  ready_.store(ready, std::memory_order_release);
  epoch_.fetch_add(1, std::memory_order_acq_rel);
  host_.ports().note_ready_change();
  host_.wake_lcores();
}

void EthdevPort::poll_link() {
  check_link();
  later(kLinkPoll, &EthdevPort::poll_link);
}

void EthdevPort::handle(const Notice& notice) {
  if (notice.kind == Notice::Kind::link) check_link();
}

void EthdevPort::unplug() {
  rte_eth_dev_info info{};
  const bool known = rte_eth_dev_info_get(device_, &info) == 0;
  if (callback_registered_)
    rte_eth_dev_callback_unregister(device_, RTE_ETH_EVENT_INTR_LSC, on_link, this);
  wait_for_alarms();
  rte_eth_dev_stop(device_);
  rte_eth_dev_close(device_);
  if (known && info.device != nullptr) rte_dev_remove(info.device);
}

void EthdevPort::close() {
  ready_.store(false, std::memory_order_release);
  rx_queues_.store(0, std::memory_order_release);
  map_tx_queues(0);
  host_.ports().note_ready_change();
  host_.quiescence().wait_for_readers();
  unplug();
  enter(PortState::closed);
}

Negotiated EthdevPort::negotiated() {
  Negotiated now;
  now.rx_ring_size = options_.rx_descriptors;
  now.tx_ring_size = options_.tx_descriptors;
  now.mtu = options_.mtu;
  now.numa_node = rte_eth_dev_socket_id(device_);
  return now;
}

}  // namespace dpdk_vhost
