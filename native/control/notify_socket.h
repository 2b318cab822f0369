#pragma once

#include <string>

namespace dpdk_vhost {

// Sends one datagram to a Unix socket: the protocol of sd_notify(3), which Node.js cannot speak. A
// path that begins with '@' is in the abstract namespace. Never waits: a service manager that does
// not read must not hold up the switch. Throws Failure ERR_NOTIFY.
void send_notification(const std::string& path, const std::string& text);

}  // namespace dpdk_vhost
