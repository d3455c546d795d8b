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

  /** Gives back what kernels have worked in; none may be running. */
  void dropScratch();

  /** Releases what the kernels hold beside scratch; none may be running. */
  @Override
  void close();
}
