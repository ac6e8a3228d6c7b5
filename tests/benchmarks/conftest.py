"""The CPU as two devices, for the benchmark of two devices."""

import tensorflow as tf

# Before any test starts TensorFlow: pytest reads this file first.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
