"""`mpsdoctor ops`: operators alone, from our catalogue, PyTorch's own database, or a person's training step."""
