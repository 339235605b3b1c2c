// Kernels that torch has for MPS alone, or chooses within #ifdef USE_MPS, made of others here.
#pragma once
#include "../../simulator/source/kernels.h"

#include <ATen/ops/_scaled_dot_product_attention_math.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/logical_not.h>
#include <ATen/ops/max_pool2d_with_indices.h>
#include <ATen/ops/max_pool2d_with_indices_backward.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros_like.h>

namespace sim {

// Zeros without memory.
struct Nothing final : c10::Allocator {
  c10::DataPtr allocate(size_t) override { return {nullptr, device()}; }
  void copy_data(void*, const void*, size_t) const override {}
};

inline at::Tensor efficient_zeros(at::IntArrayRef size, std::optional<at::ScalarType> type, std::optional<at::Layout>,
    std::optional<at::Device>, std::optional<bool>) {
  static auto* nothing = new Nothing();
  const auto keys = c10::DispatchKeySet(KEY) | c10::DispatchKeySet(DispatchKey::ZeroTensor);
  return at::Tensor(at::detail::empty_generic(size, nothing, keys, c10::dtype_or_default(type), std::nullopt));
}

// Backward operators that MPS alone has kernels for.
inline std::tuple<at::Tensor, at::Tensor, at::Tensor> linear_backward(
    const at::Tensor& input, const at::Tensor& gradient, const at::Tensor& weight, std::array<bool, 3> wanted) {
  const auto rows = gradient.reshape({-1, gradient.size(-1)});
  return {wanted[0] ? rows.mm(weight).view(input.sizes()) : at::Tensor(),
      wanted[1] ? rows.t().mm(input.reshape({-1, input.size(-1)})) : at::Tensor(),
      wanted[2] ? rows.sum(0) : at::Tensor()};
}

inline at::Tensor max_pool2d_backward(const at::Tensor& gradient, const at::Tensor& input, at::IntArrayRef size,
    at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation, bool ceil) {
  const auto places = std::get<1>(at::max_pool2d_with_indices(input, size, stride, padding, dilation, ceil));
  return at::max_pool2d_with_indices_backward(gradient, input, size, stride, padding, dilation, ceil, places);
}

// Before torch 2.5 attention was made of fewer parts: what _safe_softmax needs had no kernel for MPS yet.
inline bool plain_softmax = false;

inline at::Tensor plain_attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
    const std::optional<at::Tensor>& mask, double dropout, bool causal, std::optional<double> scale) {
  auto scores = query.mul(scale.value_or(1 / std::sqrt(static_cast<double>(query.size(-1))))).matmul(key.transpose(-2, -1));
  if (causal) {
    const auto seen = at::ones({query.size(-2), key.size(-2)}, query.options().dtype(at::kBool)).tril();
    scores = scores.masked_fill(at::logical_not(seen), -std::numeric_limits<double>::infinity());
  }
  if (mask && mask->defined()) {
    scores = mask->scalar_type() == at::kBool
        ? scores.masked_fill(at::logical_not(*mask), -std::numeric_limits<double>::infinity())
        : scores.add(*mask);
  }
  return at::dropout(scores.softmax(-1), dropout, true).matmul(value);
}

// What training comes down to on a Mac; there it is chosen by a stub that this build lacks for MPS.
inline at::Tensor attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
    const std::optional<at::Tensor>& mask, double dropout, bool causal, std::optional<double> scale, bool grouped) {
  if (plain_softmax) return plain_attention(query, key, value, mask, dropout, causal, scale);
  auto added = mask;
  if (mask && mask->defined() && mask->scalar_type() == at::kBool) {
    added = at::zeros_like(*mask, query.scalar_type())
        .masked_fill_(at::logical_not(*mask), -std::numeric_limits<double>::infinity());
  }
  return std::get<0>(at::_scaled_dot_product_attention_math(
      query, key, value, added, dropout, causal, std::nullopt, scale, grouped));
}

// Of parts where gradients are wanted, as torch has it within #ifdef USE_MPS; the fused one has no backward here.
inline at::Tensor rms_norm(const at::Tensor& input, at::IntArrayRef shape, const std::optional<at::Tensor>& weight,
    std::optional<double> eps) {
  std::vector<int64_t> dims;
  for (size_t back = 1; back <= shape.size(); ++back) dims.push_back(-static_cast<int64_t>(back));
  const auto wide = input.scalar_type() == at::kFloat ? input : input.to(at::kFloat);
  const auto scale = wide.pow(2).mean(dims, true).add(eps.value_or(std::numeric_limits<float>::epsilon())).rsqrt();
  const auto result = wide.mul(scale).type_as(input);
  return weight && weight->defined() ? result.mul(*weight) : result;
}

} // namespace sim
