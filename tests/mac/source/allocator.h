// When the GPU is first touched, and what its allocator then says.
#pragma once
#include "../../simulator/source/clock.h"

#include <atomic>

namespace sim {

// Whether anything has asked for the device: Metal, its heaps and caches would be there from then on.
inline std::atomic<bool> awake{false};

// The allocator reads the variables when it is first asked for anything, its cache too.
inline void check_watermarks() {
  const auto high_text = text("PYTORCH_MPS_HIGH_WATERMARK_RATIO"), low_text = text("PYTORCH_MPS_LOW_WATERMARK_RATIO");
  const double high = high_text.empty() ? 1.7 : std::strtod(high_text.c_str(), nullptr);
  TORCH_CHECK(high >= 0 && high <= 2, "invalid high watermark ratio ", high);
  const double low = low_text.empty() ? 1.4 : std::strtod(low_text.c_str(), nullptr);
  TORCH_CHECK(low >= 0 && low <= (high == 0 ? 2 : high), "invalid low watermark ratio ", low);
}

inline void wake() {
  awake = true;
  check_watermarks();
}

// A hosted virtual Mac says that MPS is available, and then gives out no memory at all (pytorch#188438).
inline void check_allocations(size_t bytes) {
  static const bool fail = number("MAC_ALLOCATIONS_FAIL", 0) != 0;
  if (fail) out_of_memory(0, static_cast<size_t>(7.93 * (1 << 30)), std::max<size_t>(bytes, 256));
}

// The driver holds whole heaps: 8 MiB at least for small tensors, 32 MiB for larger ones.
inline size_t driver_bytes() {
  const auto used = static_cast<size_t>(Memory::get().used.peak);
  return used == 0 ? 0 : ((used >> 23) + 1) << 23;
}

} // namespace sim
