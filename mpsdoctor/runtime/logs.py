"""What `get_optimal_device` writes into the script's log, each line once."""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own constant costs 3 ms of the 15 that `import mpsdoctor` has
if TYPE_CHECKING:
    from mpsdoctor.runtime.device_info import DeviceInfo

MOST_LOGGED = 256  # lines that are not told again; a script may ask for a thousand batch sizes

_logged: dict[tuple[int, str], object] = {}


def log_once(info: DeviceInfo) -> None:
    """Warnings, and the answer in one sentence, to the logger `mpsdoctor`; hints stay in `info.hints`."""
    import contextlib
    import logging

    if len(_logged) >= MOST_LOGGED:
        _logged.clear()
    for level, text in (*((logging.WARNING, text) for text in info.warnings), (logging.INFO, str(info))):
        mark = object()
        if _logged.setdefault((level, text), mark) is mark:  # one step, so that of two threads one logs
            with contextlib.suppress(Exception):  # a filter or handler of the script's may raise what it likes
                logging.getLogger("mpsdoctor").log(level, "%s", text)
