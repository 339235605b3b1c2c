// Which device this is. The same headers make the simulated accelerator and tests/mac's stand-in for MPS; what a program
// can tell them apart by stands here.
#pragma once
#include <c10/core/DeviceType.h>
#include <c10/core/DispatchKey.h>
#include <c10/util/Exception.h>

#include <cstdio>
#include <string>

namespace sim {

using c10::DispatchKey;

#ifdef STAND_IN_FOR_MPS
inline constexpr auto KIND = c10::DeviceType::MPS;
inline constexpr auto KEY = DispatchKey::MPS;
inline constexpr auto AUTOCAST_KEY = DispatchKey::AutocastMPS;
inline constexpr auto PLACE = "mps:0";
inline constexpr auto NO_FLOAT64 = "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support "
    "float64. Please use float32 instead.";
#else
inline constexpr auto KIND = c10::DeviceType::PrivateUse1;
inline constexpr auto KEY = DispatchKey::PrivateUse1;
inline constexpr auto AUTOCAST_KEY = DispatchKey::AutocastPrivateUse1;
inline constexpr auto PLACE = "sim:0";
inline constexpr auto NO_FLOAT64 = "Cannot convert a sim Tensor to float64 dtype as the sim device doesn't support float64.";
#endif

// As PyTorch's allocators print sizes.
inline std::string in_words(size_t bytes) {
  const char* units[] = {" bytes", " KB", " MB", " GB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; unit < 3 && value > 1024; ++unit) value /= 1024;
  char out[64];
  std::snprintf(out, sizeof out, unit ? "%.2f" : "%.0f", value);
  return std::string(out) + units[unit];
}

// MPS has no exception of its own for this.
[[noreturn]] inline void out_of_memory(size_t now, size_t limit, size_t bytes) {
#ifdef STAND_IN_FOR_MPS
  TORCH_CHECK(false, "MPS backend out of memory (MPS allocated: ", in_words(now), ", other allocations: 0 bytes, max allowed: ",
      in_words(limit), "). Tried to allocate ", in_words(bytes), " on private pool. Use PYTORCH_MPS_HIGH_WATERMARK_RATIO=0.0 to "
      "disable upper limit for memory allocations (may cause system failure).");
#else
  TORCH_CHECK_WITH(OutOfMemoryError, false, "sim backend out of memory (sim allocated: ", now, " bytes, max allowed: ",
      limit, " bytes). Tried to allocate ", bytes, " bytes.");
#endif
}

} // namespace sim
