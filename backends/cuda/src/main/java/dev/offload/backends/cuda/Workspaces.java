package dev.offload.backends.cuda;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Function;

/**
 * Memory that streams compute in: set aside for some streams when the device is opened, taken from
 * its budget for more. Thread-safe.
 */
final class Workspaces {

  /** Partial results of attention, and sums of products that get a bias. */
  static final long SCRATCH_BYTES = 64L << 20;

  /** What NVIDIA recommends for cuBLAS on Hopper, the most of all: cublasSetWorkspace. */
  static final long PRODUCT_BYTES = 32L << 20;

  static final long BYTES = SCRATCH_BYTES + PRODUCT_BYTES;

  /**
   * The memory of a stream.
   *
   * @param scratch of kernels
   * @param productsAt address of {@link #PRODUCT_BYTES} for cuBLAS
   */
  record Workspace(CudaBuffer scratch, long productsAt, CudaBuffer whole) {
    private static Workspace of(CudaBuffer whole) {
      return new Workspace(
          new CudaBuffer(whole.address(), SCRATCH_BYTES, () -> {}),
          whole.address() + SCRATCH_BYTES,
          whole);
    }
  }

  private final Deque<CudaBuffer> idle = new ArrayDeque<>();
  private final Function<String, CudaBuffer> further;

  /**
   * @param first set aside, {@link #BYTES} each
   * @param further allocates one more for a purpose
   */
  Workspaces(Iterable<CudaBuffer> first, Function<String, CudaBuffer> further) {
    first.forEach(idle::add);
    this.further = further;
  }

  /**
   * Memory for a stream.
   *
   * @throws dev.offload.backends.api.MemoryBudgetException if all that was set aside is in use and
   *     the budget has no room
   */
  synchronized Workspace take(String stream) {
    return Workspace.of(
        idle.isEmpty() ? further.apply("computing on stream '" + stream + "'") : idle.pop());
  }

  /** Keeps it for the next stream. */
  synchronized void give(Workspace workspace) {
    idle.push(workspace.whole());
  }
}
