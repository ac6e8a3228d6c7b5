"""Learning-rate warm-up, and weight decay as in the papers: classes that saved networks refer to by name.

A leaf that `training` uses and `models` imports, so that a `.keras` file with such an optimizer loads after either.
"""

import keras

register = keras.saving.register_keras_serializable(package="course_lib")


@register
class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """Rises evenly from `start` over `steps` updates, then follows `after`, a learning rate or a schedule.

    Goyal et al., "Accurate, Large Minibatch SGD" (2017), section 2.2: a large learning rate from the first step on,
    when the weights still change quickly, can spoil the run.
    """

    def __init__(self, after: object, start: float, steps: int):
        self.after = after
        self.start = start
        self.steps = steps

    def __call__(self, step):
        step = keras.ops.cast(step, "float32")
        reached = self._rate_after(self.steps)
        now = self._rate_after(step)
        rising = self.start + (reached - self.start) * step / self.steps
        return keras.ops.where(step < self.steps, rising, now)

    def _rate_after(self, step):
        return self.after(step) if callable(self.after) else self.after

    def get_config(self) -> dict[str, object]:
        return {"after": keras.saving.serialize_keras_object(self.after), "start": self.start, "steps": self.steps}

    @classmethod
    def from_config(cls, config: dict[str, object]) -> "WarmUp":
        return cls(**config | {"after": keras.saving.deserialize_keras_object(config["after"])})


class _KernelDecay:
    """Adds `kernel_decay` times each kernel to its gradient; biases, scales and shifts do not decay.

    Keras' own `weight_decay` shrinks the weights beside the update (decoupled), and all of them.
    """

    def __init__(self, *arguments, kernel_decay: float = 0.0, **options):
        super().__init__(*arguments, **options)
        self.kernel_decay = kernel_decay

    def build(self, variables):
        self.all_variables = lambda: variables  # a function: Keras would track a list a second time
        super().build(variables)

    def apply(self, grads, trainable_variables=None):
        variables = self.all_variables() if trainable_variables is None else trainable_variables
        decayed = [
            gradient + self.kernel_decay * keras.ops.cast(variable, gradient.dtype)
            if variable.name.endswith("kernel")
            else gradient
            for gradient, variable in zip(grads, variables, strict=True)
        ]
        return super().apply(decayed, trainable_variables)

    def get_config(self) -> dict[str, object]:
        return super().get_config() | {"kernel_decay": self.kernel_decay}


@register
class SGDWithKernelDecay(_KernelDecay, keras.optimizers.SGD):
    """SGD with weight decay in the gradient of the kernels."""


@register
class AdamWithKernelDecay(_KernelDecay, keras.optimizers.Adam):
    """Adam with weight decay in the gradient of the kernels."""


@register
class RMSpropWithKernelDecay(_KernelDecay, keras.optimizers.RMSprop):
    """RMSprop with weight decay in the gradient of the kernels."""
