package dev.offload.backends.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Map;

/**
 * CuBLAS through FFM, major versions 12 and 13: one handle, used by one thread at a time, on
 * whichever stream a product belongs to, with memory of ours for partial sums. So products of equal
 * sizes give equal bits: cuBLAS, "Results Reproducibility".
 */
final class Cublas implements Blas {
  // cublas_api.h, the same in both versions
  private static final int SUCCESS = 0;
  private static final int AS_IT_IS = 0;
  private static final int TRANSPOSED = 1;
  private static final int COMPUTE_F32 = 68;
  private static final int ALGORITHM_BY_HEURISTIC = -1;

  /** CUBLAS_DEFAULT_MATH, in which F32 is not TF32, and partial sums are not rounded to 16 bits. */
  private static final int MATH = 16;

  private static final Map<Integer, String> STATUSES =
      Map.of(
          1, "NOT_INITIALIZED",
          3, "ALLOC_FAILED",
          7, "INVALID_VALUE",
          8, "ARCH_MISMATCH: this cuBLAS does not know the device, install a newer one",
          11, "MAPPING_ERROR",
          13, "EXECUTION_FAILED",
          14, "INTERNAL_ERROR",
          15, "NOT_SUPPORTED");

  private final Driver driver;
  private final Functions functions;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment one = arena.allocateFrom(JAVA_FLOAT, 1f);
  private final MemorySegment zero = arena.allocateFrom(JAVA_FLOAT, 0f);
  private final long handle;
  private final String version;
  private Place place = new Place(0, 0, 0);

  /**
   * Opens cuBLAS in the driver's context.
   *
   * @param library as the file was loaded
   */
  Cublas(Driver driver, SymbolLookup library) {
    this.driver = driver;
    functions = Functions.link(library);
    driver.makeCurrent();
    try (Arena call = Arena.ofConfined()) {
      MemorySegment out = call.allocate(JAVA_LONG);
      check("cublasCreate", (int) functions.create().invokeExact(out));
      handle = out.get(JAVA_LONG, 0);
      check("cublasSetMathMode", (int) functions.setMathMode().invokeExact(handle, MATH));
      MemorySegment number = call.allocate(JAVA_INT);
      check("cublasGetVersion", (int) functions.getVersion().invokeExact(handle, number));
      version = "cuBLAS " + versionOf(number.get(JAVA_INT, 0));
    } catch (Throwable e) {
      throw NativeCalls.unchecked(e);
    }
  }

  /** As CUBLAS_VERSION counts: major · 10000 + minor · 100 + patch. */
  private static String versionOf(int number) {
    return "%d.%d.%d".formatted(number / 10_000, number / 100 % 100, number % 100);
  }

  @Override
  public String version() {
    return version;
  }

  /** A row-major matrix is the transposed one, column by column. */
  @Override
  public synchronized void multiply(Place queue, Product product) {
    driver.makeCurrent();
    try {
      use(queue);
      int status =
          (int)
              functions
                  .gemmEx()
                  .invokeExact(
                      handle,
                      TRANSPOSED,
                      AS_IT_IS,
                      product.outputs(),
                      product.rows(),
                      product.inputs(),
                      one,
                      product.weight(),
                      product.inputType(),
                      product.inputs(),
                      product.x(),
                      product.inputType(),
                      product.xStride(),
                      product.accumulate() ? one : zero,
                      product.out(),
                      product.outType(),
                      product.outStride(),
                      COMPUTE_F32,
                      ALGORITHM_BY_HEURISTIC);
      if (status != SUCCESS) {
        check("cublasGemmEx of " + product, status);
      }
    } catch (Throwable e) {
      throw NativeCalls.unchecked(e);
    }
  }

  /** The workspace comes behind the stream, which resets it. */
  private void use(Place queue) throws Throwable {
    if (queue.equals(place)) {
      return;
    }
    check("cublasSetStream", (int) functions.setStream().invokeExact(handle, queue.stream()));
    check(
        "cublasSetWorkspace",
        (int)
            functions
                .setWorkspace()
                .invokeExact(handle, queue.workspace(), queue.workspaceBytes()));
    place = queue;
  }

  private static void check(String call, int status) {
    if (status != SUCCESS) {
      throw new IllegalStateException(
          "%s failed with %d %s".formatted(call, status, STATUSES.getOrDefault(status, "")));
    }
  }

  @Override
  public synchronized void close() {
    driver.makeCurrent();
    try {
      check("cublasDestroy", (int) functions.destroy().invokeExact(handle));
    } catch (Throwable e) {
      throw NativeCalls.unchecked(e);
    } finally {
      arena.close();
    }
  }

  /** The functions, which write to pointers and return a status; handles are numbers. */
  record Functions(
      MethodHandle create,
      MethodHandle destroy,
      MethodHandle getVersion,
      MethodHandle setMathMode,
      MethodHandle setStream,
      MethodHandle setWorkspace,
      MethodHandle gemmEx) {

    static Functions link(SymbolLookup library) {
      return new Functions(
          link(library, "cublasCreate_v2", ADDRESS),
          link(library, "cublasDestroy_v2", JAVA_LONG),
          link(library, "cublasGetVersion_v2", JAVA_LONG, ADDRESS),
          link(library, "cublasSetMathMode", JAVA_LONG, JAVA_INT),
          link(library, "cublasSetStream_v2", JAVA_LONG, JAVA_LONG),
          link(library, "cublasSetWorkspace_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG),
          link(
              library,
              "cublasGemmEx",
              JAVA_LONG, // handle
              JAVA_INT, // operation on A
              JAVA_INT, // operation on B
              JAVA_INT, // m
              JAVA_INT, // n
              JAVA_INT, // k
              ADDRESS, // alpha
              JAVA_LONG, // A, its type and stride
              JAVA_INT,
              JAVA_INT,
              JAVA_LONG, // B
              JAVA_INT,
              JAVA_INT,
              ADDRESS, // beta
              JAVA_LONG, // C
              JAVA_INT,
              JAVA_INT,
              JAVA_INT, // compute type
              JAVA_INT)); // algorithm
    }

    private static MethodHandle link(SymbolLookup library, String name, MemoryLayout... arguments) {
      return Linker.nativeLinker()
          .downcallHandle(library.findOrThrow(name), FunctionDescriptor.of(JAVA_INT, arguments));
    }
  }
}
