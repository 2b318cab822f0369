#pragma once

#include <node_api.h>

#include <functional>

namespace dpdk_vhost {

// Turns of a thread that polls. In between belongs its event loop, but a round of that costs as
// much as dozens of frames, and mostly for nothing: it is left out while the loop has nothing to
// do.
//
// Made, used and destroyed on that thread.
class Turns {
 public:
  // `turn` says whether another one is to follow. It may destroy this.
  Turns(napi_env env, std::function<bool()> turn);
  ~Turns();
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  // The first turn comes in the next round of the event loop, which stays alive from now on.
  void start();

 private:
  class Rounds;
  Rounds* const rounds_;  // frees itself, when the event loop has let go of its handle
};

}  // namespace dpdk_vhost
