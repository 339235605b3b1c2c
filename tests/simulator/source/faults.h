// Faults planted by operator: OP[@backward]=KIND[:CONDITION][@K], separated by commas; README.md lists them.
#pragma once
#include "identity.h"
#include "settings.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/all.h>
#include <ATen/ops/isfinite.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/ScalarType.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <thread>
#include <unistd.h>
#include <unordered_map>

// Of torch and Python, declared here to spare the build their headers.
namespace torch::autograd {
TORCH_API int get_current_graph_task_id();
}
extern "C" int PyGILState_Ensure();

namespace sim {

using Tensors = std::vector<at::Tensor>;

struct Fault {
  std::string op;
  std::string kind;
  std::string condition;
  bool backward = false;
  int64_t from = 1;
  std::atomic<int64_t> calls{0};
};

[[noreturn]] inline void sleep_for_ever() {
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

[[noreturn]] inline void crash(const Fault& fault, int signal) {
  std::fprintf(stderr, "simulator.cpp: failed assertion `kernel of %s'\n", fault.op.c_str());
  std::fflush(stderr);
  std::raise(signal);
  _exit(128 + signal);
}

// What happens instead of the kernel.
inline const std::map<std::string, std::function<void(const Fault&)>>& disasters() {
  static const std::map<std::string, std::function<void(const Fault&)>> table{
      {"unimplemented", [](const Fault& fault) {
         TORCH_CHECK_NOT_IMPLEMENTED(false, "Could not run '", fault.op,
             "' with arguments from the '", KEY, "' backend: the device has no kernel for it.");
       }},
      {"dtype", [](const Fault& fault) {
         TORCH_CHECK_NOT_IMPLEMENTED(false, "\"", fault.op, "\" not implemented for '",
             fault.condition.empty() ? "this dtype" : fault.condition, "'");
       }},
      {"error", [](const Fault& fault) { TORCH_CHECK(false, "sim: internal error in the kernel of ", fault.op); }},
      {"oom", [](const Fault& fault) {
         TORCH_CHECK_WITH(OutOfMemoryError, false, "sim backend out of memory in ", fault.op);
       }},
      {"abort", [](const Fault& fault) { crash(fault, SIGABRT); }},
      {"segfault", [](const Fault& fault) { crash(fault, SIGSEGV); }},
      {"exit", [](const Fault&) { _exit(3); }},
      {"hang", [](const Fault&) { sleep_for_ever(); }},
      {"hang-gil", [](const Fault&) {
         PyGILState_Ensure();
         sleep_for_ever();
       }},
  };
  return table;
}

// What a kernel makes of right results.
inline bool spoils(const std::string& kind) {
  return kind == "wrong" || kind == "nan" || kind == "flaky" || kind == "zeros";
}

// What a kernel reads, ignores or keeps otherwise; distortions.h has them.
inline bool distorts(const std::string& kind) {
  static const std::set<std::string> kinds{"ignores-strides", "ignores-offset", "drops-nan", "through-float32",
      "ignores", "nothing", "leak", "leak-always", "slow"};
  return kinds.count(kind) > 0;
}

// Makes a result wrong in place. Integers stay in a range where they can still be used as indices.
inline void spoil(const Fault& fault, const at::Tensor& result) {
  if (!result.defined() || result.numel() == 0) return;
  const bool real = result.is_floating_point() || result.is_complex();
  if (fault.kind == "zeros") {
    result.zero_();
  } else if (fault.kind == "nan") {
    if (real) result.fill_(std::numeric_limits<double>::quiet_NaN());
  } else if (result.scalar_type() == at::kBool) {
    result.logical_not_();
  } else if (real) {
    // Flaky results differ from one call to the next by up to three quarters.
    const auto amount = fault.kind == "flaky" ? static_cast<double>(fault.calls % 4) / 4 : 0.25;
    result.mul_(1 + amount).add_(amount);
  } else {
    result.sub_(result.gt(0).to(result.scalar_type()).mul_(2).sub_(1));
  }
}

inline Fault* parse_fault(std::string entry) {
  auto* fault = new Fault();
  std::string what = cut(entry, '=');
  const std::string from = cut(what, '@');
  fault->condition = cut(what, ':');
  fault->backward = cut(entry, '@') == "backward";
  fault->op = entry;
  fault->kind = what;
  if (!from.empty()) fault->from = std::stoll(from);
  TORCH_CHECK(disasters().count(what) || spoils(what) || distorts(what), "SIM_FAULTS: there is no kind of fault '", what, "'");
  return fault;
}

using Faults = std::unordered_map<std::string, std::vector<Fault*>>;

inline Faults parse_faults(const std::string& entries) {
  Faults all;
  for (const auto& entry : split(entries, ',')) {
    auto* fault = parse_fault(entry);
    all[fault->op].push_back(fault);
  }
  return all;
}

// By the operator's name, with or without an overload.
inline Faults& faults() {
  static auto table = parse_faults(text("SIM_FAULTS"));
  return table;
}

inline bool planted(const c10::OperatorName& name) {
  return faults().count(name.name) > 0 || faults().count(c10::toString(name)) > 0;
}

inline const char* name_of(at::ScalarType type) {
  static const std::map<at::ScalarType, const char*> names{
      {at::kFloat, "float32"}, {at::kDouble, "float64"}, {at::kHalf, "float16"}, {at::kBFloat16, "bfloat16"},
      {at::kComplexFloat, "complex64"}, {at::kComplexDouble, "complex128"}, {at::kBool, "bool"},
      {at::kLong, "int64"}, {at::kInt, "int32"}, {at::kShort, "int16"}, {at::kChar, "int8"}, {at::kByte, "uint8"}};
  const auto found = names.find(type);
  return found == names.end() ? "other" : found->second;
}

inline bool holds(const std::string& condition, const Tensors& inputs) {
  if (condition.empty()) return true;
  for (const auto& input : inputs) {
    if (!input.defined()) continue;
    if (condition == "strided" && !input.is_contiguous()) return true;
    if (condition == "offset" && input.storage_offset() != 0) return true;
    if (condition == "empty" && input.numel() == 0) return true;
    if (condition == "not-finite" && input.is_floating_point() && !at::isfinite(input).all().item<bool>()) return true;
    if (condition.rfind("rank", 0) == 0 && input.dim() >= std::stoll(condition.substr(4))) return true;
    if (condition.rfind("size", 0) == 0) {
      for (const auto size : input.sizes()) {
        if (size >= std::stoll(condition.substr(4))) return true;
      }
    }
    if (condition == name_of(input.scalar_type())) return true;
  }
  return false;
}

// The fault that this call meets, if any.
inline Fault* due(const c10::OperatorName& name, const Tensors& inputs, bool asynchronous) {
  // Without an overload both are the same, and a call counts once.
  for (const auto& key : std::set<std::string>{name.name, c10::toString(name)}) {
    const auto found = faults().find(key);
    if (found == faults().end()) continue;
    for (auto* fault : found->second) {
      if (fault->backward && torch::autograd::get_current_graph_task_id() < 0) continue;
      const bool due_here = fault->condition == "async" ? asynchronous
          : fault->kind == "ignores"                    ? true
                                                        : holds(fault->condition, inputs);
      if (due_here && ++fault->calls >= fault->from) return fault;
    }
  }
  return nullptr;
}

} // namespace sim
