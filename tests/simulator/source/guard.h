// The part of a device that torch asks the same of every back end: one device, one stream, events.
#pragma once
#include "clock.h"

#include <c10/core/impl/DeviceGuardImplInterface.h>

namespace sim {

struct Guard final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return KIND; }
  c10::Device exchangeDevice(c10::Device) const override { return device(); }
  c10::Device getDevice() const override { return device(); }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::Stream getStream(c10::Device) const override { return c10::Stream(c10::Stream::DEFAULT, device()); }
  c10::Stream getDefaultStream(c10::Device) const override { return getStream(device()); }
  c10::Stream getNewStream(c10::Device, int) const override { return getStream(device()); }
  c10::Stream getStreamFromGlobalPool(c10::Device, bool) const override { return getStream(device()); }
  c10::Stream exchangeStream(c10::Stream) const override { return getStream(device()); }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }

  c10::DeviceCapability getDeviceCapability(c10::Device) const override { return {}; }

  // An event is the moment at which the work before it will be done.
  void record(void** event, const c10::Stream&, c10::DeviceIndex, c10::EventFlag) const override {
    if (!*event) *event = new Moment();
    Clock::get().device.start();
    *static_cast<Moment*>(*event) = std::max(Clock::get().device.free(), std::chrono::steady_clock::now());
  }
  void block(void*, const c10::Stream&) const override {}
  bool queryEvent(void* event) const override {
    return !event || *static_cast<Moment*>(event) <= std::chrono::steady_clock::now();
  }
  void synchronizeEvent(void* event) const override {
    if (event) wait_until(*static_cast<Moment*>(event));
  }
  void destroyEvent(void* event, c10::DeviceIndex) const noexcept override { delete static_cast<Moment*>(event); }
  double elapsedTime(void* first, void* second, c10::DeviceIndex) const override {
    const auto elapsed = *static_cast<Moment*>(second) - *static_cast<Moment*>(first);
    return std::chrono::duration<double, std::milli>(elapsed).count();
  }

  bool queryStream(const c10::Stream&) const override {
    return Clock::get().device.free() <= std::chrono::steady_clock::now();
  }
  void synchronizeStream(const c10::Stream&) const override { Clock::get().synchronize(); }
  void synchronizeDevice(c10::DeviceIndex) const override { Clock::get().synchronize(); }
};

} // namespace sim
