"""The same conditions for all peers. Imports nothing that would start threads."""

import ctypes
import os


def one_thread():
    """To be called before a framework is imported: one core, one thread in every library."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS",
                     "TF_NUM_INTEROP_THREADS"):
        os.environ[variable] = "1"
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def flush_to_zero():
    """Denormals are zero on this thread, as for all contenders. On x86-64 with glibc; elsewhere nothing."""
    if os.uname().machine != "x86_64":
        return
    size, mxcsr, flush_and_denormals_are_zero = 32, 28, 0x8040
    environment = ctypes.create_string_buffer(size)
    libm = ctypes.CDLL("libm.so.6")
    libm.fegetenv(environment)
    register = ctypes.c_uint32.from_buffer(environment, mxcsr)
    register.value |= flush_and_denormals_are_zero
    libm.fesetenv(environment)
