#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace dpdk_vhost {

// A refusal with a code that TypeScript turns into a typed error; the message is for the user.
class Failure : public std::runtime_error {
 public:
  Failure(std::string code, const std::string& message)
      : std::runtime_error(message), code_(std::move(code)) {}
  const std::string& code() const { return code_; }

 private:
  std::string code_;
};

}  // namespace dpdk_vhost
