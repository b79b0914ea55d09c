"""Train a small diffusion model on two moons and export it for `driftproof model`.

    pip install torch onnx onnxscript numpy
    python train_and_export.py                   # writes moons.onnx and moons.npy, about a minute
    driftproof model moons.onnx --preset vp-linear --predicts eps --data moons.npy

Neither is needed to build or to test driftproof.
"""

import math

import numpy as np
import torch
from torch import nn

BETA_MIN, BETA_MAX = 0.1, 20.0  # the preset `vp-linear`


def moons(n, rng):
    """Two half circles of radius 1: the upper one about (0, 0), the lower one about (1, 1/2)."""
    angle, lower = rng.uniform(0, math.pi, n), rng.integers(0, 2, n)
    x = np.where(lower, 1 - np.cos(angle), np.cos(angle))
    y = np.where(lower, 0.5 - np.sin(angle), np.sin(angle))
    return np.stack([x, y], axis=1)


def levels(t):
    """Signal a and noise b at t in [0, 1], 0 data and 1 noise: x_t = a x_0 + b eps."""
    log_a = -t**2 * (BETA_MAX - BETA_MIN) / 4 - t * BETA_MIN / 2
    return log_a.exp(), (-torch.expm1(2 * log_a)).sqrt()


class Net(nn.Module):
    def __init__(self, dim=2, width=128, waves=8):
        super().__init__()
        self.register_buffer("rates", torch.pi * 2.0 ** torch.arange(waves).float() / 4)
        sizes = [dim + 2 * waves, width, width, width]
        hidden = [layer for n, m in zip(sizes, sizes[1:]) for layer in (nn.Linear(n, m), nn.SiLU())]
        self.layers = nn.Sequential(*hidden, nn.Linear(width, dim))

    def forward(self, x, t):
        phase = t[:, None] * self.rates
        return self.layers(torch.cat([x, phase.sin(), phase.cos()], dim=1))


def main(steps=6000, batch=512):
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    points = moons(2000, rng)
    np.save("moons.npy", points)
    data = torch.from_numpy(points).float()
    net = Net()
    optimiser = torch.optim.Adam(net.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for step in range(steps):
        x0 = data[torch.randint(len(data), (batch,))]
        t = torch.rand(batch) * (1 - 1e-3) + 1e-3
        a, b = (level[:, None] for level in levels(t))
        eps = torch.randn_like(x0)
        loss = (net(a * x0 + b * eps, t) - eps).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 1000 == 0:
            print(f"step {step}: loss {loss.item():.4f}")
    net.eval()
    torch.onnx.export(
        net, (torch.zeros(2, 2), torch.zeros(2)), "moons.onnx",
        input_names=["x", "t"], output_names=["eps"],
        dynamic_axes={"x": {0: "batch"}, "t": {0: "batch"}}, dynamo=False, opset_version=17,
    )


if __name__ == "__main__":
    main()
