// A simulated accelerator for PyTorch: see README.md. This file tells torch of it.
#include "cells.h"
#include "device.h"
#include "kernels.h"

namespace sim {

using torch::CppFunction;

// Operators that torch would build of others, and that accelerators have kernels for.
bool has_own_kernel(const c10::OperatorHandle& op) {
  static const std::set<std::string> names{"aten::copy_", "aten::convolution", "aten::convolution_backward"};
  const auto& name = plain_name(op);
  // torch would allocate the result of a structured operator and launch its out= form.
  const bool structured = op.hasKernelForDispatchKey(DispatchKey::CompositeExplicitAutogradNonFunctional) &&
      op.hasKernelForDispatchKey(DispatchKey::CPU);
  return structured || names.count(name) > 0 || name.rfind("aten::_foreach_", 0) == 0;
}

bool made_of_others(const c10::OperatorHandle& op) {
  return op.hasKernelForDispatchKey(DispatchKey::CompositeImplicitAutograd) &&
      !op.hasKernelForDispatchKey(DispatchKey::CPU);
}

void implement(torch::Library& library, const c10::OperatorHandle& op) {
  const auto name = c10::toString(op.operator_name());
  if (!made_of_others(op)) {
    library.impl(name.c_str(), torch::dispatch(DispatchKey::PrivateUse1, CppFunction::makeFromBoxedFunction<&launch>()));
    return;
  }
  // Above autograd, so that the gradient is still that of the parts; below it for callers that are there already.
  for (const auto key : {DispatchKey::AutogradPrivateUse1, DispatchKey::PrivateUse1}) {
    library.impl(name.c_str(), torch::dispatch(key, CppFunction::makeFromBoxedFunction<&compose>()));
  }
}

void check_planted(const std::vector<c10::OperatorName>& names) {
  std::set<std::string> known;
  for (const auto& name : names) known.insert({name.name, c10::toString(name)});
  for (const auto& [op, planted_there] : faults()) {
    TORCH_CHECK(known.count(op), "SIM_FAULTS: torch has no operator ", op);
  }
}

} // namespace sim

using namespace sim;

REGISTER_ALLOCATOR(c10::DeviceType::PrivateUse1, &Memory::get())
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard)

TORCH_LIBRARY_IMPL(_, PrivateUse1, m) { m.fallback(CppFunction::makeFromBoxedFunction<&launch>()); }

TORCH_LIBRARY_IMPL(_, AutocastPrivateUse1, m) { m.fallback(CppFunction::makeFallthrough()); }

TORCH_LIBRARY_IMPL(aten, CPU, m) {
  m.impl("_thnn_fused_lstm_cell", &lstm_cell);
  m.impl("_thnn_fused_lstm_cell_backward_impl", &lstm_cell_backward);
  m.impl("_thnn_fused_gru_cell", &gru_cell);
  m.impl("_thnn_fused_gru_cell_backward", &gru_cell_backward);
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("empty.memory_format", &sim::empty);
  m.impl("empty_strided", &sim::empty_strided);
  m.impl("_fused_sdp_choice", &attention_choice);
}

TORCH_LIBRARY_IMPL(aten, AutocastPrivateUse1, m) {
  for (const auto* name : {"conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d.input",
           "conv_transpose3d.input", "convolution", "linear", "matmul", "mm", "bmm", "addmm", "baddbmm", "einsum",
           "scaled_dot_product_attention", "_thnn_fused_lstm_cell", "_thnn_fused_gru_cell"}) {
    m.impl(name, CppFunction::makeFromBoxedFunction<&cast<true>>());
  }
  for (const auto* name : {"exp", "log", "layer_norm", "group_norm", "mse_loss", "l1_loss", "smooth_l1_loss",
           "huber_loss", "nll_loss", "nll_loss_nd", "cross_entropy_loss", "binary_cross_entropy_with_logits", "softmax.int",
           "log_softmax.int", "sum", "sum.dim_IntList", "prod", "cumsum", "cumprod"}) {
    m.impl(name, CppFunction::makeFromBoxedFunction<&cast<false>>());
  }
}

TORCH_LIBRARY(sim, m) {
  // The rest needs the others registered; the loader calls it once.
  m.def("begin() -> ()", [] {
    auto& dispatcher = c10::Dispatcher::singleton();
    const auto names = dispatcher.getAllOpNames();
    check_planted(names);
    static auto* library = new torch::Library(torch::Library::IMPL, "aten", std::nullopt, __FILE__, __LINE__);
    for (const auto& name : names) {
      const auto op = dispatcher.findSchema(name);
      if (!op || name.name.rfind("aten::", 0) != 0 || op->hasKernelForDispatchKey(DispatchKey::PrivateUse1)) continue;
      if (has_own_kernel(*op) || planted(name)) implement(*library, *op);
    }
    at::RegisterPrivateUse1HooksInterface(new Hooks());
    if (number("SIM_PLAIN_ALLOCATOR", 0) != 0) c10::SetAllocator(KIND, &PlainMemory::get(), 200);
    watch();
  });
  // In place of what was planted; operators that are made of others take faults only where they had one from the start.
  m.def("plant(str faults) -> ()", [](const std::string& entries) { faults() = parse_faults(entries); });
  m.def("synchronize() -> ()", [] { Clock::get().synchronize(); });
  m.def("manual_seed(int seed) -> ()", [](int64_t seed) { default_generator().set_current_seed(seed); });
  m.def("get_rng_state() -> Tensor", [] { return default_generator().get_state(); });
  m.def("set_rng_state(Tensor state) -> ()", [](const at::Tensor& state) { default_generator().set_state(state); });
}
