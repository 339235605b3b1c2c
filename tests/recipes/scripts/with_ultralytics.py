"""ultralytics' trainer on a very small YOLO made from its description, and pictures made here; names no device."""

import os
import tempfile
from pathlib import Path

import numpy
from PIL import Image
from ultralytics import YOLO
from ultralytics.models.yolo.detect import DetectionTrainer

# A detector of a few layers: YOLO's own smallest takes longer for a step than the price that is planted.
TINY = """
nc: 1
backbone:
  - [-1, 1, Conv, [8, 3, 2]]
  - [-1, 1, Conv, [16, 3, 2]]
  - [-1, 1, Conv, [16, 3, 2]]
head:
  - [[2], 1, Detect, [nc]]
"""


class Trainer(DetectionTrainer):
    def validate(self):
        """Nothing is to be found in noise; and torchvision, which validation needs, is not everywhere."""
        return {}, 0.0


steps = int(os.environ.get("STEPS", "4"))
with tempfile.TemporaryDirectory() as folder:
    for number in range(4 * min(steps, 64)):
        for kind in ("images", "labels"):
            Path(folder, kind).mkdir(exist_ok=True)
        pixels = numpy.random.randint(0, 255, (64, 64, 3), dtype=numpy.uint8)
        Image.fromarray(pixels).save(Path(folder, "images", f"{number}.jpg"))
        Path(folder, "labels", f"{number}.txt").write_text("0 0.5 0.5 0.4 0.4\n")
    data = Path(folder, "data.yaml")
    data.write_text(f"path: {folder}\ntrain: images\nval: images\nnames: [thing]\n")
    description = Path(folder, "tiny.yaml")
    description.write_text(TINY)
    model = YOLO(description)
    model.train(
        trainer=Trainer,
        data=str(data),
        epochs=1 + steps // 64,
        imgsz=64,
        batch=4,
        nbs=4,
        workers=0,
        val=False,
        plots=False,
        save=False,
        amp=False,
        project=folder,
        verbose=False,
    )
    print("trained on", next(model.trainer.model.parameters()).device.type)
