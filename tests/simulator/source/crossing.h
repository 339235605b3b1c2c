// One kernel call: device tensors are lent to the CPU without a copy, and its results are taken back.
#pragma once
#include "memory.h"

#include <ATen/core/List.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <c10/core/TensorImpl.h>

#include <optional>
#include <vector>

namespace sim {

inline bool is_ours(const at::Tensor& tensor) { return tensor.device().type() == KIND; }

inline at::Tensor make(c10::Storage storage, c10::DispatchKey key, const at::Tensor& like) {
  auto made = at::detail::make_tensor<c10::TensorImpl>(
      std::move(storage), c10::DispatchKeySet(key), like.dtype());
  auto* impl = made.unsafeGetTensorImpl();
  impl->set_sizes_and_strides(like.sizes(), like.strides(), like.storage_offset());
  // Numbers that became tensors weigh less in type promotion; conjugation and negation are bits.
  if (like.unsafeGetTensorImpl()->is_wrapped_number()) impl->set_wrapped_number(true);
  if (like.is_conj()) made._set_conj(true);
  if (like.is_neg()) made._set_neg(true);
  return made;
}

inline void refuse_float64(at::ScalarType type) {
  static const bool refused = KIND == c10::DeviceType::MPS || number("SIM_NO_FLOAT64", 0) != 0;
  TORCH_CHECK_TYPE(!(refused && type == at::kDouble), NO_FLOAT64);
}

class Crossing {
 public:
  explicit Crossing(bool host_inputs_allowed) : host_inputs_allowed_(host_inputs_allowed) {}

  at::Tensor lend(const at::Tensor& tensor) {
    if (!tensor.defined()) return tensor;
    if (!is_ours(tensor)) return check_host(tensor);
    for (const auto& [theirs, ours] : tensors_) {
      if (theirs.is_same(tensor)) return ours;
    }
    auto host = make(lend(tensor.storage()), c10::DispatchKey::CPU, tensor);
    tensors_.emplace_back(tensor, host);
    return host;
  }

  c10::Storage lend(const c10::Storage& storage) {
    TORCH_CHECK(storage.device() == device(), "Expected a storage on ", PLACE, ", found one on ", storage.device());
    for (const auto& [theirs, ours] : storages_) {
      if (theirs.is_alias_of(storage)) return ours;
    }
    c10::DataPtr data(const_cast<void*>(storage.data()), c10::Device(c10::DeviceType::CPU));
    c10::Storage host(c10::Storage::use_byte_size_t(), storage.nbytes(), std::move(data),
        c10::GetAllocator(c10::DeviceType::CPU), storage.resizable());
    storages_.emplace_back(storage, host);
    return host;
  }

  at::Tensor take(const at::Tensor& host) {
    if (!host.defined() || !host.is_cpu()) return host;
    for (const auto& [theirs, ours] : tensors_) {
      if (ours.is_same(host)) return theirs;
    }
    TORCH_CHECK_NOT_IMPLEMENTED(host.layout() == at::kStrided, PLACE, " has no ", host.layout(), " tensors");
    refuse_float64(host.scalar_type());
    return make(take(host.storage()), KEY, host);
  }

  // A kernel may have resized memory or moved a tensor (out=, resize_, set_); the device's side follows.
  void settle() {
    for (auto& [theirs, ours] : std::vector(storages_)) {
      if (theirs.data() == ours.data() && theirs.nbytes() == ours.nbytes()) continue;
      // The block keeps a storage of its own, since ours may be lent memory's only name.
      auto* impl = ours.unsafeGetStorageImpl();
      c10::Storage grown(c10::Storage::use_byte_size_t(), ours.nbytes(),
          impl->set_data_ptr(c10::DataPtr(ours.mutable_data(), c10::Device(c10::DeviceType::CPU))));
      auto data = Memory::get().keep(grown);
      theirs.unsafeGetStorageImpl()->set_data_ptr_noswap(std::move(data));
      theirs.unsafeGetStorageImpl()->set_nbytes(ours.nbytes());
    }
    for (auto& [theirs, ours] : tensors_) {
      if (!theirs.is_same(ours)) follow(theirs, ours);
    }
  }

 private:
  bool host_inputs_allowed_;
  std::vector<std::pair<c10::Storage, c10::Storage>> storages_;
  std::vector<std::pair<at::Tensor, at::Tensor>> tensors_;

  at::Tensor check_host(const at::Tensor& tensor) {
    TORCH_CHECK(host_inputs_allowed_ || tensor.dim() == 0 || !tensor.is_cpu(),
        "Expected all tensors to be on the same device, but found at least two devices, ", PLACE, " and cpu!");
    // A kernel that returns it (a copy to the CPU does) returns it as it is.
    tensors_.emplace_back(tensor, tensor);
    return tensor;
  }

  c10::Storage take(const c10::Storage& host) {
    for (const auto& [theirs, ours] : storages_) {
      if (ours.is_alias_of(host)) return theirs;
    }
    auto data = host.nbytes() ? Memory::get().keep(host) : c10::DataPtr(nullptr, device());
    c10::Storage storage(c10::Storage::use_byte_size_t(), host.nbytes(), std::move(data), &Memory::get(), true);
    storages_.emplace_back(storage, host);
    return storage;
  }

  void follow(at::Tensor& theirs, const at::Tensor& ours) {
    auto* impl = theirs.unsafeGetTensorImpl();
    auto storage = take(ours.storage());
    if (!storage.is_alias_of(theirs.storage())) impl->set_storage_keep_dtype(storage);
    const bool same = theirs.sizes() == ours.sizes() && theirs.strides() == ours.strides() &&
        theirs.storage_offset() == ours.storage_offset();
    if (!same) impl->set_sizes_and_strides(ours.sizes(), ours.strides(), ours.storage_offset());
  }
};

// Replaces every tensor within a value.
template <typename Change>
void change_tensors(c10::IValue& value, const Change& change) {
  if (value.isTensor()) {
    value = change(value.toTensor());
  } else if (value.isTensorList()) {
    c10::List<at::Tensor> changed;
    for (const at::Tensor& tensor : value.toTensorVector()) changed.push_back(change(tensor));
    value = std::move(changed);
  } else if (value.isOptionalTensorList()) {
    c10::List<std::optional<at::Tensor>> changed;
    for (const std::optional<at::Tensor> tensor : value.toOptionalTensorList()) {
      changed.push_back(tensor ? std::optional(change(*tensor)) : std::nullopt);
    }
    value = std::move(changed);
  }
}

} // namespace sim
