// The device's random numbers: a stream of its own, drawn by the CPU's kernels.
#pragma once
#include "memory.h"

#include <ATen/CPUGeneratorImpl.h>

namespace sim {

struct Random final : c10::GeneratorImpl {
  at::Generator host;

  explicit Random(at::Generator numbers)
      : c10::GeneratorImpl(sim::device(), c10::DispatchKeySet(KEY)), host(std::move(numbers)) {}

  void set_current_seed(uint64_t seed) override { host.set_current_seed(seed); }
  void set_offset(uint64_t offset) override { host.set_offset(offset); }
  uint64_t get_offset() const override { return host.get_offset(); }
  uint64_t current_seed() const override { return host.current_seed(); }
  uint64_t seed() override { return host.seed(); }
  void set_state(const c10::TensorImpl& state) override { host.unsafeGetGeneratorImpl()->set_state(state); }
  c10::intrusive_ptr<c10::TensorImpl> get_state() const override {
    return host.unsafeGetGeneratorImpl()->get_state();
  }
  Random* clone_impl() const override { return new Random(host.clone()); }
};

inline at::Generator make_generator() { return at::make_generator<Random>(at::detail::createCPUGenerator()); }

inline at::Generator& default_generator() {
  static auto* generator = new at::Generator(make_generator());
  return *generator;
}

inline at::Generator host_of(const at::Generator& generator) {
  return generator.device() == device() ? static_cast<Random*>(generator.unsafeGetGeneratorImpl())->host : generator;
}

// Some CPU kernels take no generator and draw from the CPU's default one: for a while it holds the device's state.
class Drawing {
 public:
  explicit Drawing(bool draws) : draws_(draws) { exchange(); }
  ~Drawing() { exchange(); }

 private:
  bool draws_;

  void exchange() {
    if (!draws_) return;
    auto* cpu = at::check_generator<at::CPUGeneratorImpl>(at::detail::getDefaultCPUGenerator());
    auto* ours = at::check_generator<at::CPUGeneratorImpl>(host_of(default_generator()));
    const auto engine = cpu->engine();
    const auto normal = cpu->next_float_normal_sample();
    const auto normal_double = cpu->next_double_normal_sample();
    cpu->set_engine(ours->engine());
    cpu->set_next_float_normal_sample(ours->next_float_normal_sample());
    cpu->set_next_double_normal_sample(ours->next_double_normal_sample());
    ours->set_engine(engine);
    ours->set_next_float_normal_sample(normal);
    ours->set_next_double_normal_sample(normal_double);
  }
};

} // namespace sim
