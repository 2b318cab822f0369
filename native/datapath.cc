#include "datapath.h"

#include <rte_lcore.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <future>
#include <thread>

#include "port/memory_guard.h"
#include "port/message_fds.h"
#include "port/moat.h"

namespace dpdk_vhost {

Datapath& Datapath::instance() {
  static Datapath* const only = std::unique_ptr<Datapath>(new Datapath()).release();
  return *only;
}

Datapath::Datapath()
    : counters_(std::make_unique<CounterBlock>()),
      in_hand_(std::make_unique<InHandTable>()),
      control_([this] { drain_notices(); }, paths_) {
  for (auto& fd : wake_fds_) fd.store(-1);
}

// --- open and close ---

void Datapath::open(const OpenOptions& options, std::shared_ptr<EventSink> sink) {
  if (opened_)
    throw Failure("ERR_ALREADY_OPEN", "a datapath is open in this process already; close it first");
  {
    const std::lock_guard lock(sink_mutex_);
    sink_ = sink;
  }
  set_log_sink([weak = std::weak_ptr<EventSink>(sink)](LogLine line) {
    MessageFds::close_refused(line.message);
    if (Doorbell::is_about(line.message)) return;
    if (const auto target = weak.lock()) target->log(std::move(line));
  });
  eal_.start(options.eal);
  MemoryGuard::install();
  if (!Moat::install())
    rte_log(RTE_LOG_WARNING, RTE_LOGTYPE_EAL,
            "no moat behind guests' memory: librte_vhost's calls of mmap were not found\n");
  auto memory = std::make_shared<PacketMemory>(options.eal.memory_mib, options.mtu);
  {
    const std::lock_guard lock(memory_mutex_);
    memory_ = std::move(memory);
  }
  mtu_ = options.mtu;
  peer_timeout_ = options.peer_timeout;
  opened_ = true;
}

void Datapath::close() {
  if (!opened_) return;
  assign({});
  std::vector<uint32_t> ids;
  ports_.for_each([&](const Port& port) { ids.push_back(port.id()); });
  for (const uint32_t id : ids) remove_port(id);
  stalls_.reset();
  doorbell_.reset();
  {
    const std::lock_guard lock(memory_mutex_);
    memory_.reset();  // freed here, or by the last thread that still has a view of it
  }
  opened_ = false;
  const std::lock_guard lock(sink_mutex_);
  sink_.reset();
}

bool Datapath::shut_down(std::chrono::milliseconds deadline) {
  control_.post([this] { close(); });
  return control_.stop(deadline);
}

std::shared_ptr<PacketMemory> Datapath::shared_memory() {
  const std::lock_guard lock(memory_mutex_);
  if (!memory_) throw Failure("ERR_NOT_OPEN", "no datapath is open in this process");
  return memory_;
}

// --- ports ---

uint32_t Datapath::add_port(const PortOptions& options) {
  if (!opened_) throw Failure("ERR_NOT_OPEN", "no datapath is open in this process");
  const uint32_t id = ports_.take_id();
  PortCounters& counters = counters_->ports[id];
  for (Counter* at = &counters.rx[0].frames; at != reinterpret_cast<Counter*>(&counters + 1); ++at)
    at->set(0);
  const uint32_t max_frame =
      std::min(options.mtu + kEthernetHeader + kVlanHeaders, memory_->max_frame_bytes());
  std::unique_ptr<ManagedPort> port;
  if (options.is_ethdev) {
    port = std::make_unique<EthdevPort>(*this, next_serial_++, id, options.name, max_frame,
                                        options.tx_retries_max, counters, options.ethdev);
  } else {
    hang_doorbell();
    port = std::make_unique<VhostPort>(*this, next_serial_++, id, options.name, max_frame,
                                       options.tx_retries_max, counters, options.vhost);
  }
  ManagedPort& opening = *port;
  ports_.publish(std::move(port));
  try {
    if (options.shaper) set_shaper(id, options.shaper);
    opening.start(options.admin_up);
  } catch (...) {
    ports_.remove(id, quiescence_);
    throw;
  }
  return id;
}

void Datapath::remove_port(uint32_t id) {
  ManagedPort* port = managed(id);
  if (port == nullptr) throw Failure("ERR_NO_SUCH_PORT", "no port has id " + std::to_string(id));
  {
    const std::lock_guard lock(lcores_mutex_);
    std::vector<Assignment> rest;
    std::copy_if(assignments_.begin(), assignments_.end(), std::back_inserter(rest),
                 [id](const Assignment& assignment) { return assignment.port != id; });
    if (rest.size() != assignments_.size()) assign_under_lock(rest);
  }
  port->close();
  ports_.remove(id, quiescence_);
}

void Datapath::reconnect_port(uint32_t id) {
  ManagedPort* port = managed(id);
  if (port == nullptr) throw Failure("ERR_NO_SUCH_PORT", "no port has id " + std::to_string(id));
  port->reconnect();
}

void Datapath::hang_doorbell() {
  if (doorbell_) return;
  doorbell_ = std::make_unique<Doorbell>();
  stalls_ = std::make_unique<StallWatch>(*doorbell_, ports_, quiescence_, peer_timeout_,
                                         [this](const StallEvent& event) {
                                           if (const auto target = sink()) target->stall(event);
                                         });
}

void Datapath::ring_event_thread() {
  hang_doorbell();
  doorbell_->ring();
}

void Datapath::set_admin_state(uint32_t id, bool up) {
  ManagedPort* port = managed(id);
  if (port == nullptr) throw Failure("ERR_NO_SUCH_PORT", "no port has id " + std::to_string(id));
  port->set_admin_state(up, next_serial_++);
}

void Datapath::set_shaper(uint32_t id, const std::optional<ShaperOptions>& options) {
  Port* port = ports_.find(id);
  if (port == nullptr) throw Failure("ERR_NO_SUCH_PORT", "no port has id " + std::to_string(id));
  Shaper* const shaper = port->shaper();
  if (options) {
    uint32_t others = 0;
    ports_.for_each([&](const Port& other) {
      if (&other != port && other.shaper() != nullptr) others += other.shaper()->max_frames();
    });
    const uint32_t most = memory_->frames() / 2;
    if (others + options->max_frames > most) {
      throw Failure("ERR_NO_MEMORY", "the queues of shapers would hold " +
                                         std::to_string(others + options->max_frames) +
                                         " frames, and may hold half of packet memory, which is " +
                                         std::to_string(most) +
                                         "; lower queueLength or raise memoryMiB");
    }
    port->set_shaper(*options, ports_.shapers());
    wake_lcores();
    return;
  }
  if (shaper == nullptr) return;
  // What waits leaves first, so that it is not overtaken; without lcores it cannot.
  shaper->open();
  wake_lcores();
  for (int ms = 0; ms < 100 && !shaper->is_empty(); ++ms)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const std::unique_ptr<Shaper> freed = port->take_shaper();
  quiescence_.wait_for_readers();
}

void Datapath::notify(const Notice& notice) {
  if (!notices_.push(notice)) notices_lost_.store(true);
  control_.wake();
}

void Datapath::drain_notices() {
  Notice notice;
  while (notices_.pop(notice)) {
    ManagedPort* port = managed(notice.port);
    if (port != nullptr && port->serial() == notice.serial) port->handle(notice);
  }
  if (notices_lost_.exchange(false)) {
    ports_.for_each([](Port& port) { static_cast<ManagedPort&>(port).resync(); });
    publish_all();
  }
}

std::shared_ptr<EventSink> Datapath::sink() {
  const std::lock_guard lock(sink_mutex_);
  return sink_;
}

void Datapath::publish(PortEvent event) {
  if (const auto target = sink()) target->port(std::move(event));
}

void Datapath::publish_all() {
  ports_.for_each([](Port& port) { static_cast<ManagedPort&>(port).publish_state(); });
}

std::vector<std::pair<uint32_t, VringTotals>> Datapath::vring_totals() {
  const Quiescence::Reader reader(quiescence_);
  std::vector<std::pair<uint32_t, VringTotals>> all;
  ports_.for_each([&](Port& port) {
    VringTotals totals = static_cast<ManagedPort&>(port).vring_totals(reader);
    if (!totals.values.empty()) all.emplace_back(port.id(), std::move(totals));
  });
  return all;
}

bool Datapath::inject(const Quiescence::Reader& reader, uint32_t id, const uint8_t* bytes,
                      uint32_t length) {
  const std::shared_ptr<PacketMemory> memory = shared_memory();
  if (length > memory->max_frame_bytes()) return false;
  rte_mbuf* frame = rte_pktmbuf_alloc(memory->pool());
  if (frame == nullptr) return false;
  frame->data_len = static_cast<uint16_t>(length);
  frame->pkt_len = length;
  memcpy(rte_pktmbuf_mtod(frame, void*), bytes, length);

  const Quiescence::Section section(reader);
  Port* port = ports_.find(id);
  if (port != nullptr) port->deliver(0, &frame, 1, false);
  rte_pktmbuf_free(frame);
  if (ports_.shapers().due() != ShaperSchedule::kNever) wake_lcores();
  return port != nullptr;
}

// --- lcores ---

std::unique_ptr<Lcore> Datapath::make_lcore(uint32_t burst_limit) {
  const std::shared_ptr<PacketMemory> memory = shared_memory();
  const std::lock_guard lock(lcores_mutex_);
  const auto free = std::find(lcores_.begin(), lcores_.end(), nullptr);
  if (free == lcores_.end()) throw Failure("ERR_TOO_MANY_LCORES", "64 lcores run already");
  const auto index = static_cast<uint32_t>(free - lcores_.begin());
  if (wake_fds_[index].load() < 0) {
    const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0)
      throw Failure("ERR_LCORE", std::string("cannot make an eventfd: ") + strerror(errno));
    wake_fds_[index].store(fd);
  }
  if (rte_thread_register() != 0) {
    throw Failure("ERR_LCORE", "DPDK refused to register this thread as an lcore");
  }
  for (Counter* at = &counters_->lcores[index].polls;
       at != reinterpret_cast<Counter*>(&counters_->lcores[index] + 1); ++at) {
    at->set(0);
  }
  auto lcore = std::make_unique<Lcore>(index, memory, ports_, quiescence_, *counters_,
                                       wake_fds_[index].load(), burst_limit);
  *free = lcore.get();
  return lcore;
}

void Datapath::remove_lcore(std::unique_ptr<Lcore> lcore) {
  {
    const std::lock_guard lock(lcores_mutex_);
    lcores_[lcore->index()] = nullptr;
    const uint32_t index = lcore->index();
    assignments_.erase(
        std::remove_if(assignments_.begin(), assignments_.end(),
                       [index](const Assignment& assignment) { return assignment.lcore == index; }),
        assignments_.end());
  }
  lcore.reset();
  rte_thread_unregister();
  // What it left in shapers is for the others, who may be asleep.
  if (ports_.shapers().due() != ShaperSchedule::kNever) wake_lcores();
}

void Datapath::wake_lcore(uint32_t index) {
  const int fd = index < kMaxLcores ? wake_fds_[index].load() : -1;
  if (fd < 0) return;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(fd, &one, sizeof(one));
}

std::optional<BurstInHand> Datapath::burst_in_hand(uint32_t lcore) {
  const std::lock_guard lock(lcores_mutex_);
  const Lcore* const found = lcore < kMaxLcores ? lcores_[lcore] : nullptr;
  return found == nullptr ? std::nullopt : found->burst_in_hand();
}

void Datapath::wake_lcores() {
  for (uint32_t index = 0; index < kMaxLcores; ++index) wake_lcore(index);
}

void Datapath::assign(const std::vector<Assignment>& assignments) {
  const std::lock_guard lock(lcores_mutex_);
  assign_under_lock(assignments);
}

void Datapath::assign_under_lock(const std::vector<Assignment>& assignments) {
  const auto lists = [&](auto keep) {
    std::array<std::optional<QueueList>, kMaxLcores> result;
    for (uint32_t index = 0; index < kMaxLcores; ++index) {
      if (lcores_[index] != nullptr) result[index].emplace();
    }
    for (const Assignment& assignment : assignments) {
      Port* port = ports_.find(assignment.port);
      if (port == nullptr || assignment.lcore >= kMaxLcores || !result[assignment.lcore] ||
          assignment.queue >= kMaxQueuePairs || !keep(assignment))
        continue;
      result[assignment.lcore]->push_back(
          {port, assignment.queue, &(*in_hand_)[assignment.port][assignment.queue]});
    }
    return result;
  };
  const auto install = [&](auto queues) {
    for (uint32_t index = 0; index < kMaxLcores; ++index) {
      if (queues[index]) lcores_[index]->replace_queues(std::move(*queues[index]));
    }
  };
  const auto had = [&](const Assignment& wanted) {
    return std::any_of(assignments_.begin(), assignments_.end(), [&](const Assignment& old) {
      return old.lcore == wanted.lcore && old.port == wanted.port && old.queue == wanted.queue;
    });
  };
  // First everybody lets go of what he loses, then everybody gets what is new to him.
  install(lists(had));
  install(lists([](const Assignment&) { return true; }));
  assignments_ = assignments;
  wake_lcores();
}

}  // namespace dpdk_vhost
