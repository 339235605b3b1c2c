// A stand-in for MPS in a Linux build of torch: see README.md. Kernels, memory, clock and faults are the simulated
// accelerator's; this file is what MPS does differently from a back end out of tree.
#include "allocator.h"
#include "fallbacks.h"
#include "own_kernels.h"

#include "../../simulator/source/guard.h"

#include <ATen/detail/MPSHooksInterface.h>

#include <mutex>

namespace sim {

using torch::CppFunction;

// As `26.4` compares with major and minor.
bool macos_is_at_least(unsigned major, unsigned minor) {
  auto numbers = split(text("MAC_MACOS"), '.');
  numbers.resize(2, "0");
  const auto there = std::make_pair(std::stoul(numbers[0]), std::stoul(numbers[1]));
  return there >= std::make_pair<unsigned long, unsigned long>(major, minor);
}

struct Hooks : at::MPSHooksInterface {
  void init() const override {}
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return hasMPS(); }
  bool hasMPS() const override { return number("MAC_AVAILABLE", 1) != 0; }
  bool isOnMacOSorNewer(unsigned major, unsigned minor) const override { return macos_is_at_least(major, minor); }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return hasMPS() ? 1 : 0; }
  c10::DeviceIndex getCurrentDevice() const override { return 0; }
  void setCurrentDevice(c10::DeviceIndex) const override {}
  c10::DeviceIndex exchangeDevice(c10::DeviceIndex) const override { return 0; }
  c10::DeviceIndex maybeExchangeDevice(c10::DeviceIndex) const override { return 0; }
  c10::Device getDeviceFromPtr(void*) const override { return device(); }
  c10::Allocator* getPinnedMemoryAllocator() const override { return c10::GetAllocator(c10::DeviceType::CPU); }
  c10::Allocator* getMPSDeviceAllocator() const override { return &Memory::get(); }
  const at::Generator& getDefaultGenerator(c10::DeviceIndex) const override { return default_generator(); }
  at::Generator getNewGenerator(c10::DeviceIndex) const override { return make_generator(); }
  void deviceSynchronize() const override {
    awake = true;
    Clock::get().synchronize();
  }
  void commitStream() const override {}
  void emptyCache() const override { wake(); }
  size_t getCurrentAllocatedMemory() const override {
    wake();
    return static_cast<size_t>(Memory::get().used.current);
  }
  size_t getDriverAllocatedMemory() const override {
    wake();
    return driver_bytes();
  }
  size_t getRecommendedMaxMemory() const override {
    wake();
    return Memory::get().limit * 10 / 17;
  }
  void setMemoryFraction(double) const override { wake(); }
};

// The first call with a new operator, dtypes and sizes pays for a compiled graph; strides are not in its key.
void pay_for_compiling(const c10::OperatorHandle& op, Stack& stack) {
  static const double ms = number("MAC_COMPILE_MS", 0);
  static const double first_ms = number("MAC_FIRST_MS", 0);
  if (ms <= 0 && first_ms <= 0) return;
  static std::mutex mutex;
  static std::set<std::string> compiled;
  std::string key = c10::toString(op.operator_name());
  for (const auto& tensor : tensors_in(arguments(op, stack))) {
    if (!tensor.defined()) continue;
    key += ':' + std::to_string(static_cast<int>(tensor.scalar_type()));
    for (const auto size : tensor.sizes()) key += ',' + std::to_string(size);
  }
  bool first = false;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    first = compiled.empty();
    if (!compiled.insert(key).second) return;
  }
  std::this_thread::sleep_for(microseconds(1e3 * (ms + (first ? first_ms : 0))));
}

size_t bytes_of(at::IntArrayRef size, std::optional<at::ScalarType> type) {
  return static_cast<size_t>(c10::multiply_integers(size)) * c10::elementSize(c10::dtype_or_default(type));
}

at::Tensor empty_checked(at::IntArrayRef size, std::optional<at::ScalarType> type, std::optional<at::Layout> layout,
    std::optional<at::Device> where, std::optional<bool> pinned, std::optional<at::MemoryFormat> format) {
  wake();
  check_allocations(bytes_of(size, type));
  return sim::empty(size, type, layout, where, pinned, format);
}

at::Tensor empty_strided_checked(at::IntArrayRef size, at::IntArrayRef stride, std::optional<at::ScalarType> type,
    std::optional<at::Layout> layout, std::optional<at::Device> where, std::optional<bool> pinned) {
  wake();
  check_allocations(bytes_of(size, type));
  return sim::empty_strided(size, stride, type, layout, where, pinned);
}

void kernel(const c10::OperatorHandle& op, Stack* stack) {
  pay_for_compiling(op, *stack);
  launch(op, stack);
}

at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool) { return const_cast<at::Tensor&>(to).copy_(from); }

at::Tensor copy_from_and_resize(const at::Tensor& from, const at::Tensor& to) {
  auto& target = const_cast<at::Tensor&>(to);
  if (target.sizes() != from.sizes()) target.resize_(from.sizes());
  return target.copy_(from);
}

// Made of others elsewhere, kernels of their own on a Mac.
bool chosen_in_a_mac_build(const std::string& name) {
  static const std::set<std::string> names{"aten::copy_", "aten::convolution", "aten::convolution_backward"};
  return names.count(name) > 0;
}

// Anything but exactly 0 since torch 2.8; before, whatever std::stoi makes of it, which ends the program where that is
// nothing.
bool cpu_steps_in(bool parsed) {
  const char* value = std::getenv("PYTORCH_ENABLE_MPS_FALLBACK");
  if (!value) return false;
  if (!parsed) return std::string(value) != "0";
  try {
    return std::stoi(value) != 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "libc++abi: terminating due to uncaught exception of type std::invalid_argument: stoi: no conversion\n");
    std::abort();
  }
}

void begin(const std::vector<std::string>& supported, const std::vector<std::string>& always, bool parsed) {
  auto& dispatcher = c10::Dispatcher::singleton();
  static auto* all = new torch::Library(torch::Library::IMPL, "_", KEY, __FILE__, __LINE__);
  const bool steps_in = cpu_steps_in(parsed);
  all->fallback(steps_in ? CppFunction::makeFromBoxedFunction<&fall_back>() : CppFunction::makeFromBoxedFunction<&refuse>());
  if (steps_in) fallbacks();
  static auto* library = new torch::Library(torch::Library::IMPL, "aten", KEY, __FILE__, __LINE__);
  const std::set<std::string> here(supported.begin(), supported.end()), elsewhere(always.begin(), always.end());
  for (const auto& name : dispatcher.getAllOpNames()) {
    const auto op = dispatcher.findSchema(name);
    const auto full = c10::toString(name);
    if (!op || name.name.rfind("aten::", 0) != 0 || op->hasKernelForDispatchKey(KEY)) continue;
    if (elsewhere.count(full)) {
      library->impl(full.c_str(), CppFunction::makeFromBoxedFunction<&fall_back>());
    } else if (chosen_in_a_mac_build(name.name) || (here.count(full) && op->hasComputedKernelForDispatchKey(DispatchKey::CPU))) {
      library->impl(full.c_str(), CppFunction::makeFromBoxedFunction<&kernel>());
    }
  }
  watch();
}

} // namespace sim

using namespace sim;

C10_REGISTER_GUARD_IMPL(MPS, Guard)
namespace at {
using MPSHooks = ::sim::Hooks;
C10_REGISTER_CLASS(MPSHooksRegistry, MPSHooks, MPSHooks)
} // namespace at

TORCH_LIBRARY_IMPL(aten, MPS, m) {
  m.impl("empty.memory_format", &empty_checked);
  m.impl("empty_strided", &empty_strided_checked);
  m.impl("_copy_from", &copy_from);
  m.impl("_copy_from_and_resize", &copy_from_and_resize);
  m.impl("scaled_dot_product_attention", &sim::attention);
  m.impl("_efficientzerotensor", &efficient_zeros);
  m.impl("linear_backward", &sim::linear_backward);
  m.impl("max_pool2d_backward", &sim::max_pool2d_backward);
}

TORCH_LIBRARY_IMPL(aten, AutogradMPS, m) {
  m.impl("scaled_dot_product_attention", &sim::attention);
  m.impl("rms_norm", &sim::rms_norm);
}

TORCH_LIBRARY(mac, m) {
  m.def("begin(str[] supported, str[] always, bool plain_allocator, bool parsed_fallback, bool plain_softmax) -> ()",
      [](std::vector<std::string> supported, std::vector<std::string> always, bool plain, bool parsed, bool softmax) {
        plain_softmax = softmax;
        c10::SetAllocator(KIND, plain ? static_cast<c10::Allocator*>(&PlainMemory::get()) : &Memory::get(), 200);
        begin(supported, always, parsed);
      });
  m.def("awake() -> bool", [] { return awake.load(); });
}
