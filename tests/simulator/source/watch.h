// Watches torch's operators where the clock needs to know of them: training steps, and work in floating-point
// operations. Both are told the same way on the CPU and on the device, so that their prices have an exact ratio.
#pragma once
#include "clock.h"

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <ATen/record_function.h>

#include <cstring>
#include <string_view>
#include <unordered_map>

namespace sim {

// Nested operators were paid for by the outermost one, and kernels that run on behalf of the device by the device.
inline thread_local int depth = 0;

struct Inside {
  Inside() { ++depth; }
  ~Inside() { --depth; }
};

using Inputs = c10::ArrayRef<const c10::IValue>;

inline double elements(Inputs inputs, size_t index) {
  return static_cast<double>(inputs[index].toTensor().numel());
}

inline double extent(Inputs inputs, size_t index, int64_t dimension) {
  return static_cast<double>(inputs[index].toTensor().size(dimension));
}

inline double positions(const at::Tensor& image) {
  return image.size(1) == 0 ? 0 : static_cast<double>(image.numel()) / static_cast<double>(image.size(1));
}

// Every weight meets every position of the output, or of the input where the convolution is transposed.
inline double convolution_backward(Inputs in) {
  const auto mask = in[10].toBoolList();
  const double passes = (mask[0] ? 1 : 0) + (mask[1] ? 1 : 0);
  return 2 * passes * elements(in, 2) * positions(in[in[7].toBool() ? 1 : 0].toTensor());
}

inline double recurrent(Inputs in) {
  return 2 * extent(in, 0, 0) * extent(in, 0, 1) * (elements(in, 1) + elements(in, 2));
}

using Formula = double (*)(Inputs);

// The operators that dominate training; all others are free. The CPU's fused backward passes count as what
// the plain operators would do, without recomputation.
inline const std::unordered_map<std::string_view, Formula>& formulas() {
  static const std::unordered_map<std::string_view, Formula> table{
      {"aten::mm", [](Inputs in) { return 2 * elements(in, 0) * extent(in, 1, 1); }},
      {"aten::addmm", [](Inputs in) { return 2 * elements(in, 1) * extent(in, 2, 1); }},
      {"aten::bmm", [](Inputs in) { return 2 * elements(in, 0) * extent(in, 1, 2); }},
      {"aten::baddbmm", [](Inputs in) { return 2 * elements(in, 1) * extent(in, 2, 2); }},
      {"aten::convolution", [](Inputs) { return 0.0; }},
      {"aten::convolution_backward", &convolution_backward},
      {"aten::scaled_dot_product_attention",
       [](Inputs in) { return 4 * elements(in, 0) * extent(in, 1, -2); }},
      {"aten::_scaled_dot_product_flash_attention_for_cpu_backward",
       [](Inputs in) { return 8 * elements(in, 1) * extent(in, 2, -2); }},
      {"aten::mkldnn_rnn_layer", &recurrent},
      {"aten::mkldnn_rnn_layer_backward", [](Inputs in) { return 2 * recurrent(in); }},
  };
  return table;
}

struct Work final : at::ObserverContext {
  double flops = 0;
  double per_output_position = 0;
  bool on_device = false;
};

// A convolution that the CPU of a Mac gives to NNPACK unless told not to, as in torch's Convolution.cpp.
inline bool goes_to_nnpack(const char* name, Inputs inputs) {
  const bool backward = std::strcmp(name, "aten::convolution_backward") == 0;
  if (!backward && std::strcmp(name, "aten::convolution") != 0) return false;
  const auto& images = inputs[backward ? 1 : 0].toTensor();
  return at::globalContext().userEnabledNNPACK() && images.is_cpu() && images.scalar_type() == at::kFloat &&
      images.dim() == 4 && images.size(0) >= 16;
}

// The size of a convolution's output is known only once it has run.
inline void weigh(Work& work, const at::RecordFunction& function, Formula formula) {
  const auto inputs = function.inputs();
  work.on_device = inputs[0].toTensor().device().type() == KIND;
  const double times = goes_to_nnpack(function.name(), inputs) ? Clock::get().nnpack_times : 1;
  work.flops = times * formula(inputs);
  if (std::strcmp(function.name(), "aten::convolution") != 0) return;
  const double once = times * 2 * elements(inputs, 1);
  if (inputs[6].toBool()) work.flops = once * positions(inputs[0].toTensor());
  else work.per_output_position = once;
}

inline std::unique_ptr<at::ObserverContext> operator_begins(const at::RecordFunction& function) {
  Clock::get().host.start();
  if (depth > 0 || Clock::get().flops_per_us <= 0) return nullptr;
  const auto formula = formulas().find(function.name());
  if (formula == formulas().end()) return nullptr;
  auto work = std::make_unique<Work>();
  weigh(*work, function, formula->second);
  ++depth;
  return work;
}

inline void operator_ends(const at::RecordFunction& function, at::ObserverContext* context) {
  Clock::get().host.start();
  if (Clock::get().step_ends_with == function.name()) Clock::get().step();
  auto* work = static_cast<Work*>(context);
  if (!work) return;
  --depth;
  if (work->per_output_position > 0 && !function.outputs().empty()) {
    work->flops = work->per_output_position * positions(function.outputs()[0].toTensor());
  }
  Clock::get().compute(work->flops, work->on_device);
}

// Every optimizer of torch names its step so, for its profiler; with others' optimizers an operator of each step is named.
inline void range_ends(const at::RecordFunction& function, at::ObserverContext*) {
  if (!Clock::get().step_ends_with.empty()) return;
  if (std::strncmp(function.name(), "Optimizer.step#", 15) == 0) Clock::get().step();
}

inline void watch() {
  const auto& clock = Clock::get();
  const bool steps = clock.step_us > 0 || clock.flops_per_us > 0;
  if (steps || clock.leak_bytes > 0 || clock.warmup_left > 0) {
    at::addGlobalCallback(
        at::RecordFunctionCallback([](const at::RecordFunction&) -> std::unique_ptr<at::ObserverContext> {
          return nullptr;
        }, &range_ends).scopes({at::RecordScope::USER_SCOPE}));
  }
  if (steps) {
    at::addGlobalCallback(at::RecordFunctionCallback(&operator_begins, &operator_ends)
        .needsInputs(clock.flops_per_us > 0).needsOutputs(clock.flops_per_us > 0)
        .scopes({at::RecordScope::FUNCTION}));
  }
}

} // namespace sim
