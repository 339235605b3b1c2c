"""What training scripts import: the choice of a device, the profile behind it. The standard library alone."""
