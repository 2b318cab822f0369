#include "eal/calibration.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

namespace dpdk_vhost {
namespace {

constexpr auto kLook = std::chrono::milliseconds(1);
// What sleeps for so many looks in a row sleeps long enough to be worth waking.
constexpr int kLooksAsleep = 10;

// A signal that nobody uses, handled by doing nothing for as long as this object lives: that alone
// ends the sleep of the thread it is sent to.
class Waker {
 public:
  Waker() {
    for (int candidate = SIGRTMAX; candidate >= SIGRTMIN; --candidate) {
      if (sigaction(candidate, nullptr, &before_) != 0 || before_.sa_handler != SIG_DFL) continue;
      struct sigaction nothing = {};
      nothing.sa_handler = [](int) {};
      if (sigaction(candidate, &nothing, nullptr) == 0) signal_ = candidate;
      return;
    }
  }
  ~Waker() {
    if (signal_) sigaction(*signal_, &before_, nullptr);
  }
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;

  // To be called by the thread that is to be woken.
  void admit() const {
    if (!signal_) return;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, *signal_);
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  }

  void wake(std::thread& thread) const {
    if (signal_) pthread_kill(thread.native_handle(), *signal_);
  }

 private:
  std::optional<int> signal_;
  struct sigaction before_ = {};
};

// Where the kernel does not tell, it is not.
bool is_asleep(pid_t thread) {
  long call = -1;
  std::ifstream("/proc/self/task/" + std::to_string(thread) + "/syscall") >> call;
#ifdef SYS_nanosleep
  if (call == SYS_nanosleep) return true;
#endif
  return call == SYS_clock_nanosleep;
}

}  // namespace

void run_with_short_calibration(const std::function<void()>& work) {
  const Waker waker;
  std::atomic<pid_t> id{0};
  std::atomic<bool> done{false};
  std::thread thread([&] {
    waker.admit();
    id = static_cast<pid_t>(syscall(SYS_gettid));
    work();
    done = true;
  });
  for (int asleep = 0; asleep < kLooksAsleep && !done;) {
    std::this_thread::sleep_for(kLook);
    asleep = id != 0 && is_asleep(id) ? asleep + 1 : 0;
    // Only once: nothing else that EAL does takes a long sleep, and drivers are to have theirs.
    if (asleep == kLooksAsleep) waker.wake(thread);
  }
  thread.join();
}

}  // namespace dpdk_vhost
