"""stable-baselines3's PPO on a small environment; names no device."""

import os

import gymnasium
import numpy
from stable_baselines3 import PPO


class Guess(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (4,), numpy.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left, self.seen = 16, self.np_random.uniform(-1, 1, 4).astype("float32")
        return self.seen, {}

    def step(self, action):
        reward = float(action == (self.seen.sum() > 0))
        self.left, self.seen = self.left - 1, self.np_random.uniform(-1, 1, 4).astype("float32")
        return self.seen, reward, self.left == 0, False, {}


steps = int(os.environ.get("STEPS", "4"))
model = PPO("MlpPolicy", Guess(), n_steps=32, batch_size=8, n_epochs=4)
model.learn(32 * max(1, steps // 16))
print("trained on", next(model.policy.parameters()).device.type)
