package dev.offload.backends.cpu;

import dev.offload.tensors.DType;

/** Who multiplies panels. Thread-safe. */
interface PanelKernels extends AutoCloseable {
  /** As {@link MatrixProduct#describe}. */
  String describe();

  /** As {@link MatrixProduct#input}. */
  DType input(DType weights);

  /** The format of panels with so many inputs. */
  PanelFormat format(DType weights, int inputs);

  /** Releases what the kernels hold; none may be running. */
  @Override
  void close();
}
