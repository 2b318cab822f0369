#pragma once

#include "control/control_thread.h"
#include "control/notice_queue.h"
#include "eal/quiescence.h"
#include "memory/packet_memory.h"
#include "port/port_table.h"

namespace dpdk_vhost {

// What a port needs of the process around it. Implemented by Datapath.
class PortHost {
 public:
  virtual ~PortHost() = default;

  // Any thread, callbacks included; never waits.
  virtual void notify(const Notice& notice) = 0;
  virtual void wake_lcores() = 0;
  virtual PortTable& ports() = 0;
  virtual Quiescence& quiescence() = 0;

  // Control thread only.
  virtual ControlThread& control() = 0;
  virtual PathWatch& paths() = 0;
  // Makes librte's event thread look at its sockets now.
  virtual void ring_event_thread() = 0;
  virtual PacketMemory& memory() = 0;
  virtual void publish(PortEvent event) = 0;
};

}  // namespace dpdk_vhost
