// Faults of kernels that compute something else than they should: what they read, what they ignore, what they keep.
#pragma once
#include "faults.h"

#include <ATen/Functions.h>
#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>

#include <cstdlib>
#include <cstring>
#include <set>
#include <span>
#include <string>

namespace sim {

using Values = std::span<c10::IValue>;

// A view as its storage lies, from where it begins.
inline at::Tensor read_densely(const at::Tensor& view) {
  if (!view.defined() || view.is_contiguous() || view.numel() == 0) return view;
  std::vector<int64_t> strides(view.dim());
  int64_t step = 1;
  for (int64_t axis = view.dim() - 1; axis >= 0; --axis) {
    strides[axis] = step;
    step *= view.size(axis);
  }
  const auto held = static_cast<int64_t>(view.storage().nbytes() / view.element_size());
  if (view.storage_offset() + view.numel() <= held) return view.as_strided(view.sizes(), strides, view.storage_offset());
  // What lies behind the storage reads as zeros.
  auto flat = at::zeros({view.numel()}, view.options());
  const auto rest = std::max<int64_t>(held - view.storage_offset(), 0);
  if (rest > 0) flat.narrow(0, 0, rest).copy_(view.as_strided({rest}, {1}, view.storage_offset()));
  return flat.view(view.sizes());
}

inline at::Tensor read_from_start(const at::Tensor& view) {
  if (!view.defined() || view.storage_offset() == 0) return view;
  return view.as_strided(view.sizes(), view.strides(), 0);
}

inline at::Tensor without_nan(const at::Tensor& value) {
  return value.defined() && value.is_floating_point() ? value.nan_to_num(-1e30) : value;
}

inline bool counts(const at::Tensor& value) {
  return value.defined() && !value.is_floating_point() && !value.is_complex() && value.scalar_type() != at::kBool;
}

inline at::Tensor through_float32(const at::Tensor& value) {
  return counts(value) ? value.to(at::kFloat).to(value.scalar_type()) : value;
}

inline bool distorts_inputs(const std::string& kind) {
  static const std::set<std::string> kinds{"ignores-strides", "ignores-offset", "drops-nan", "through-float32"};
  return kinds.count(kind) > 0;
}

inline at::Tensor distorted(const Fault& fault, const at::Tensor& input) {
  if (fault.kind == "ignores-strides") return read_densely(input);
  if (fault.kind == "ignores-offset") return read_from_start(input);
  if (fault.kind == "drops-nan") return without_nan(input);
  return through_float32(input);
}

// As though nothing had been given for an argument.
inline c10::IValue as_not_given(const c10::IValue& value, const c10::Argument& argument) {
  if (value.isBool()) return false;
  if (value.isInt()) return int64_t(-1);
  if (argument.type()->kind() == c10::TypeKind::OptionalType) return c10::IValue();
  if (value.isTensor()) return at::zeros_like(value.toTensor());
  return value;
}

inline void ignore_argument(const Fault& fault, const c10::FunctionSchema& schema, Values values) {
  for (size_t place = 0; place < values.size(); ++place) {
    const auto& argument = schema.arguments()[place];
    if (argument.name() == fault.condition) values[place] = as_not_given(values[place], argument);
  }
}

// What the operator would have written to, or else its first tensor.
inline at::Tensor left_alone(const c10::FunctionSchema& schema, Values values) {
  at::Tensor first;
  for (size_t place = 0; place < values.size(); ++place) {
    if (!values[place].isTensor() || !values[place].toTensor().defined()) continue;
    const auto* alias = schema.arguments()[place].alias_info();
    if (alias && alias->isWrite()) return values[place].toTensor();
    if (!first.defined()) first = values[place].toTensor();
  }
  return first.clone();
}

// Memory that is never given back: a block for each new set of sizes and numbers, or a little at every call.
inline void leak(const Fault& fault, Values values) {
  constexpr size_t FOR_A_SHAPE = 512 << 10, FOR_A_CALL = 4 << 10;
  static std::set<std::string> seen;
  auto bytes = FOR_A_CALL;
  if (fault.kind == "leak") {
    std::ostringstream key;
    key << fault.op;
    for (const auto& value : values) {
      if (value.isTensor() && value.toTensor().defined()) key << value.toTensor().sizes();
      if (value.isDouble() || value.isInt() || value.isScalar()) key << value;
      key << ';';
    }
    if (!seen.insert(key.str()).second) return;
    bytes = FOR_A_SHAPE;
  }
  // Kept, or the compiler leaves out memory that nobody reads.
  static std::vector<void*> kept;
  kept.push_back(std::malloc(bytes));
  std::memset(kept.back(), 1, bytes);
}

} // namespace sim
