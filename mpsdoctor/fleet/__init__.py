"""Check-ups of many machines, gathered through the store that torchrun opens: `torchrun … -m mpsdoctor.fleet`.

The one package of the doctor that imports torch, and of it the store alone (`store`).
"""
