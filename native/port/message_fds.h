#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace dpdk_vhost {

// The file descriptors of a message that librte hands to its hooks. It does not close them when a
// hook refuses the message, and where they lie behind it is nobody's business by its headers; so
// that is found out, once, by a message of our own (Doorbell). librte's event thread.
class MessageFds {
 public:
  // `message` has descriptors of `probe`'s file, `count` of them.
  static void learn(const void* message, int probe, size_t count);

  // Returns whether there were any.
  static bool close_all(void* message);

  // A hook has been given `message`; librte reads the next one to the same place.
  static void note(void* message);

  // librte hangs up on a message that names a ring beyond its table before it asks a hook, and says
  // so in a line of its log, while the message is still there. Any thread, for any line.
  static void close_refused(const std::string& line);

  // -1: there is none.
  static int first(const void* message);

  // Whether librte will be able to map what SET_MEM_TABLE hands over. When it is not, it has
  // unmapped what there was before, and lets lcores go on with it.
  static bool can_be_mapped(const void* message);

  // Whether what SET_VRING_CALL hands over is an eventfd. From then on an lcore that writes to it
  // does not wait while it counts no further, unless the peer has that changed again (CallFds).
  static bool can_be_called(const void* message);
};

}  // namespace dpdk_vhost
