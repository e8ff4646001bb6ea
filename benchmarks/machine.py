"""What this machine is, and the most that its products and convolutions reach."""

import platform
import statistics
import time

import tensorflow as tf

BATCH, SIZE, CHANNELS = 32, 32, 64
ROWS = 1024


def describe() -> str:
    """Processor, cores, versions."""
    threads = tf.config.threading.get_intra_op_parallelism_threads() or "all"
    return (
        f"{_processor()}, {len(tf.config.list_logical_devices('CPU'))} CPU device, "
        f"{threads} threads, Python {platform.python_version()}, TensorFlow {tf.__version__}"
    )


def convolution_peak(precision: str, repeats: int = 15) -> float:
    """Median GFLOP/s of a 3 x 3 convolution of 64 channels, forward, one of the kind that G and
    D are made of.
    """
    x = tf.random.normal((BATCH, SIZE, SIZE, CHANNELS))
    w = tf.random.normal((3, 3, CHANNELS, CHANNELS))
    x, w = tf.cast(x, precision), tf.cast(w, precision)

    @tf.function
    def several():
        y = x
        for _ in range(8):
            y = tf.nn.conv2d(y, w, 1, "SAME")
        return y

    flop = 8 * 2 * BATCH * SIZE * SIZE * 9 * CHANNELS * CHANNELS
    return _gflops(several, flop, repeats)


def matmul_peak(precision: str, repeats: int = 15) -> float:
    """Median GFLOP/s of a product of two matrices of 1024 x 1024."""
    x = tf.cast(tf.random.normal((ROWS, ROWS)), precision)

    @tf.function
    def several():
        y = x
        for _ in range(8):
            y = tf.matmul(y, x)
        return y

    return _gflops(several, 8 * 2 * ROWS**3, repeats)


def median_seconds(call, repeats: int) -> float:
    """Median seconds of a call that gives a tensor, its result read each time."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call().numpy()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _gflops(call, flop, repeats):
    call()  # traces
    return flop / median_seconds(call, repeats) / 1e9


def _processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
        return f"{len(names)} x {names[0]}"
    except (OSError, IndexError):
        return platform.processor() or platform.machine()
