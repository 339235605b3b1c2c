// Operators without a kernel on MPS: refused, or run on the CPU, word for word as MPSFallback.mm and MPSProfiler.mm have it
// where a program may read it.
#pragma once
#include "../../simulator/source/kernels.h"

#include <ATen/native/CPUFallback.h>

#include <chrono>

namespace sim {

// The statistics of bit 64 of PYTORCH_MPS_LOG_PROFILE_INFO, printed when the program ends.
struct Fallbacks {
  struct Row {
    int id;
    int runs = 0;
    double ms = 0;
    size_t bytes = 0;
  };

  std::map<std::string, Row> rows;
  bool wanted = (std::strtol(text("PYTORCH_MPS_LOG_PROFILE_INFO").c_str(), nullptr, 0) & 0x48) != 0;

  static std::string centred(std::string words, size_t width, char fill = ' ') {
    while (words.size() < width) words.size() % 2 ? words.insert(words.begin(), fill) : words.insert(words.end(), fill);
    return words;
  }
  static std::string decimal(double value, int digits) {
    char out[64];
    std::snprintf(out, sizeof out, "%.*f", digits, value);
    return out;
  }
  ~Fallbacks() {
    if (!wanted) return;
    if (rows.empty()) {
      std::fputs("There are no CPU Fallbacks logged for profiling\n", stderr);
      return;
    }
    int runs = 0;
    double ms = 0;
    size_t bytes = 0;
    for (const auto& [_, row] : rows) {
      runs += row.runs;
      ms += row.ms;
      bytes += row.bytes;
    }
    const auto head = " CPU Fallback Profiling: Total " + std::to_string(runs) + " Runs, " + decimal(ms, 2) + " ms, " +
        in_words(bytes) + " Copies ";
    std::fprintf(stderr, "\n%s\n%s|%s|%s|%s|%s| Operation Name\n%s\n", centred(head, 150, '-').c_str(),
        centred("ID", 5).c_str(), centred("#Runs", 7).c_str(), centred("Mean CPU(ms)", 14).c_str(),
        centred("Total CPU(ms)", 15).c_str(), centred("Copy Overhead", 15).c_str(), std::string(150, '-').c_str());
    std::vector<std::pair<std::string, Row>> sorted(rows.begin(), rows.end());
    std::sort(sorted.begin(), sorted.end(),
        [](const auto& a, const auto& b) { return a.second.ms / a.second.runs > b.second.ms / b.second.runs; });
    for (const auto& [name, row] : sorted) {
      std::fprintf(stderr, "%s%s%s%s%s %s\n", centred(std::to_string(row.id), 6).c_str(),
          centred(std::to_string(row.runs), 8).c_str(), centred(decimal(row.ms / row.runs, 3), 15).c_str(),
          centred(decimal(row.ms, 3), 16).c_str(), centred(in_words(row.bytes), 16).c_str(), name.c_str());
    }
  }
};

inline Fallbacks& fallbacks() {
  static Fallbacks all;
  return all;
}

inline void fall_back(const c10::OperatorHandle& op, Stack* stack) {
  TORCH_WARN_ONCE("The operator '", op.schema().operator_name(), "' is not currently supported on the MPS backend and "
      "will fall back to run on the CPU. This may have performance implications.");
  auto& all = fallbacks();
  const auto begun = std::chrono::steady_clock::now();
  size_t bytes = 0;
  for (const auto& tensor : tensors_in(arguments(op, *stack))) bytes += tensor.defined() ? tensor.nbytes() : 0;
  at::native::cpu_fallback(op, stack);
  if (!all.wanted) return;
  auto& row = all.rows.try_emplace(op.schema().name(), Fallbacks::Row{static_cast<int>(all.rows.size()) + 1}).first->second;
  row.runs++;
  row.bytes += bytes;
  row.ms += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
}

inline void refuse(const c10::OperatorHandle& op, Stack*) {
  TORCH_CHECK_NOT_IMPLEMENTED(false, "The operator '", op.schema().operator_name(), "' is not currently implemented "
      "for the MPS device. If you want this op to be considered for addition please comment on "
      "https://github.com/pytorch/pytorch/issues/141287 and mention use-case, that resulted in missing op as well as "
      "commit hash ", text("MAC_COMMIT"), ". As a temporary fix, you can set the environment variable "
      "`PYTORCH_ENABLE_MPS_FALLBACK=1` to use the CPU as a fallback for this op. WARNING: this will be slower than "
      "running natively on MPS.");
}

} // namespace sim
