"""ultralytics' trainer, on the device that was measured as the best one."""

import tempfile
from pathlib import Path

import numpy
from PIL import Image
from ultralytics import YOLO
from ultralytics.models.yolo.detect import DetectionTrainer

from mpsdoctor import get_optimal_device


class Trainer(DetectionTrainer):
    def validate(self):
        """Nothing is to be found in noise; and torchvision, which validation needs, is not everywhere."""
        return {}, 0.0


device, info = get_optimal_device()
steps = 4
with tempfile.TemporaryDirectory() as folder:
    for number in range(4 * min(steps, 8)):
        for kind in ("images", "labels"):
            Path(folder, kind).mkdir(exist_ok=True)
        pixels = numpy.random.randint(0, 255, (64, 64, 3), dtype=numpy.uint8)
        Image.fromarray(pixels).save(Path(folder, "images", f"{number}.jpg"))
        Path(folder, "labels", f"{number}.txt").write_text("0 0.5 0.5 0.4 0.4\n")
    data = Path(folder, "data.yaml")
    data.write_text(f"path: {folder}\ntrain: images\nval: images\nnames: [thing]\n")
    model = YOLO("yolo11n.yaml")
    model.train(
        trainer=Trainer,
        device=device,
        data=str(data),
        epochs=1 + steps // 8,
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
