package dev.offload.backends.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.offload.backends.kernels.Launch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Arguments of a kernel as the driver wants them: an array of addresses of values, which it copies
 * during the call. Used by one thread at a time.
 */
final class KernelArguments implements AutoCloseable {
  private static final int MOST = 64;

  private final Arena arena = Arena.ofShared();
  private final MemorySegment values = arena.allocate(JAVA_LONG, MOST);
  private final MemorySegment addresses = arena.allocate(JAVA_LONG, MOST);

  KernelArguments() {
    for (int i = 0; i < MOST; i++) {
      addresses.setAtIndex(JAVA_LONG, i, values.address() + (long) Long.BYTES * i);
    }
  }

  /**
   * Writes the arguments.
   *
   * @param status address of the stream's status
   * @return addresses of the values, valid until the next call
   * @throws IllegalArgumentException if a buffer belongs to another backend
   */
  MemorySegment fill(List<Launch.Argument> arguments, long status) {
    int i = 0;
    for (Launch.Argument argument : arguments) {
      long at = (long) Long.BYTES * i++;
      switch (argument) {
        case Launch.MemoryArgument given ->
            values.set(
                JAVA_LONG,
                at,
                given.buffer().map(buffer -> CudaBuffer.of(buffer).address()).orElse(0L));
        case Launch.StatusArgument ignored -> values.set(JAVA_LONG, at, status);
        case Launch.IntArgument given -> values.set(JAVA_INT, at, given.value());
        case Launch.LongArgument given -> values.set(JAVA_LONG, at, given.value());
        case Launch.FloatArgument given -> values.set(JAVA_FLOAT, at, given.value());
      }
    }
    return addresses;
  }

  @Override
  public void close() {
    arena.close();
  }
}
