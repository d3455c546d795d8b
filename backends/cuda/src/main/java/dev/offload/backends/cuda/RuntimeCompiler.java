package dev.offload.backends.cuda;

import java.util.List;

/** The calls of NVRTC that are used. Thread-safe. */
interface RuntimeCompiler {

  /** Name and version. */
  String version();

  /** Architectures that it compiles for, as 90 for compute capability 9.0, ascending. */
  List<Integer> architectures();

  /**
   * Compiles a program.
   *
   * @param name of the source in messages
   * @param options as on the command line; with {@code --gpu-architecture=sm_..} the result is a
   *     cubin, with {@code compute_..} PTX with a zero behind
   * @throws CompileException if it does not compile
   */
  byte[] compile(String name, String source, List<String> options) throws CompileException;

  /** A program that does not compile; the message is the compiler's. */
  final class CompileException extends Exception {
    private static final long serialVersionUID = 1;

    CompileException(String log) {
      super(log);
    }
  }
}
