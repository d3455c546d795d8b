package dev.offload.jobs;

import java.io.PrintWriter;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Turns Ctrl-C, SIGTERM and a closed terminal into a request to stop, until it is closed. A second
 * signal ends the process at once, which loses no finished row either: the journal is made for
 * that. A signal that whoever started the process has told it to ignore stays ignored.
 *
 * <p>{@code sun.misc.Signal} is reached by reflection, because the compiler's warning about it
 * cannot be switched off, and warnings are errors here.
 */
final class StopSignals implements AutoCloseable {
  /** Name and number of those that people and machines stop programs with. */
  private enum Stop {
    INT(2),
    TERM(15),
    HUP(1);

    private final int number;

    Stop(int number) {
      this.number = number;
    }
  }

  /** What a shell reports for a process that a signal ended, less the signal's number. */
  private static final int SIGNALLED = 128;

  private final PrintWriter err;
  private final Runnable stop;
  private final AtomicBoolean asked = new AtomicBoolean();
  private final List<Registered> registered;

  private StopSignals(PrintWriter err, Runnable stop) {
    this.err = err;
    this.stop = stop;
    this.registered = List.of(Stop.values()).stream().map(this::register).toList();
  }

  /**
   * Listens from now on.
   *
   * @param err where is said what happens next
   * @param stop called at the first signal, by a thread of the JVM
   */
  static StopSignals listen(PrintWriter err, Runnable stop) {
    return new StopSignals(err, stop);
  }

  private Registered register(Stop signal) {
    try {
      Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
      Object handler =
          Proxy.newProxyInstance(
              handlerType.getClassLoader(),
              new Class<?>[] {handlerType},
              (proxy, method, arguments) -> {
                if (method.getName().equals("handle")) {
                  received(signal);
                  return null;
                }
                return method.invoke(this, arguments);
              });
      return new Registered(signal, handle(signal, handler));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this JVM has no sun.misc.Signal", e);
    }
  }

  /**
   * Registers a handler; returns the former one, or the default where the JVM no longer knows it: a
   * native library, such as an OpenCL compiler, may have set handlers of its own and taken them
   * back.
   */
  private static Object handle(Stop signal, Object handler) throws ReflectiveOperationException {
    Class<?> type = Class.forName("sun.misc.Signal");
    Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
    Object of = type.getConstructor(String.class).newInstance(signal.name());
    Object former = type.getMethod("handle", type, handlerType).invoke(null, of, handler);
    return former != null ? former : handlerType.getField("SIG_DFL").get(null);
  }

  private void received(Stop signal) {
    if (asked.getAndSet(true)) {
      Runtime.getRuntime().halt(SIGNALLED + signal.number);
    }
    err.println();
    err.println("offload: stopping after this pass; a second time ends at once, no row is lost");
    err.flush();
    stop.run();
  }

  /** Signals do again what they did before. */
  @Override
  public void close() {
    for (Registered each : registered) {
      try {
        handle(each.signal, each.former);
      } catch (ReflectiveOperationException e) {
        // The job is done; that is what the exit code is about.
        err.printf(
            "offload: the former handler of SIG%s could not be set again: %s%n",
            each.signal, e.getCause() == null ? e : e.getCause());
      }
    }
  }

  /** A signal and who handled it before. */
  private record Registered(Stop signal, Object former) {}
}
