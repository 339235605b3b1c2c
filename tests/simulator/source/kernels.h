// How an operator runs on the device: on the CPU, over the device's memory, unless a fault is due.
#pragma once
#include "crossing.h"
#include "distortions.h"
#include "faults.h"
#include "random.h"
#include "watch.h"

#include <ATen/EmptyTensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/autocast_mode.h>
#include <torch/library.h>

#include <set>
#include <span>

namespace sim {

using torch::jit::Stack;

inline Values top(Stack& stack, size_t count) { return Values(stack).last(count); }

inline Values arguments(const c10::OperatorHandle& op, Stack& stack) {
  return top(stack, op.schema().arguments().size());
}

inline Values results(const c10::OperatorHandle& op, Stack& stack) {
  return top(stack, op.schema().returns().size());
}

inline const std::string& plain_name(const c10::OperatorHandle& op) { return op.operator_name().name; }

// Operators that take CPU tensors beside the device's: copies, and indices or lengths that stay on the host.
inline bool takes_host_tensors(const std::string& name) {
  static const std::set<std::string> names{"aten::copy_", "aten::index", "aten::_unsafe_index", "aten::index_put_",
      "aten::_index_put_impl_", "aten::_pack_padded_sequence", "aten::set_", "aten::_foreach_copy_"};
  return names.count(name) > 0;
}

inline Tensors tensors_in(Values values) {
  Tensors found;
  const auto note = [&found](const at::Tensor& tensor) {
    found.push_back(tensor);
    return tensor;
  };
  for (auto value : values) change_tensors(value, note);
  return found;
}

inline bool is_asynchronous(const c10::OperatorHandle& op, Stack& stack) {
  const auto place = op.schema().argumentIndexWithName("non_blocking");
  return place && arguments(op, stack)[*place].isBool() && arguments(op, stack)[*place].toBool();
}

inline Fault* fault_of(const c10::OperatorHandle& op, Stack& stack) {
  if (faults().empty() || !planted(op.operator_name())) return nullptr;
  auto* fault = due(op.operator_name(), tensors_in(arguments(op, stack)), is_asynchronous(op, stack));
  if (fault && disasters().count(fault->kind)) disasters().at(fault->kind)(*fault);
  return fault;
}

// Changes what the kernel is called with; true where it is not called at all, and its results are on the stack.
inline bool distort(const Fault& fault, const c10::OperatorHandle& op, Stack* stack) {
  const at::NoGradGuard no_grad;
  const auto values = arguments(op, *stack);
  if (fault.kind == "leak" || fault.kind == "leak-always") leak(fault, values);
  if (fault.kind == "slow") std::this_thread::sleep_for(std::chrono::milliseconds(300));
  if (fault.kind == "ignores") ignore_argument(fault, op.schema(), values);
  if (distorts_inputs(fault.kind)) {
    for (auto& value : values) {
      change_tensors(value, [&](const at::Tensor& input) { return distorted(fault, input); });
    }
  }
  if (fault.kind != "nothing") return false;
  const auto result = left_alone(op.schema(), values);
  torch::jit::drop(*stack, values.size());
  for (size_t count = 0; count < op.schema().returns().size(); ++count) stack->emplace_back(result);
  return true;
}

inline void lend(c10::IValue& value, Crossing& crossing) {
  if (value.isDevice()) {
    if (value.toDevice().type() == KIND) value = c10::Device(c10::DeviceType::CPU);
  } else if (value.isGenerator()) {
    value = host_of(value.toGenerator());
  } else if (value.isStorage()) {
    value = crossing.lend(value.toStorage());
  } else {
    change_tensors(value, [&](const at::Tensor& tensor) { return crossing.lend(tensor); });
  }
}

// The host cannot know a number or a shape that comes from the device before the device is done.
inline bool host_waits(const c10::OperatorHandle& op, Values values) {
  if (op.hasTag(at::Tag::dynamic_output_shape) || op.hasTag(at::Tag::data_dependent_output)) return true;
  for (const auto& result : values) {
    if (result.isScalar() || (result.isTensor() && result.toTensor().is_cpu())) return true;
  }
  return false;
}

inline void spoil_all(const Fault& fault, Values values) {
  const at::NoGradGuard no_grad;
  if (fault.kind == "through-float32") {
    for (auto& result : values) change_tensors(result, through_float32);
    return;
  }
  if (!spoils(fault.kind)) return;
  for (auto& result : values) {
    change_tensors(result, [&](const at::Tensor& tensor) {
      spoil(fault, tensor);
      return tensor;
    });
  }
}

// One launch, for any operator that has a kernel on the CPU.
inline void launch(const c10::OperatorHandle& op, Stack* stack) {
  Clock::get().device.start();
  const auto* fault = fault_of(op, *stack);
  Crossing crossing(takes_host_tensors(plain_name(op)));
  for (auto& value : arguments(op, *stack)) lend(value, crossing);
  {
    const Inside inside;
    const Drawing drawing(op.hasTag(at::Tag::nondeterministic_seeded));
    const bool left_out = fault && distort(*fault, op, stack);
    if (!left_out) op.redispatchBoxed(c10::DispatchKeySet(DispatchKey::CPU), stack);
    if (fault) spoil_all(*fault, results(op, *stack));
  }
  crossing.settle();
  for (auto& value : results(op, *stack)) {
    change_tensors(value, [&](const at::Tensor& tensor) { return crossing.take(tensor); });
  }
  Clock::get().launch(plain_name(op));
  if (host_waits(op, results(op, *stack))) Clock::get().synchronize();
}

// An operator made of others, with a fault in it: the others run on the device as they would without it.
inline void compose(const c10::OperatorHandle& op, Stack* stack) {
  const auto* fault = fault_of(op, *stack);
  // A back end that is not in this build still has torch's composite kernel in its place of the table.
  if (fault) distort(*fault, op, stack);
  op.redispatchBoxed(c10::DispatchKeySet(DispatchKey::AutogradXLA), stack);
  if (!fault || !spoils(fault->kind)) return;
  const at::AutoDispatchBelowADInplaceOrView below_autograd;
  Crossing crossing(true);
  const auto composed = results(op, *stack);
  Stack lent(composed.begin(), composed.end());
  for (auto& value : lent) sim::lend(value, crossing);
  const Inside inside;
  spoil_all(*fault, lent);
}

// Mixed precision: matrix work in the lower type, sums and losses in float32, as other accelerators do.
template <bool lower>
void cast(const c10::OperatorHandle& op, Stack* stack) {
  const c10::impl::ExcludeDispatchKeyGuard once(AUTOCAST_KEY);
  const auto low = at::autocast::get_autocast_dtype(KIND);
  for (auto& value : arguments(op, *stack)) {
    change_tensors(value, [&](const at::Tensor& tensor) {
      const bool eligible = tensor.defined() && is_ours(tensor) && tensor.is_floating_point();
      if (!eligible || tensor.scalar_type() == at::kDouble) return tensor;
      return at::autocast::cached_cast(lower ? low : at::kFloat, tensor, KIND);
    });
  }
  op.callBoxed(stack);
}

inline at::Tensor empty(at::IntArrayRef size, std::optional<at::ScalarType> type, std::optional<at::Layout> layout,
    std::optional<at::Device>, std::optional<bool>, std::optional<at::MemoryFormat> format) {
  TORCH_CHECK_NOT_IMPLEMENTED(layout.value_or(at::kStrided) == at::kStrided, PLACE, " is strided only");
  refuse_float64(c10::dtype_or_default(type));
  return at::Tensor(at::detail::empty_generic(size, &Memory::get(), c10::DispatchKeySet(KEY),
      c10::dtype_or_default(type), format));
}

inline at::Tensor empty_strided(at::IntArrayRef size, at::IntArrayRef stride, std::optional<at::ScalarType> type,
    std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>) {
  refuse_float64(c10::dtype_or_default(type));
  return at::Tensor(at::detail::empty_strided_generic(size, stride, &Memory::get(),
      c10::DispatchKeySet(KEY), c10::dtype_or_default(type)));
}

// The CPU's choice, a fused kernel, exists on the CPU alone: 0 asks for plain matrix products and a softmax.
inline int64_t attention_choice(const at::Tensor&, const at::Tensor&, const at::Tensor&,
    const std::optional<at::Tensor>&, double, bool, std::optional<double>, bool) {
  return 0;
}

} // namespace sim
