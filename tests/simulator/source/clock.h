// The virtual clock. Kernels compute at once, on the CPU; when the device *would* have finished is kept here,
// and whoever waits for the device waits until then. README.md describes the model.
#pragma once
#include "memory.h"

#include <atomic>
#include <chrono>
#include <map>
#include <thread>

namespace sim {

using Moment = std::chrono::steady_clock::time_point;

inline std::chrono::steady_clock::duration microseconds(double count) {
  return std::chrono::nanoseconds(static_cast<int64_t>(count * 1e3));
}

inline void wait_until(Moment moment) {
  // A sleep ends about 60 us late on Linux; the rest is spun away.
  std::this_thread::sleep_until(moment - microseconds(200));
  while (std::chrono::steady_clock::now() < moment) {
  }
}

// One processor's timeline: work is appended, waiting drains it.
class Lane {
 public:
  // The first work after a wait or a pause starts now. Other work is only appended, so that the real time the
  // simulation itself needs is hidden as long as it is shorter than the virtual time.
  void start() {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    // What the host does between two steps is part of the second one; 20 ms also bear a busy machine.
    const auto pause = std::chrono::milliseconds(busy_ ? 20 : 2);
    if (free_ < now && now - seen_ > pause) free_ = now;
    seen_ = now;
    busy_ = true;
  }

  void append(double cost_us) {
    start();
    const std::lock_guard<std::mutex> lock(mutex_);
    free_ += microseconds(cost_us);
  }

  Moment free() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return free_;
  }

  // Within a step that has a price, waiting starts nothing anew: what was computed before it is hidden behind the price too.
  void drain(bool within_step = false) {
    wait_until(free());
    const std::lock_guard<std::mutex> lock(mutex_);
    seen_ = std::chrono::steady_clock::now();
    if (within_step) return;
    free_ = seen_;
    busy_ = false;
  }

 private:
  std::mutex mutex_;
  bool busy_ = false;
  Moment free_{};
  Moment seen_{};
};

struct Clock {
  double speed = number("SIM_SPEED", 1);
  double launch_us = number("SIM_LAUNCH_US", 0);
  double step_us = number("SIM_STEP_MS", 0) * 1e3;
  std::string step_ends_with = text("SIM_STEP_ENDS_WITH");
  double flops_per_us = number("SIM_GFLOPS", 0) * 1e3;
  double nnpack_times = number("SIM_NNPACK_TIMES", 1);
  double synchronize_us = number("SIM_SYNCHRONIZE_US", 0);
  double warmup_us = number("SIM_WARMUP_MS", 0) * 1e3;
  std::atomic<int64_t> warmup_left{static_cast<int64_t>(number("SIM_WARMUP_STEPS", 0))};
  size_t leak_bytes = static_cast<size_t>(number("SIM_LEAK_BYTES", 0));
  std::map<std::string, double> prices;
  Lane device;
  Lane host;
  double host_owes_us = 0;
  std::atomic<int64_t> launches{0};
  int64_t launches_before_step = 0;
  std::atomic<bool> step_ended{false};

  Clock() {
    TORCH_CHECK(speed > 0, "SIM_SPEED must be positive");
    for (auto entry : split(text("SIM_PRICES_US"), ',')) {
      const auto price = cut(entry, '=');
      prices[entry] = std::stod(price);
    }
  }

  static Clock& get() {
    static auto* clock = new Clock();
    return *clock;
  }

  void launch(const std::string& op) {
    launches++;
    const auto price = prices.find(op);
    device.append(launch_us + (price == prices.end() ? 0 : price->second));
  }

  void synchronize() {
    if (synchronize_us > 0) device.append(synchronize_us);
    device.drain(step_us > 0 && !step_ended);
    step_ended = false;
  }

  void compute(double flops, bool on_device) {
    if (flops_per_us <= 0) return;
    if (on_device) {
      device.append(flops / flops_per_us / speed);
    } else {
      host_owes_us += flops / flops_per_us;
    }
  }

  // A training step belongs to the device if anything was launched there since the step before it.
  void step() {
    const bool on_device = launches != launches_before_step;
    launches_before_step = launches;
    if (!on_device) {
      host.append(step_us + host_owes_us);
      host_owes_us = 0;
      return host.drain();
    }
    step_ended = true;
    const bool cold = warmup_left-- > 0;
    device.append(step_us / speed + (cold ? warmup_us : 0));
    if (leak_bytes > 0) Memory::get().allocate(leak_bytes).release_context();
  }
};

} // namespace sim
