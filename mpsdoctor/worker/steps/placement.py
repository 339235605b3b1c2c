"""Which tensors of a step that runs on the CPU would be on the device, and which would stay on the CPU.

Parameters, buffers and the inputs of a module are on the device, and what `.to(device)` gives; on the CPU is what
`.cpu()` gives, and what is made without a device by a module's own code. What a step makes without a device besides is
loose: of the CPU where the step speaks of devices, data that somebody would move where it does not. Of anything else
nothing is known, and it goes with what it meets.

Tensors are known by their storage, so that views, saved tensors and gradients are found again.
"""

from __future__ import annotations

from typing import Any, Iterable, Iterator, NamedTuple

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

from ..shapes import Frame, Lives

ORDER = DEVICE, HOST, LOOSE = "device", "host", "loose"
MANY = 20000  # storages, from which on those that are gone are looked for
WIDE = frozenset({"float64", "complex128"})
# These take tensors of the CPU beside those of the device: copies, indices, lengths that C++ reads.
MIXING = frozenset({
    "copy_", "_to_copy", "_copy_from", "_copy_from_and_resize", "index", "index_put", "index_put_",
    "_index_put_impl_", "_unsafe_index", "_unsafe_index_put", "_unsafe_masked_index",
    "_unsafe_masked_index_put_accumulate", "_pack_padded_sequence", "_pack_padded_sequence_backward", "_ctc_loss",
    "_ctc_loss_backward", "tensor_split", "set_", "view_as", "expand_as", "reshape_as", "resize_as_", "type_as",
    "_shape_as_tensor", "is_same_size", "_has_compatible_shallow_copy_type", "record_stream",
})  # fmt: skip
LENGTHS = frozenset({"aten::_pack_padded_sequence", "aten::_pad_packed_sequence"})


class Place(NamedTuple):
    """Where a tensor is, the line that made it where that is the CPU, and whether that was said in so many words."""

    kind: str
    made: Frame | None = None
    said: bool = False


class Placements:
    """The places of the tensors so far. `strict` is whether loose tensors are of the CPU, `met` whether there is any on
    the device.
    """

    def __init__(self) -> None:
        self.strict = False
        self.met = False
        self.making: Place | None = None  # of what a call that takes no tensors makes
        self._places: dict[StorageWeakRef, Place] = {}

    def of(self, tensor: Tensor) -> Place | None:
        """Where a tensor is; None where nothing is known."""
        storage = storage_of(tensor)
        if storage is None:
            return None
        place = self._places.get(storage)
        if isinstance(tensor, torch.nn.Parameter) and not (place and (place.said or place.kind == DEVICE)):
            self._keep(storage, Place(DEVICE))
            return self._places[storage]
        return place or self.making

    def put(self, tensor: Tensor, place: Place) -> None:
        """Note where a tensor is."""
        storage = storage_of(tensor)
        if storage is not None:
            self._keep(storage, place)

    def _keep(self, storage: StorageWeakRef, place: Place) -> None:
        self.met = self.met or place.kind == DEVICE
        self._places[storage] = place
        if len(self._places) > MANY and len(self._places) % MANY == 1:
            self._places = {kept: place for kept, place in self._places.items() if not kept.expired()}  # type: ignore[no-untyped-call]

    def adopt(self, modules: Iterable[torch.nn.Module], inputs: Any) -> None:
        """Put parameters and buffers, and what a module is called with, on the device."""
        held = (tensor for module in modules for tensor in held_by(module))
        for tensor in (*held, *tensors(inputs)):
            place = self.of(tensor)
            if place is None or not place.said:
                self.put(tensor, Place(DEVICE))

    def spread(self, op: str, inputs: list[Tensor], results: list[Tensor]) -> None:
        """Put results where the inputs of a call are; those that share a storage with an input stay."""
        place = self.place_of_result(inputs)
        if op in LENGTHS:  # these are of the CPU on any device
            for tensor in results[1:]:
                self.put(tensor, Place(HOST, said=True))
            results = results[:1]
        if place is None:
            return
        known = {storage_of(tensor) for tensor in inputs}
        for tensor in results:
            storage = storage_of(tensor)
            if storage is not None and storage not in known:
                self._keep(storage, place)

    def place_of_result(self, inputs: list[Tensor]) -> Place | None:
        """Where the results of a call are: on the device if one of its tensors is."""
        places = [place for place in map(self.of, inputs) if place is not None]
        return min(places, key=lambda place: ORDER.index(place.kind), default=self.making)

    def lives(self, op: str, inputs: list[Tensor]) -> tuple[Lives, Frame | None]:
        """Where the tensors of a call are, and where the one of the CPU was made that meets one of the device."""
        places = [(tensor, self.of(tensor)) for tensor in inputs]
        kinds = {place.kind if place else None for _, place in places} or {self.making and self.making.kind}
        if DEVICE not in kinds:
            return ("host" if HOST in kinds else "loose" if LOOSE in kinds else "device"), None
        if op.partition("::")[2].partition(".")[0] in MIXING:
            return "device", None
        for kind, lives in ((HOST, "mixed"), (LOOSE, "loose-mixed")):
            for tensor, place in places:
                if place and place.kind == kind and tensor.dim():  # a scalar of the CPU goes with any device
                    return lives, place.made  # type: ignore[return-value]
        return "device", None

    def final(self, lives: Lives, dtypes: Iterable[str]) -> Lives:
        """`lives` at the end of the step, where it is known what loose tensors are; nothing stays loose."""
        if lives == "loose":
            # what nobody moves while it is in double precision may stay on the CPU until it is not
            return "host" if self.strict or (self.met and WIDE.intersection(dtypes)) else "device"
        if lives == "loose-mixed":
            return "mixed" if self.strict else "device"
        return lives


def storage_of(tensor: Tensor) -> StorageWeakRef | None:
    """What tells whether two tensors share their memory; None for tensors that have no storage."""
    try:
        return StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]
    except Exception:  # sparse, nested or batched ones
        return None


def held_by(module: torch.nn.Module) -> Iterator[Tensor]:
    """The parameters and buffers of a module itself."""
    own = vars(module)
    for kind in ("_parameters", "_buffers"):
        values = own.get(kind)
        if isinstance(values, dict):  # those of TorchScript are no dicts
            yield from (tensor for tensor in values.values() if isinstance(tensor, Tensor))


def tensors(value: Any) -> Iterator[Tensor]:
    """The tensors among arguments or results, in lists, tuples and dicts too."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from tensors(part)
