// Device memory: host memory that torch takes for foreign, counted and limited.
#pragma once
#include "identity.h"
#include "settings.h"

#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/Storage.h>
#include <c10/core/impl/alloc_cpu.h>

#include <mutex>

namespace sim {

inline c10::Device device() { return {KIND, 0}; }

using c10::CachingAllocator::Stat;

struct Memory final : c10::DeviceAllocator {
  // A block is either memory of our own or a CPU storage that a kernel left behind and that we keep alive.
  struct Block {
    size_t bytes;
    void* own;
    c10::Storage kept;
  };

  size_t limit = static_cast<size_t>(number("SIM_MEMORY_BYTES", 8.0 * (1 << 30)));
  Stat used;
  std::mutex mutex;

  static Memory& get() {
    // Never destroyed: tensors may outlive static objects.
    static auto* memory = new Memory();
    return *memory;
  }

  void take(size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex);
    const auto now = static_cast<size_t>(used.current);
    if (bytes > limit || now > limit - bytes) out_of_memory(now, limit, bytes);
    used.increase(bytes);
  }

  void give(size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex);
    used.decrease(bytes);
  }

  static void release(void* context) {
    auto* block = static_cast<Block*>(context);
    get().give(block->bytes);
    c10::free_cpu(block->own);
    delete block;
  }

  c10::DataPtr allocate(size_t bytes) override {
    if (bytes == 0) return {nullptr, device()};
    take(bytes);
    auto* block = new Block{bytes, c10::alloc_cpu(bytes), {}};
    return {block->own, block, &release, device()};
  }

  // The memory of a CPU storage as device memory, without a copy.
  c10::DataPtr keep(const c10::Storage& host) {
    take(host.nbytes());
    auto* block = new Block{host.nbytes(), nullptr, host};
    return {host.mutable_data(), block, &release, device()};
  }

  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }

  bool initialized() override { return true; }
  void emptyCache(c10::MempoolId_t) override {}
  void recordStream(const c10::DataPtr&, c10::Stream) override {}
  void resetAccumulatedStats(c10::DeviceIndex) override { used.reset_accumulated(); }
  void resetPeakStats(c10::DeviceIndex) override { used.reset_peak(); }

  c10::CachingDeviceAllocator::DeviceStats getDeviceStats(c10::DeviceIndex) override {
    c10::CachingDeviceAllocator::DeviceStats stats;
    // There is no cache, so everything held is in use.
    stats.allocated_bytes[0] = stats.reserved_bytes[0] = stats.active_bytes[0] = used;
    return stats;
  }

  std::pair<size_t, size_t> getMemoryInfo(c10::DeviceIndex) override {
    return {limit - static_cast<size_t>(used.current), limit};
  }
};

// An allocator that is no DeviceAllocator, as MPS had before torch 2.13 and back ends out of tree may have: the memory
// calls of torch.accelerator fail on it (pytorch#186430).
struct PlainMemory final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override { return Memory::get().allocate(bytes); }
  void copy_data(void* to, const void* from, size_t bytes) const override { default_copy_data(to, from, bytes); }

  static PlainMemory& get() {
    static auto* memory = new PlainMemory();
    return *memory;
  }
};

} // namespace sim
