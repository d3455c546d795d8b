package dev.offload.backends.cpu;

import dev.offload.tensors.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * oneDNN's matrix product and reorder. All work runs on the thread that asks for it and on no
 * other: oneDNN's own threads are switched off. Thread-safe; native objects live until {@link
 * #close}.
 */
final class Dnnl implements AutoCloseable {
  // dnnl_common_types.h, dnnl_types.h
  private static final int SUCCESS = 0;
  private static final int ENGINE_CPU = 1;
  private static final int STREAM_IN_ORDER = 1;
  private static final int TAG_ANY = 1;
  private static final int SCRATCHPAD_USER = 1;
  private static final int TYPE_OF_DESTINATION = 0;
  private static final int ARGUMENT_FROM = 1;
  private static final int ARGUMENT_SOURCE = 1;
  private static final int ARGUMENT_TO = 17;
  private static final int ARGUMENT_DESTINATION = 17;
  private static final int ARGUMENT_WEIGHTS = 33;
  private static final int ARGUMENT_SCRATCHPAD = 80;
  private static final int QUERY_IMPLEMENTATION = 8;
  private static final int QUERY_WEIGHTS = 131;
  private static final int QUERY_SCRATCHPAD = 136;

  // dnnl_cpu_isa_t; what comes after an instruction set has its bits too
  private static final int ISA_AVX2 = 0x7;
  private static final int ISA_AVX512 = 0x27;
  private static final int ISA_AVX512_BF16 = 0xe7;
  private static final int ISA_AMX = 0xfef;

  /** Row count for which blocked weights pay; the order found for it is imposed on all others. */
  private static final int REPRESENTATIVE_ROWS = 64;

  /** sizeof(dnnl_exec_arg_t): an int, padding, a pointer. */
  private static final long ARGUMENT_BYTES = 16;

  private final DnnlFunctions functions;
  private final Arena arena = Arena.ofShared();
  private final Deque<Runnable> releases = new ArrayDeque<>();
  private final long engine;
  private final int isa;

  private Dnnl(DnnlFunctions functions) {
    this.functions = functions;
    engine =
        create(
            "dnnl_engine_create",
            functions.engineDestroy(),
            out -> (int) functions.engineCreate().invokeExact(out, ENGINE_CPU, 0L));
    isa = intOf(() -> (int) functions.effectiveIsa().invokeExact());
  }

  /**
   * Loads the library, unpacking it first if need be.
   *
   * @param cache folder for the unpacked library
   * @throws IOException if the library is not there or does not fit this machine
   */
  static Dnnl open(Path cache) throws IOException {
    String system = System.getProperty("os.name") + " on " + System.getProperty("os.arch");
    if (!system.equals("Linux on amd64")) {
      throw new IOException("oneDNN comes for Linux on x86-64 only, not for " + system);
    }
    try {
      for (Path library : DnnlFiles.unpack(cache)) {
        System.load(library.toAbsolutePath().toString());
      }
    } catch (UnsatisfiedLinkError e) {
      throw new IOException("oneDNN cannot be loaded: " + e.getMessage(), e);
    }
    return new Dnnl(DnnlFunctions.link(SymbolLookup.loaderLookup()));
  }

  /** The instruction set that the library uses here. */
  String instructionSet() {
    if (supports(ISA_AMX)) {
      return "AMX";
    }
    if (supports(ISA_AVX512_BF16)) {
      return "AVX-512 with bfloat16";
    }
    if (supports(ISA_AVX512)) {
      return "AVX-512";
    }
    return supports(ISA_AVX2) ? "AVX2" : "SSE 4.1";
  }

  /** Whether the processor multiplies bfloat16 numbers itself. */
  boolean multipliesBf16() {
    return supports(ISA_AVX512_BF16);
  }

  /** Whether the library has fast products of BF16 and BF16, if need be emulated. */
  boolean hasBf16Products() {
    return supports(ISA_AVX512);
  }

  private boolean supports(int wanted) {
    return (isa & wanted) == wanted;
  }

  /** Releases all native objects. No work may be in progress. */
  @Override
  public synchronized void close() {
    while (!releases.isEmpty()) {
      releases.pop().run();
    }
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }

  /**
   * The order in which weights suit products with many rows of their own format best.
   *
   * @param dtype format of both operands
   * @param inputs columns of the left operand
   * @param columns columns of the product
   */
  WeightOrder bestOrder(DType dtype, int inputs, int columns) {
    long product =
        describeMatmul(
            describe(dtype, REPRESENTATIVE_ROWS, inputs, inputs, 1),
            describeAny(dtype, inputs, columns),
            describe(DType.F32, REPRESENTATIVE_ROWS, columns, columns, 1),
            newAttributes());
    return new WeightOrder(dtype, inputs, columns, queryMemory(product, QUERY_WEIGHTS));
  }

  /** F32 weights row by row, [inputs, columns]. */
  WeightOrder plainOrder(int inputs, int columns) {
    long plain = describe(DType.F32, inputs, columns, columns, 1);
    return new WeightOrder(DType.F32, inputs, columns, plain);
  }

  private long describe(DType dtype, long rows, long columns, long rowStride, long columnStride) {
    int code = code(dtype);
    try (Arena call = Arena.ofConfined()) {
      MemorySegment sizes = call.allocateFrom(ValueLayout.JAVA_LONG, rows, columns);
      MemorySegment strides = call.allocateFrom(ValueLayout.JAVA_LONG, rowStride, columnStride);
      return create(
          "dnnl_memory_desc_create_with_strides",
          functions.descriptionDestroy(),
          out -> (int) functions.describeStrides().invokeExact(out, 2, sizes, code, strides));
    }
  }

  private long describeAny(DType dtype, long rows, long columns) {
    int code = code(dtype);
    try (Arena call = Arena.ofConfined()) {
      MemorySegment sizes = call.allocateFrom(ValueLayout.JAVA_LONG, rows, columns);
      return create(
          "dnnl_memory_desc_create_with_tag",
          functions.descriptionDestroy(),
          out -> (int) functions.describeTag().invokeExact(out, 2, sizes, code, TAG_ANY));
    }
  }

  private static int code(DType dtype) {
    return switch (dtype) {
      case F16 -> 1;
      case BF16 -> 2;
      case F32 -> 3;
    };
  }

  private long describeMatmul(long source, long weights, long destination, long attributes) {
    runOnThisThreadOnly();
    return create(
        "dnnl_matmul_primitive_desc_create",
        functions.primitiveDescriptionDestroy(),
        out ->
            (int)
                functions
                    .matmulDescribe()
                    .invokeExact(out, engine, source, weights, 0L, destination, attributes));
  }

  private long newAttributes() {
    long attributes =
        create(
            "dnnl_primitive_attr_create",
            functions.attributesDestroy(),
            out -> (int) functions.attributesCreate().invokeExact(out));
    check(
        "dnnl_primitive_attr_set_scratchpad_mode",
        () -> (int) functions.attributesSetScratchpad().invokeExact(attributes, SCRATCHPAD_USER));
    return attributes;
  }

  /** Makes a product add to what its destination holds. */
  private void appendSum(long attributes) {
    long operations =
        create(
            "dnnl_post_ops_create",
            functions.postOperationsDestroy(),
            out -> (int) functions.postOperationsCreate().invokeExact(out));
    check(
        "dnnl_post_ops_append_sum",
        () ->
            (int)
                functions
                    .postOperationsAppendSum()
                    .invokeExact(operations, 1f, 0, TYPE_OF_DESTINATION));
    check(
        "dnnl_primitive_attr_set_post_ops",
        () -> (int) functions.attributesSetPostOperations().invokeExact(attributes, operations));
  }

  /** An order of weights in memory: a matrix [inputs, columns], usually cut into blocks. */
  final class WeightOrder {
    private final DType dtype;
    private final int inputs;
    private final int columns;
    private final long description;
    private final long bytes;

    private WeightOrder(DType dtype, int inputs, int columns, long description) {
      this.dtype = dtype;
      this.inputs = inputs;
      this.columns = columns;
      this.description = description;
      bytes = describedBytes(description);
    }

    /** Bytes of a matrix in this order. */
    long bytes() {
      return bytes;
    }

    /**
     * Brings row-major [columns, inputs] into this order.
     *
     * @param rowStride elements from row to row
     */
    Reorder newReorder(int rowStride) {
      long rowMajor = describe(dtype, inputs, columns, 1, rowStride);
      long attributes = newAttributes();
      long reorder =
          create(
              "dnnl_reorder_primitive_desc_create",
              functions.primitiveDescriptionDestroy(),
              out ->
                  (int)
                      functions
                          .reorderDescribe()
                          .invokeExact(out, rowMajor, engine, description, engine, attributes));
      return new Reorder(
          new Primitive(
              reorder,
              new Operand(ARGUMENT_FROM, rowMajor),
              new Operand(ARGUMENT_TO, description)));
    }

    /**
     * A product with matrices in this order.
     *
     * @param rows of the left operand
     * @param inputStride elements between rows of the left operand
     * @param outputStride elements between rows of the F32 result
     * @param accumulate whether the result is added to what is there
     * @throws IllegalStateException if oneDNN has only its reference implementation for it
     */
    Product newProduct(int rows, int inputStride, int outputStride, boolean accumulate) {
      long attributes = newAttributes();
      if (accumulate) {
        appendSum(attributes);
      }
      long source = describe(dtype, rows, inputs, inputStride, 1);
      long destination = describe(DType.F32, rows, columns, outputStride, 1);
      long product = describeMatmul(source, description, destination, attributes);
      requireFast(product);
      return new Product(
          new Primitive(
              product,
              new Operand(ARGUMENT_SOURCE, source),
              new Operand(ARGUMENT_WEIGHTS, description),
              new Operand(ARGUMENT_DESTINATION, destination)));
    }

    private void requireFast(long product) {
      try (Arena call = Arena.ofConfined()) {
        MemorySegment out = call.allocate(ValueLayout.ADDRESS);
        check(
            "dnnl_primitive_desc_query",
            () ->
                (int)
                    functions.primitiveQuery().invokeExact(product, QUERY_IMPLEMENTATION, 0, out));
        String name = out.get(ValueLayout.ADDRESS, 0).reinterpret(256).getString(0);
        if (name.startsWith("ref")) {
          throw new IllegalStateException("oneDNN has no fast product of %s here".formatted(dtype));
        }
      }
    }
  }

  /** Brings weights into another order. Thread-safe. */
  static final class Reorder {
    private final Primitive primitive;

    private Reorder(Primitive primitive) {
      this.primitive = primitive;
    }

    /** Each address is that of the first element. */
    void execute(long rowMajor, long ordered) {
      Execution execution = primitive.acquire();
      execution.setAddress(0, rowMajor);
      execution.setAddress(1, ordered);
      execution.run();
      primitive.release(execution);
    }
  }

  /** A product of fixed sizes. Thread-safe. */
  static final class Product {
    private final Primitive primitive;

    private Product(Primitive primitive) {
      this.primitive = primitive;
    }

    /** {@code output = input · weights}; each address is that of the first number. */
    void execute(long input, long weights, long output) {
      Execution execution = primitive.acquire();
      execution.setAddress(0, input);
      execution.setAddress(1, weights);
      execution.setAddress(2, output);
      execution.run();
      primitive.release(execution);
    }
  }

  /**
   * An operand of a primitive.
   *
   * @param argument its number
   * @param description its format
   */
  private record Operand(int argument, long description) {}

  /** Compiled code and the argument lists it was called with, kept for the next calls. */
  private final class Primitive {
    private final long handle;
    private final Operand[] operands;
    private final long scratchpad;
    private final Queue<Execution> idle = new ConcurrentLinkedQueue<>();

    Primitive(long primitiveDescription, Operand... operands) {
      handle =
          create(
              "dnnl_primitive_create",
              functions.primitiveDestroy(),
              out -> (int) functions.primitiveCreate().invokeExact(out, primitiveDescription));
      this.operands = operands;
      scratchpad = queryMemory(primitiveDescription, QUERY_SCRATCHPAD);
    }

    Execution acquire() {
      Execution execution = idle.poll();
      return execution == null ? new Execution(this) : execution;
    }

    void release(Execution execution) {
      idle.add(execution);
    }
  }

  /** The argument list of one call at a time. */
  private final class Execution {
    private final Primitive primitive;
    private final long stream;
    private final long[] memories;
    private final MemorySegment arguments;

    Execution(Primitive primitive) {
      this.primitive = primitive;
      int operands = primitive.operands.length;
      stream =
          create(
              "dnnl_stream_create",
              functions.streamDestroy(),
              out -> (int) functions.streamCreate().invokeExact(out, engine, STREAM_IN_ORDER));
      memories = new long[operands];
      arguments = allocate((operands + 1) * ARGUMENT_BYTES);
      for (int i = 0; i < operands; i++) {
        memories[i] = newMemory(primitive.operands[i].description, 0);
        setArgument(i, primitive.operands[i].argument, memories[i]);
      }
      long scratchBytes = describedBytes(primitive.scratchpad);
      long scratch = allocate(Math.max(scratchBytes, 1)).address();
      setArgument(operands, ARGUMENT_SCRATCHPAD, newMemory(primitive.scratchpad, scratch));
    }

    private long newMemory(long description, long address) {
      return create(
          "dnnl_memory_create",
          functions.memoryDestroy(),
          out -> (int) functions.memoryCreate().invokeExact(out, description, engine, address));
    }

    private void setArgument(int index, int argument, long memory) {
      arguments.set(ValueLayout.JAVA_INT, index * ARGUMENT_BYTES, argument);
      arguments.set(ValueLayout.JAVA_LONG, index * ARGUMENT_BYTES + Long.BYTES, memory);
    }

    void setAddress(int operand, long address) {
      try {
        int status = (int) functions.memorySetData().invokeExact(memories[operand], address);
        requireSuccess("dnnl_memory_set_data_handle", status);
      } catch (Throwable e) {
        throw unchecked(e);
      }
    }

    void run() {
      runOnThisThreadOnly();
      try {
        int status =
            (int)
                functions
                    .primitiveExecute()
                    .invokeExact(primitive.handle, stream, memories.length + 1, arguments);
        requireSuccess("dnnl_primitive_execute", status);
      } catch (Throwable e) {
        throw unchecked(e);
      }
    }
  }

  /**
   * Tells OpenMP, whose number of threads is a property of the calling thread; it costs some
   * nanoseconds. It has to be said when code is compiled too: that divides the inputs among the
   * threads it expects, and sums are wrong if there are fewer later.
   */
  private void runOnThisThreadOnly() {
    try {
      functions.setThreads().invokeExact(1);
    } catch (Throwable e) {
      throw unchecked(e);
    }
  }

  private synchronized MemorySegment allocate(long bytes) {
    return arena.allocate(bytes, 64);
  }

  /** Format of an operand of a primitive, or of its scratchpad. */
  private long queryMemory(long primitiveDescription, int what) {
    try {
      return (long) functions.primitiveQueryMemory().invokeExact(primitiveDescription, what, 0);
    } catch (Throwable e) {
      throw unchecked(e);
    }
  }

  private long describedBytes(long description) {
    try {
      return (long) functions.descriptionBytes().invokeExact(description);
    } catch (Throwable e) {
      throw unchecked(e);
    }
  }

  /**
   * Calls a function that creates an object and returns it; {@link #close} destroys it.
   *
   * @throws IllegalStateException if that has been called
   */
  private long create(String name, MethodHandle destructor, Constructor constructor) {
    if (!arena.scope().isAlive()) {
      throw new IllegalStateException("oneDNN is closed, as the device is that it belongs to");
    }
    try (Arena call = Arena.ofConfined()) {
      MemorySegment out = call.allocate(ValueLayout.JAVA_LONG);
      check(name, () -> constructor.call(out));
      long handle = out.get(ValueLayout.JAVA_LONG, 0);
      Runnable release = () -> intOf(() -> (int) destructor.invokeExact(handle));
      synchronized (this) {
        releases.push(release);
      }
      return handle;
    }
  }

  /** A call that returns a status and writes a handle. */
  private interface Constructor {
    int call(MemorySegment out) throws Throwable;
  }

  /** A call that returns an int, a status in all cases but one. */
  private interface IntCall {
    int call() throws Throwable;
  }

  private static void check(String name, IntCall function) {
    requireSuccess(name, intOf(function));
  }

  private static int intOf(IntCall function) {
    try {
      return function.call();
    } catch (Throwable e) {
      throw unchecked(e);
    }
  }

  private static void requireSuccess(String function, int status) {
    if (status != SUCCESS) {
      throw new IllegalStateException(function + " failed: " + reason(status));
    }
  }

  private static String reason(int status) {
    return switch (status) {
      case 1 -> "out of memory";
      case 2 -> "invalid arguments";
      case 3 -> "not implemented";
      case 4 -> "no implementation left";
      case 5 -> "error while running";
      default -> "status " + status;
    };
  }

  private static RuntimeException unchecked(Throwable e) {
    return switch (e) {
      case RuntimeException runtime -> runtime;
      case Error error -> throw error;
      default -> throw new AssertionError("a native function threw", e);
    };
  }
}
