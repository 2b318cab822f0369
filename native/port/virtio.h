#pragma once

#include <cstdint>

namespace dpdk_vhost {

// Feature bits of the virtio specification 1.2, sections 5.1.3 and 6. rte_vhost.h leaves out the
// kernel's headers that define them when it is compiled as C++.
constexpr uint32_t kVirtioNetCsum = 0;
constexpr uint32_t kVirtioNetGuestCsum = 1;
constexpr uint32_t kVirtioNetGuestTso4 = 7;
constexpr uint32_t kVirtioNetGuestTso6 = 8;
constexpr uint32_t kVirtioNetGuestEcn = 9;
constexpr uint32_t kVirtioNetGuestUfo = 10;
constexpr uint32_t kVirtioNetHostTso4 = 11;
constexpr uint32_t kVirtioNetHostTso6 = 12;
constexpr uint32_t kVirtioNetHostEcn = 13;
constexpr uint32_t kVirtioNetHostUfo = 14;
constexpr uint32_t kVirtioNetMrgRxbuf = 15;
constexpr uint32_t kVhostLogAll = 26;  // vhost-user's own
constexpr uint32_t kVirtioRingEventIdx = 29;
constexpr uint32_t kVirtioVersion1 = 32;
constexpr uint32_t kVirtioIommuPlatform = 33;
constexpr uint32_t kVirtioRingPacked = 34;
constexpr uint32_t kVirtioInOrder = 35;

// A message of the vhost-user protocol (QEMU, docs/interop/vhost-user.rst), as far as it is looked
// at here.
struct VhostUserMessage {
  uint32_t request;
  uint32_t flags;
  uint32_t size;
  uint64_t payload;
} __attribute__((packed));
constexpr uint32_t kVhostUserVersion = 1;
constexpr uint32_t kVhostUserNeedReply = 8;  // a flag
constexpr uint32_t kVhostUserGetFeatures = 1;
constexpr uint32_t kVhostUserSetFeatures = 2;
constexpr uint32_t kVhostUserResetOwner = 4;
constexpr uint32_t kVhostUserSetMemTable = 5;
constexpr uint32_t kVhostUserSetVringNum = 8;
constexpr uint32_t kVhostUserSetLogBase = 6;
constexpr uint32_t kVhostUserSetVringAddr = 9;
constexpr uint32_t kVhostUserSetVringBase = 10;
constexpr uint32_t kVhostUserSetVringKick = 12;
constexpr uint32_t kVhostUserSetVringCall = 13;
constexpr uint32_t kVhostUserGetVringBase = 11;
constexpr uint32_t kVhostUserGetQueueNum = 17;
constexpr uint32_t kVhostUserSetVringEnable = 18;
constexpr uint32_t kVhostUserSendRarp = 19;
constexpr uint32_t kVhostUserPostcopyAdvise = 28;
constexpr uint32_t kVhostUserPostcopyListen = 29;
constexpr uint32_t kVhostUserPostcopyEnd = 30;
constexpr uint32_t kVhostUserGetInflightFd = 31;
constexpr uint32_t kVhostUserSetInflightFd = 32;

constexpr uint64_t bit(uint32_t feature) {
  return uint64_t{1} << feature;
}

// Withdrawn from every port: with them a program would see frames longer than the MTU, or with
// checksums left unfinished for a device that is not there (docs/decisions).
constexpr uint64_t kNeverOffered = bit(kVirtioNetCsum) | bit(kVirtioNetGuestCsum) |
                                   bit(kVirtioNetGuestTso4) | bit(kVirtioNetGuestTso6) |
                                   bit(kVirtioNetGuestEcn) | bit(kVirtioNetGuestUfo) |
                                   bit(kVirtioNetHostTso4) | bit(kVirtioNetHostTso6) |
                                   bit(kVirtioNetHostEcn) | bit(kVirtioNetHostUfo);

}  // namespace dpdk_vhost
